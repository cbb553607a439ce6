"""The command line: examples in every help, documented exit codes for every refusal, nothing sent."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from gameday.cli import main
from gameday.exitcodes import ExitCode

STAGING = """\
kind = "aws"
size = "small"
allow_hosts = ["127.0.0.1"]
max_rate = "2000/s"
[urls]
api = "http://127.0.0.1:1"
[aws]
account = "123456789012"
region = "us-east-1"
endpoint = "http://127.0.0.1:1"
"""


def commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, command in group.commands.items():
        yield (*path, name)
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))


def gameday(*words: str) -> Result:
    return CliRunner().invoke(main, list(words))


@pytest.mark.parametrize("words", list(commands(main)), ids=" ".join)
def test_every_help_has_an_example(words: tuple[str, ...]) -> None:
    """`--help` of each command shows the command itself in use."""
    shown = gameday(*words, "--help")
    assert shown.exit_code == 0
    assert f"gameday {' '.join(words)}" in shown.output.split("Example", 1)[1]


def test_list_names_what_is_here() -> None:
    """The directories are the lists."""
    shown = gameday("list")
    assert shown.exit_code == 0
    for name in ("lexohub", "lexohub-local", "lexohub/aurora-failover", "local-async"):
        assert name in shown.output


def test_the_shipped_files_check() -> None:
    """Every shipped file parses and every name in them leads somewhere."""
    shown = gameday("check")
    assert (shown.exit_code, shown.stderr) == (0, "")


def test_plan_says_what_would_happen() -> None:
    """Phases, faults, objectives and samples are told without anything being started."""
    shown = gameday("plan", "lexohub-local", "--env", "local")
    assert shown.exit_code == 0
    for word in ("aws:rds:failover-db-cluster", "latency-p99", "not driven", "300 requests/s"):
        assert word in shown.output


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("run", "lexohub-locl"), "lexohub-local"),
        (("run", "lexohub-local", "--env", "lokal"), "local-async"),
        (("run", "lexohub-local", "--rate", "5000/s"), "max_rate"),
        (("run", "lexohub-local", "--rate", "fast"), "'300/s'"),
        (("run", "lexohub", "--only", "serch"), "search"),
        (("plan", "lexohub-local", "--env", "nowhere.toml"), "nowhere.toml"),
        (("judge", "no-such-folder"), "no-such-folder"),
    ],
)
def test_usage_errors_exit_2_and_name_what_was_expected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], expected: str
) -> None:
    """Nothing is sent and no run folder is made for a run that cannot be meant."""
    monkeypatch.chdir(tmp_path)
    shown = gameday(*words)
    assert shown.exit_code == ExitCode.USAGE
    assert expected in shown.stderr
    assert not list(tmp_path.glob("runs/*"))


def test_a_host_outside_the_allow_list_is_refused_before_a_socket_opens(tmp_path: Path) -> None:
    """The refusal names file and line, and needs no network."""
    local = Path("fixtures/environments/local.toml").read_text("utf-8")
    path = tmp_path / "elsewhere.toml"
    path.write_text(local.replace('api = "region:edge"', 'api = "https://staging.example"'), "utf-8")
    shown = gameday("run", "lexohub-noop", "--env", str(path), "--out", str(tmp_path / "runs"))
    assert shown.exit_code == ExitCode.USAGE
    assert f"{path}:" in shown.stderr
    assert "staging.example" in shown.stderr


def test_a_standing_region_that_is_not_there_is_said(tmp_path: Path) -> None:
    """`--standing` without a standing region exits 5 with the command that starts one."""
    text = Path("fixtures/environments/local.toml").read_text("utf-8")
    path = tmp_path / "alone.toml"
    path.write_text(text, "utf-8")
    shown = gameday("run", "lexohub-noop", "--standing", "--env", str(path), "--out", str(tmp_path / "runs"))
    assert shown.exit_code == ExitCode.BROKEN
    assert "gameday region up --env alone" in shown.stderr


def test_a_plan_without_a_region_says_that_targets_are_not_resolved(tmp_path: Path) -> None:
    """The files alone say the rest; --offline asks nobody."""
    path = tmp_path / "alone.toml"
    path.write_text(Path("fixtures/environments/local.toml").read_text("utf-8"), "utf-8")
    shown = gameday("plan", "lexohub-failover", "--env", str(path))
    assert shown.exit_code == 0
    assert "targets not resolved: no region of 'alone' is up" in shown.output
    assert "targets not resolved" not in gameday("plan", "lexohub-failover", "--offline").output


@pytest.mark.parametrize(
    ("words", "code", "expected"),
    [
        (("doctor", "--env", "ALONE"), ExitCode.BROKEN, "gameday region up --env alone"),
        (("doctor", "nonsense", "--env", "STAGING"), ExitCode.USAGE, "aurora-failover"),
        (("doctor", "--system", "nobody", "--env", "STAGING"), ExitCode.USAGE, "'nobody'"),
        (("run", "lexohub-failover", "--env", "STAGING"), ExitCode.USAGE, "aws.lock_bucket"),
        (("run", "lexohub-failover", "--plan-hash", "short"), ExitCode.USAGE, "aurora-failover"),
    ],
)
def test_what_cannot_be_begun_is_said(
    tmp_path: Path, words: tuple[str, ...], code: ExitCode, expected: str
) -> None:
    """No region to look at, no such experiment, faults without a lock, a hash that is none."""
    local = Path("fixtures/environments/local.toml").read_text("utf-8")
    (tmp_path / "alone.toml").write_text(local, "utf-8")
    (tmp_path / "staging.toml").write_text(STAGING, "utf-8")
    paths = {"ALONE": str(tmp_path / "alone.toml"), "STAGING": str(tmp_path / "staging.toml")}
    shown = gameday(*(paths.get(word, word) for word in words))
    assert (shown.exit_code, expected in shown.stderr) == (code, True)
