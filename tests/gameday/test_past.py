"""Earlier runs from the command line."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from gameday import past
from gameday.cli import main
from slo import history, judge, objective, record, verdict
from tests.run_folder import Outage, Plan, write

TARGETS = objective.load(Path(__file__).parents[2] / "slo" / "targets" / "lexohub.toml")
SHORT = (("warmup", 10, None), ("steady", 130, None))


def _judged(folder: Path, **fields) -> Path:
    plan = Plan(phases=SHORT, judge=(), probe="none", seen=None, run_id=folder.name, **fields)
    write(folder, plan)
    verdict.write(folder, judge.judge(record.read(folder), TARGETS))
    return folder


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> Path:
    """Two healthy nights and one with errors."""
    out = tmp_path_factory.mktemp("runs")
    _judged(out / "first")
    _judged(out / "second", seed=2, manifest={"started": 2e9})
    _judged(out / "sick", outages=[Outage(start=10, end=140, share=0.05)], manifest={"started": 3e9})
    return out


def _call(*words: object) -> tuple[int, str]:
    found = CliRunner().invoke(main, [str(word) for word in words])
    return found.exit_code, found.output


def test_compare_exits_by_what_got_worse(runs):
    """Two healthy nights are alike; errors are worse beyond doubt and named."""
    assert _call("compare", runs / "first", runs / "second")[0] == 0
    code, text = _call("compare", runs / "first", runs / "sick")
    assert code == 1
    assert "worse: " in text
    assert "error-rate" in text.rpartition("worse: ")[2]


def test_compare_wants_judged_runs(runs, tmp_path):
    """An empty folder is no run."""
    code, text = _call("compare", runs / "first", tmp_path)
    assert code == 2
    assert "no manifest.json" in text


def test_a_baseline_is_a_run_that_passed(runs, tmp_path):
    """A failed one is refused; a good one is remembered and marked in the history."""
    good, bad = (_judged(tmp_path / "good"), _judged(tmp_path / "bad", outages=[Outage(start=10, end=140)]))
    assert _call("baseline", "set", bad)[0] == 2
    assert _call("baseline", "set", good)[0] == 0
    code, text = _call("history", "lexohub", "--out", tmp_path)
    assert code == 0
    assert "(baseline)" in text


def test_no_history_is_no_data(tmp_path):
    """Nothing to list is said with the code for no data."""
    assert _call("history", "lexohub", "--out", tmp_path)[0] == 3


def test_a_run_is_set_beside_its_baseline_and_earlier_nights(tmp_path):
    """Five nights alike and then one three times as slow: out of line, and the baseline's value beside it."""
    for number in range(5):
        folder = _judged(tmp_path / f"night-{number}", manifest={"started": 1e9 + number})
        assert past.remember(folder, verdict.read(folder)) == []
    past.make_baseline(tmp_path / "night-0")
    slow = _judged(tmp_path / "slow", median=0.03, manifest={"started": 2e9})
    said = past.remember(slow, verdict.read(slow))
    assert any(line.startswith("latency-p50 is") and "baseline night-0" in line for line in said)
    assert any("latency-p50 is out of line" in line and "of 5 comparable runs" in line for line in said)
    assert len(past.of(tmp_path).history.entries) == 6


def test_a_damaged_history_is_named(tmp_path):
    """File and line, exit 2, and nothing is overwritten."""
    (tmp_path / history.FILE).write_text(json.dumps({"schema": 99}) + "\n")
    code, text = _call("history", "lexohub", "--out", tmp_path)
    assert code == 2
    assert "history.jsonl:1" in text
