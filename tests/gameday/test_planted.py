"""Defects from the command line and from plans: listed, refused where they cannot be meant, written down."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from fixtures.region.defects import catalogue, planting
from gameday import check, plan, prepare, preview
from gameday.cli import main
from gameday.errors import ConfigError
from gameday.exitcodes import ExitCode
from gameday.traffic import Traffic

PLAN = """\
system = "lexohub"
defects = {defects}
objectives = ["latency-p99"]
least_passes = 1
[load]
rate = "300/s"
[[phase]]
name = "steady"
for = "130s"
"""
STAGING = """\
kind = "aws"
size = "production"
allow_hosts = ["staging.example"]
max_rate = "2000/s"
[urls]
api = "https://staging.example"
[aws]
account = "123456789012"
region = "us-east-1"
"""


def gameday(*words: str) -> Result:
    return CliRunner().invoke(main, list(words))


def written(tmp_path: Path, name: str, text: str) -> str:
    path = tmp_path / name
    path.write_text(text, "utf-8")
    return str(path)


def test_list_says_what_must_catch_each() -> None:
    """Every defect stands there beside its objective."""
    lines = gameday("list").output.splitlines()
    for name, found in catalogue.of(catalogue.folder_of("lexohub")).items():
        assert any(f"lexohub/{name} " in line and f" {found.catches} " in line for line in lines), name


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("run", "lexohub-noop", "--defect", "lost-wriet"), "lost-write"),
        (("run", "lexohub-noop", "--defect", "lost-write", "--defect", "lost-write"), "at most once"),
        (("run", "lexohub-noop", "--defect", "old-counts:second=60"), "after, seconds"),
        (("run", "lexohub-noop", "--standing", "--defect", "lost-write"), "gameday region up --env local"),
        (("run", "lexohub", "--defect", "lost-write", "--env", "STAGING"), "kind region"),
        (("region", "up", "--defect", "lost-wriet"), "lost-write"),
        (("region", "up", "--system", "writlix", "--defect", "lost-write"), "there are no defects here"),
        (("region", "up", "--defect", "lost-write", "--env", "STAGING"), "kind region"),
    ],
)
def test_what_cannot_be_planted_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], expected: str
) -> None:
    """Exit 2, what was expected, and nothing was started."""
    staging = written(tmp_path, "staging.toml", STAGING)
    monkeypatch.chdir(tmp_path)
    shown = gameday(*(staging if word == "STAGING" else word for word in words))
    assert (shown.exit_code, expected in shown.stderr) == (ExitCode.USAGE, True), shown.stderr
    assert not list(tmp_path.glob("runs/*"))


def test_a_sealed_defect_is_checked_before_anything_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A typo in GAMEDAY_DEFECTS would otherwise only show when the region does not come up."""
    monkeypatch.setenv(planting.VARIABLE, "lost-wriet")
    shown = gameday("plan", "lexohub-noop")
    assert (shown.exit_code, "lost-write" in shown.stderr) == (ExitCode.USAGE, True)


def test_a_plan_names_its_defects(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of the command line come on top, and a preview says so."""
    nothing = Traffic(operations={}, flows={}, requests_per_flow=1.0)
    monkeypatch.setattr(prepare, "describe", lambda _system, _only: nothing)
    path = written(tmp_path, "mine.toml", PLAN.format(defects='["lost-write", "old-counts/twin"]'))
    assert plan.load(path).defects == ("lost-write", "old-counts/twin")
    request = prepare.request(path, prepare.Options(env="local", defects=("search-leak",)))
    assert request.plan.defects == ("lost-write", "old-counts/twin", "search-leak")
    assert preview.of(request).headline.endswith(
        "planted on purpose: lost-write, old-counts/twin, search-leak"
    )
    sound = replace(request, plan=replace(request.plan, defects=()))
    assert "planted" not in preview.of(sound).headline


@pytest.mark.parametrize(
    ("defects", "expected"),
    [('["lost-wriet"]', "one of"), ('"lost-write"', "a list of names"), ("[1]", "a list of names")],
)
def test_a_plan_with_other_defects_is_refused(tmp_path: Path, defects: str, expected: str) -> None:
    """With file, line and what was expected."""
    path = written(tmp_path, "mine.toml", PLAN.format(defects=defects))
    with pytest.raises(ConfigError) as refused:
        plan.load(path)
    assert str(refused.value).startswith(f"{path}:2: ")
    assert expected in str(refused.value)


def test_check_follows_a_defect_to_its_objective(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A defect that no objective is to catch is a problem of the shipped files."""
    text = (catalogue.folder_of("lexohub") / "lost_write.py").read_text("utf-8")
    written(tmp_path, "lost_write.py", text.replace('"no-lost-write"', '"no-such-objective"'))
    monkeypatch.setattr(catalogue, "folder_of", lambda _system: tmp_path)
    (problem,) = (found for found in check._defects() if found)
    assert problem.startswith(f"{tmp_path / 'lost_write.py'}: ")
    assert "'no-such-objective'" in problem
