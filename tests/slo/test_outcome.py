"""What no objective says and what keeps a run from passing all the same."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from slo import jsonl, judge, record, verdict
from slo.errors import RecordError
from slo.policy import POLICIES
from slo.verdict import Verdicts
from tests.run_folder import START, Plan, amend, rewrite, write
from tests.slo.conftest import LEXOHUB

Line = dict[str, Any]
Damage = Callable[[Path], None]
FAULT = "aurora-failover"
SECOND = START + 170
TWICE = (
    ("warmup", 5, None),
    ("steady", 125, None),
    ("fault", 20, FAULT),
    ("recovered", 20, FAULT),
    ("fault", 20, FAULT),
    ("recovered", 20, FAULT),
)


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with a fault that was repeated, seen and undone both times; not to be changed."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    rates = {"matter_read": 40, "search": 40}
    write(folder, Plan(phases=TWICE, rates=rates, objectives=("latency-p99", "error-rate"), judge=()))
    rewrite(folder / "events.jsonl", lambda x: None if x["kind"] == "probe" else x)
    probe = {"kind": "probe", "experiment": FAULT, "probe": "identity", "detail": {}}
    for t in (132, 172):
        jsonl.append(folder / "events.jsonl", {"t": START + t, **probe, "edge": "first"})
        jsonl.append(folder / "events.jsonl", {"t": START + t + 6, **probe, "edge": "last"})
    return folder


@pytest.fixture
def folder(healthy: Path, tmp_path: Path) -> Path:
    """A copy of it, to be broken."""
    return Path(shutil.copytree(healthy, tmp_path / "run"))


def _judged(folder: Path) -> Verdicts:
    return judge.judge(record.read(folder), LEXOHUB)


def _events(change: Callable[[Line], Line | None]) -> Damage:
    return lambda folder: rewrite(folder / "events.jsonl", change)


def _is(line: Line, kind: str, repeat: int) -> bool:
    return line["kind"] == kind and (line["t"] >= SECOND) == (repeat == 2)


def _refused(line: Line) -> Line | None:
    if _is(line, "gate", 2):
        return {**line, "holds": False, "reason": "3% of errors"}
    return None if _is(line, "probe", 2) or _is(line, "undo", 2) else line


def test_a_repeated_fault_that_was_seen_and_undone_passes(folder):
    """Else none of what follows would mean anything."""
    found = _judged(folder)
    assert (found.verdict, found.exit) == ("pass", 0), found.reason


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (
            _events(lambda x: None if _is(x, "probe", 1) else x),
            "no probe saw that of aurora-failover (repeat 1 of 2)",
        ),
        (
            _events(lambda x: None if _is(x, "probe", 2) else x),
            "no probe saw that of aurora-failover (repeat 2 of 2)",
        ),
        (
            _events(lambda x: None if _is(x, "undo", 1) else x),
            "nothing shows that the fault of aurora-failover (repeat 1 of 2) was undone",
        ),
        (
            _events(lambda x: None if _is(x, "undo", 2) else x),
            "nothing shows that the fault of aurora-failover (repeat 2 of 2) was undone",
        ),
        (
            _events(lambda x: {**x, "verified": False} if _is(x, "undo", 1) else x),
            "nothing shows that the fault of aurora-failover (repeat 1 of 2) was undone",
        ),
        (_events(_refused), "the fault of aurora-failover (repeat 2 of 2) was not injected: 3% of errors"),
    ],
)
def test_each_repeat_must_be_seen_and_undone(folder, damage, reason):
    """One of two is not both; no objective asks about the fault, and the run does not pass."""
    damage(folder)
    found = _judged(folder)
    assert (found.verdict, found.exit, found.reason) == ("inconclusive", 3, _whole(reason))


def _whole(reason: str) -> str:
    return f"fault not observed: {reason}" if reason.startswith("no probe") else reason


def test_a_repeat_that_never_came_is_not_missed_in_a_run_cut_short(folder):
    """That it was cut short says enough."""
    amend(folder, state="cut-short")
    rewrite(folder / "events.jsonl", lambda x: x if x["t"] <= START + 160 else None)
    rewrite(folder / "counters.jsonl", lambda x: x if x["t"] < START + 160 else None)
    found = _judged(folder)
    assert (found.verdict, found.reason) == ("inconclusive", "the run was cut short")


def test_where_no_fault_is_injected_nothing_need_be_undone(folder):
    """But what was tried in vain to be undone is a doubt."""
    experiments = record.read(folder).manifest.raw["experiments"]
    amend(folder, experiments={k: {**one, "observe": {"probe": "none"}} for k, one in experiments.items()})
    rewrite(folder / "events.jsonl", lambda x: None if x["kind"] == "probe" else x)
    undo = [line for line in jsonl.read(folder / "events.jsonl") if line["kind"] == "undo"]
    rewrite(folder / "events.jsonl", lambda x: None if x["kind"] == "undo" else x)
    assert _judged(folder).exit == 0
    jsonl.append(folder / "events.jsonl", {**undo[0], "verified": False})
    assert "was undone" in _judged(folder).reason


def _workflows(folder: Path, count: int) -> None:
    """One workflow that was asked for, and how often its effect is there."""
    amend(folder, objectives=["latency-p99", "error-rate", "workflow-once"])
    both = {"set": "workflows", "id": "w"}
    acknowledged = {"t_send": START + 50.0, "t_ack": START + 50.5, "outcome": "ok"}
    lines = [
        {"kind": "write", **both, "op": "workflow", "seq": 1, **acknowledged},
        {"kind": "read", **both, "count": count, "state": "done"},
        {"kind": "readback", "set": "workflows", "complete": True, "once": True, "t": START + 300.0},
    ]
    jsonl.append_all(folder / "ledger.jsonl", lines)


@pytest.mark.parametrize("name", [*POLICIES, "lax"])
@pytest.mark.parametrize("cpu", [0.3, 0.99])
def test_a_failure_of_integrity_decides_whoever_else_does(folder, name, cpu):
    """A derived objective only informs, until a write is there twice; a busy generator excuses nothing."""
    amend(folder, policy=name)
    rewrite(folder / "events.jsonl", lambda x: {**x, "cpu": cpu} if x["kind"] == "generator" else x)
    _workflows(folder, 1)
    well = _judged(folder)
    assert [one.decides for one in well.objectives] == [True, True, False]
    assert well.exit == (4 if cpu > 0.9 else 3 if name == "lax" else 0)
    _workflows(folder, 2)
    found = _judged(folder)
    assert [one.decides for one in found.objectives] == [True, True, True]
    assert (found.verdict, found.exit) == ("fail", 1)
    assert "integrity failed, which stands whatever else happened: workflow-once" in found.reason


def test_a_pass_over_a_failure_of_integrity_is_forged(folder):
    """Also where the objective is said to inform only."""
    _workflows(folder, 2)
    path = verdict.write(folder, _judged(folder))
    document = json.loads(path.read_text())
    for one in document["objectives"]:
        one["decides"] = one["id"] != "workflow-once"
    path.write_text(json.dumps({**document, "verdict": "pass", "exit": 0}))
    with pytest.raises(RecordError, match="contradicts"):
        verdict.read(folder)
