"""junit.xml: verdicts as test results."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from reports.render import render
from tests.reports import sample


def _read(folder: Path) -> ET.Element:
    return ET.fromstring(render(folder)[2].read_bytes())


def _outcomes(root: ET.Element) -> dict[str, str]:
    found: dict[str, str] = {}
    for case in root.iter("testcase"):
        kinds = [child for child in case if child.tag != "system-out"]
        name = f"{case.get('classname')}:{case.get('name')}"
        assert name not in found
        found[name] = " ".join([kinds[0].tag, kinds[0].get("type", "")]).strip() if kinds else "passed"
    return found


def test_each_verdict_has_its_kind_of_result(tmp_path: Path) -> None:
    """Only a pass is green."""
    assert _outcomes(_read(sample.build(tmp_path / "run"))) == {
        "lexohub.steady:throughput": "failure fail",
        "lexohub.steady:db-connections": "error invalid",
        "lexohub.steady:error-rate": "error inconclusive",
        "lexohub.steady:cache-hit": "error no-data",
        "lexohub.steady:latency-p99": "passed",
        "lexohub.steady:latency-p50": "passed",
        "lexohub.fault:failover[aurora-failover]": "passed",
        "lexohub.not-driven:backup-recovery": "skipped",
        "lexohub.run:complete, valid and judged": "passed",
    }


def test_counts_agree_with_the_cases(tmp_path: Path) -> None:
    """Per suite and in sum."""
    root = _read(sample.build(tmp_path / "run"))
    assert [root.get(name) for name in ("tests", "failures", "errors", "skipped")] == ["9", "1", "3", "1"]
    steady = next(suite for suite in root if suite.get("name") == "steady")
    assert (steady.get("tests"), steady.get("time")) == ("6", "40.0")
    assert steady.get("timestamp") == "2025-11-21T11:45:10Z"


def test_the_numbers_stand_in_the_body(tmp_path: Path) -> None:
    """Whoever only sees the test report can still judge."""
    root = _read(sample.build(tmp_path / "run"))
    error = root.find(".//testcase[@name='error-rate']/error")
    assert error is not None
    assert error.get("message") == "The reason of error-rate"
    assert error.text is not None
    assert "counted: 31 of 52,801 worth 44,900 independent ones" in error.text
    assert "still needed: 11 min 30 s" in error.text


def test_an_objective_that_only_informs_turns_nothing_red(tmp_path: Path) -> None:
    """As in the run's own verdict."""
    folder = sample.build(tmp_path / "run")
    informing = sample.objective("redis", "fail", decides=False)
    sample.put(folder, "verdicts.json", sample.verdicts(objectives=[informing], verdict="pass"))
    assert _outcomes(_read(folder))["lexohub.steady:redis"] == "skipped"


def test_names_stay_unique(tmp_path: Path) -> None:
    """An objective judged twice in a phase is two cases."""
    folder = sample.build(tmp_path / "run")
    sample.put(folder, "verdicts.json", sample.verdicts(objectives=[sample.objective("twin", "pass")] * 2))
    assert {"lexohub.steady:twin", "lexohub.steady:twin #2"} <= set(_outcomes(_read(folder)))


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"verdict": "pass", "objectives": [sample.objective("one", "pass")]}, "passed"),
        ({"verdict": "inconclusive", "objectives": [sample.objective("one", "pass")]}, "error inconclusive"),
        ({"verdict": "fail", "objectives": []}, "failure fail"),
        ({"validity": {"valid": False, "causes": ["late"]}, "verdict": "invalid"}, "error invalid"),
        ({"state": "cut-short"}, "error cut-short"),
    ],
)
def test_no_file_is_greener_than_its_run(tmp_path: Path, fields: dict[str, object], expected: str) -> None:
    """The run's own case is red when no objective explains why the run did not pass."""
    folder = sample.build(tmp_path / "run")
    sample.put(folder, "verdicts.json", sample.verdicts(**fields))
    assert _outcomes(_read(folder))["lexohub.run:complete, valid and judged"] == expected


def test_an_unjudged_run_is_an_error(tmp_path: Path) -> None:
    """Also when the folder is empty."""
    assert _outcomes(_read(tmp_path)) == {"unknown.run:complete, valid and judged": "error no-data"}


def test_control_characters_do_not_break_the_document(tmp_path: Path) -> None:
    """XML cannot carry them, so they are replaced."""
    folder = sample.build(tmp_path / "run")
    bad = sample.objective("one", "fail", reason="\x00\x1b]]> <b> \ud800 \uffff", source={"quote": "\x08"})
    (folder / "verdicts.json").write_text(json.dumps(sample.verdicts(objectives=[bad])))
    failure = _read(folder).find(".//failure")
    assert failure is not None
    assert "]]> <b>" in (failure.get("message") or "")
