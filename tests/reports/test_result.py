"""result.json: one shape whatever the run, described by the schema that ships beside the code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import reports
from reports.render import MOST_MARKDOWN, render
from slo import judge, objective, record, verdict
from tests.reports import sample
from tests.run_folder import Outage, Plan, write

SCHEMA = json.loads((Path(reports.__file__).parent / "result.schema.json").read_text(encoding="utf-8"))
CHECK = jsonschema.Draft202012Validator(SCHEMA)
TARGETS = objective.load(Path(__file__).parents[2] / "slo" / "targets" / "lexohub.toml")
DRIVEN = ("latency-p99", "error-rate", "uptime", "no-lost-write", "attainment")


def _result(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(render(folder)[3].read_text(encoding="ascii"))
    CHECK.validate(found)
    return found


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real run's folder, judged for real."""
    folder = write(
        tmp_path_factory.mktemp("runs") / "run",
        Plan(objectives=DRIVEN, outages=[Outage(start=142, end=154, groups=("write",))]),
    )
    verdict.write(folder, judge.judge(record.read(folder), TARGETS, now=5.0))
    return folder


def test_the_schema_is_one() -> None:
    """It is checked against its own language."""
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_a_judged_run_says_everything(judged: Path) -> None:
    """Verdict and exit as the judge gave them, every objective with its evidence, faults, operations."""
    found, told = _result(judged), verdict.read(judged)
    assert (found["verdict"], found["exit"], found["reason"].lower()) == (
        told.verdict,
        told.exit,
        told.reason.lower(),
    )
    assert [one["id"] for one in found["objectives"]] == [one.id for one in told.objectives]
    p99 = next(one for one in found["objectives"] if one["id"] == "latency-p99")
    assert (p99["k"], p99["n"], p99["budget"]) == (0, 36_400, pytest.approx(0.01))
    assert found["recovery"][0]["absorption"] == [11.0, 17.0]
    assert {one["set"] for one in found["ledger"]} >= {"invoices", "pdf-jobs"}
    search = next(one for one in found["operations"] if one["slug"] == "search")
    assert (search["intended"], search["ok"], search["bad"]) == (105 * 300, 105 * 300, {})
    assert [one["name"] for one in found["phases"]] == ["warmup", "steady", "fault", "recovered"]


def test_a_folder_with_nothing_in_it_is_no_data(tmp_path: Path) -> None:
    """The same shape, exit 3."""
    found = _result(tmp_path)
    assert (found["verdict"], found["exit"], found["objectives"]) == ("no-data", 3, [])
    assert found["trouble"]


HOSTILE = [
    sample.verdicts(
        objectives=[{"id": 3, "k": -4, "n": "many", "interval": [1], "verdict": "great"}, 7, None]
    ),
    sample.verdicts(recovery=[{"experiment": ["x"], "relapses": ["a", 1.5], "absorption": [None, 2]}]),
    sample.verdicts(validity={"valid": "perhaps", "causes": "none", "misses_generator": -1}),
    sample.verdicts(verdict="splendid", exit=0, ledger=[{"lost": float("nan")}], steadiness=[]),
    sample.verdicts(reason="\ud800\x00", not_driven=[{"id": None}]),
    {"objectives": {"a": 1}, "verdict": None},
]


@pytest.mark.parametrize("document", HOSTILE)
def test_the_shape_stands_whatever_was_written(tmp_path: Path, document: dict[str, Any]) -> None:
    """Wrong types, numbers below zero or that JSON lacks, half a character: the schema holds."""
    folder = sample.build(tmp_path / "run")
    sample.put(folder, "verdicts.json", document)
    found = _result(folder)
    assert found["exit"] != 0 or found["verdict"] == "pass"
    assert (found["exit"] == 0) == (found["verdict"] in ("pass", "measured"))


@pytest.mark.parametrize(
    "change",
    [
        lambda found: found.update(verdict="splendid"),
        lambda found: found.update(exit=0),
        lambda found: found.pop("objectives"),
        lambda found: found["objectives"][0].update(k=-1),
        lambda found: found["objectives"][0].update(interval=[0.1]),
        lambda found: found["objectives"][0].pop("reason"),
        lambda found: found.update(more=1),
        lambda found: found["operations"][0]["bad"].update(timeout=0.5),
    ],
)
def test_the_schema_refuses_what_is_not_a_result(tmp_path: Path, change: Any) -> None:
    """An unknown verdict, an exit that contradicts it, fields that are missing, wrong or too many."""
    found = _result(sample.build(tmp_path / "run"))
    change(found)
    assert not CHECK.is_valid(found)


def test_hundreds_of_objectives_stay_below_the_limit(tmp_path: Path) -> None:
    """The failures come first, what is left out is counted, and the sections after them are still there."""
    folder = sample.build(tmp_path / "run")
    long = {"file": "design.txt", "heading": "Success Metrics", "quote": "It shall be fast. " * 20}
    many = [
        sample.objective(
            f"objective-{i}", "fail" if i % 100 == 7 else "pass", reason="why " * 60, source=long
        )
        for i in range(400)
    ]
    sample.put(folder, "verdicts.json", sample.verdicts(objectives=many))
    text = render(folder)[1].read_text(encoding="utf-8")
    assert len(text.encode()) < MOST_MARKDOWN
    assert all(f"objective-{i}" in text for i in (7, 107, 207, 307))
    assert "more objectives, the last ones of this order" in text
    assert "## How it was run" in text


def test_repeats_and_both_clocks_are_summed_up(tmp_path: Path) -> None:
    """Repeats of a fault: a row each, the median and the longest, and the one that never ended."""
    folder = sample.build(tmp_path / "run")
    (row,) = sample.verdicts()["recovery"]
    times = ([4.0, 9.0], [8.0, 13.0], [6.0, 11.0])
    repeats = [{**row, "after_removal": pair, "budget_share": 0.01} for pair in times]
    lost = {**row, "state": "censored", "budget_share": None}
    sample.put(folder, "verdicts.json", sample.verdicts(recovery=[{**lost, "repeats": [*repeats, lost]}]))
    text = render(folder)[1].read_text(encoding="utf-8")
    assert "median 6 s to 11 s, longest 8 s to 13 s; 1 not known to have ended" in text
    assert "| Share of the 30-day budget, all faults | 3% |" in text
    assert len(_result(folder)["recovery"]) == 4
