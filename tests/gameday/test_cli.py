"""The command line: examples in every help, documented exit codes for every refusal, nothing sent."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from gameday.cli import main
from gameday.exitcodes import ExitCode


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
