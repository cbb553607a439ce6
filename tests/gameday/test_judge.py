"""Judging a folder from the command line: again, by another file, and when it is none."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from gameday import past
from gameday.cli import main
from slo import history, verdict
from tests.run_folder import Plan, amend, write

TARGETS = Path(__file__).parents[2] / "slo" / "targets" / "lexohub.toml"
STRICT = """[[objective]]
id = "{id}"
sli = "latency"
phase = "steady"
operations = ["{operations}"]
expr = "p(99) < {limit}"
basis = "documented"
source = {{ file = "f", heading = "h", quote = "q" }}
"""
NIGHTS = """[[objective]]
id = "latency-regression"
sli = "latency"
phase = "steady"
operations = ["@api"]
expr = "p(99) baseline <= +10%"
basis = "baseline"
source = { file = "f", heading = "h", quote = "q" }
"""


@pytest.fixture(scope="module")
def healthy(tmp_path_factory) -> Path:
    """A small run that passes, not to be changed."""
    phases = (("warmup", 5, None), ("steady", 125, None))
    plan = Plan(
        phases=phases,
        rates={"matter_read": 60, "search": 60},
        objectives=("latency-p99", "error-rate"),
        judge=(),
        probe="none",
        seen=None,
        ledger=False,
        metrics=False,
        run_id="run",
    )
    return write(tmp_path_factory.mktemp("runs") / "run", plan)


@pytest.fixture
def folder(healthy, tmp_path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(healthy, tmp_path / "run"))


def _judge(*words: object) -> tuple[int, str]:
    found = CliRunner().invoke(main, ["judge", *(str(word) for word in words)])
    assert found.exception is None or isinstance(found.exception, SystemExit), found.exception
    return found.exit_code, found.output


def test_judging_again_finds_the_same(folder):
    """Verdicts and all reports are written; a second time they say the same."""
    code, text = _judge(folder, "--json")
    assert (code, json.loads(text)["verdict"]) == (0, "pass")
    assert {one.name for one in folder.iterdir()} >= {
        "baseline.json", "verdicts.json", "report.html", "report.md", "junit.xml", "result.json",
    }  # fmt: skip
    again = json.loads(_judge(folder, "--json")[1])
    assert {**again, "judged_at": None} == {**json.loads(text), "judged_at": None}


def test_another_file_asks_other_questions_and_writes_nothing(folder, tmp_path):
    """What the plan drives by its new limit, and what is new; the folder stays as it was."""
    before = {one.name for one in folder.iterdir()}
    file = tmp_path / "strict.toml"
    own = STRICT.format(id="latency-p99", operations="@api", limit="100ms")
    file.write_text(own + STRICT.format(id="search-p99", operations="search", limit="500ms"))
    code, text = _judge(folder, "--objectives", file, "--json")
    found = json.loads(text)
    assert (code, [one["id"] for one in found["objectives"]]) == (0, ["latency-p99", "search-p99"])
    assert found["objectives"][0]["expr"] == "p(99) < 100ms"
    assert {one.name for one in folder.iterdir()} == before
    file.write_text(own.replace("100ms", "33ms"))
    code, text = _judge(folder, "--objectives", file)
    assert code == 3
    assert "answers slower than 33 ms were not counted" in text


def test_a_file_that_asks_nothing_of_this_run_is_no_data(folder, tmp_path):
    """Objectives that the plan does not drive are not answered by silence."""
    file = tmp_path / "other.toml"
    file.write_text(STRICT.format(id="search-latency", operations="search", limit="500ms"))
    assert _judge(folder, "--objectives", file)[0] == 3


def test_a_file_that_asks_only_of_faults_measures_no_run_without_one(folder, tmp_path):
    """A run that was only to measure is measured until something is asked of it: then that has no data."""
    amend(folder, policy="measure", objectives=[])
    code, text = _judge(folder, "--json")
    assert (code, json.loads(text)["verdict"]) == (0, "measured")
    file = tmp_path / "faults.toml"
    asked = STRICT.format(id="p99", operations="@api", limit="500ms")
    file.write_text(asked.replace('"steady"', '"fault"'))
    code, text = _judge(folder, "--objectives", file, "--json")
    found = json.loads(text)
    assert (code, found["verdict"], found["objectives"]) == (3, "no-data", [])
    assert found["not_driven"] == [{"id": "p99", "reason": "no fault of this run is judged by it"}]
    file.write_text(asked)
    assert _judge(folder, "--objectives", file)[0] == 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no objectives"),
        (STRICT.format(id="a", operations="@nobody", limit="1s"), "@nobody"),
        ("[[", "TOML"),
    ],
)
def test_a_file_that_says_something_wrong_is_refused(folder, tmp_path, text, message):
    """Exit 2 with the file, whatever the run."""
    file = tmp_path / "wrong.toml"
    file.write_text(text)
    code, said = _judge(folder, "--objectives", file)
    assert code == 2
    assert f"{file}" in said
    assert message in said


DAMAGES = [
    (lambda f: (f / "manifest.json").unlink(), "no manifest.json"),
    (lambda f: (f / "manifest.json").write_text("{"), "cannot be read as JSON"),
    (lambda f: amend(f, schema=9), "schema 9 instead of 1"),
    (lambda f: amend(f, system="../../etc/passwd"), "no system is called"),
    (lambda f: amend(f, system="nowhere"), "nowhere.toml"),
    (lambda f: amend(f, objectives=["nonsense"]), "unknown objective 'nonsense'"),
    (lambda f: (f / "counters.jsonl").write_text('{"t": NaN}\n\n'), "counters.jsonl:1"),
    (lambda f: (f / "objectives.toml").write_text("x = 1"), "objectives.toml:1"),
    (shutil.rmtree, "no manifest.json"),
]


@pytest.mark.parametrize(("damage", "message"), DAMAGES)
def test_what_is_no_run_folder_is_exit_2_in_one_line(folder, damage, message):
    """No traceback, no pass, nothing written that looks like a verdict."""
    damage(folder)
    code, text = _judge(folder)
    assert code == 2
    assert text.startswith("error: ")
    assert len(text.splitlines()) == 1
    assert message in text
    assert not (folder / "verdicts.json").exists()


def _night(out: Path, healthy: Path, number: int, **fields) -> Path:
    folder = Path(shutil.copytree(healthy, out / f"run-{number}"))
    asked = ["latency-p99", "latency-regression"]
    amend(folder, run_id=folder.name, started=1e9 + number, policy="nightly", objectives=asked, **fields)
    (folder / "objectives.toml").write_text(
        NIGHTS + STRICT.format(id="latency-p99", operations="@api", limit="500ms")
    )
    return folder


def test_a_nightly_plan_has_its_baseline_after_five_nights(healthy, tmp_path):
    """No data until then, a verdict from then on; a folder keeps the nights it was judged by first."""
    codes = []
    for number in range(7):
        planted = {"defects": ["slow-tail"]} if number == 2 else {}
        folder = _night(tmp_path, healthy, number, **planted)
        codes.append(_judge(folder)[0])
        past.remember(folder, verdict.read(folder))
    assert codes == [3, 3, 3, 3, 3, 3, 0]
    known = json.loads((folder / "baseline.json").read_text())
    runs = [f"run-{number}" for number in (0, 1, 3, 4, 5)]
    assert known["objectives"]["latency-regression"]["runs"] == runs
    (tmp_path / history.FILE).unlink()
    assert _judge(folder)[0] == 0


def test_a_damaged_history_is_no_baseline_and_hides_no_verdict(healthy, tmp_path):
    """The run is judged; what needs the history says why it cannot be."""
    (tmp_path / history.FILE).write_text("nonsense\n{}\n")
    folder = _night(tmp_path, healthy, 1)
    code, text = _judge(folder)
    assert code == 3
    assert "the history of earlier runs cannot be read" in text
    assert "was not added to the history" in past.remember(folder, verdict.read(folder))[0]
