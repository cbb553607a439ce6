"""Who decides under which policy, and that none of them turns anything but a pass into exit 0."""

import shutil
from dataclasses import replace

import pytest

from slo import baseline, fingerprint, jsonl, objective, policy, record
from slo.baseline import Baseline, Nights
from slo.judge import judge
from slo.policy import POLICIES
from tests.run_folder import START, Plan, amend, rewrite, write
from tests.slo.conftest import LEXOHUB

TEXT = """[[objective]]
id = "{id}"
sli = "{sli}"
phase = "{phase}"
{more}
expr = "{expr}"
basis = "{basis}"
note = "n"
source = {{ file = "f", heading = "h", quote = "q" }}
"""
API = 'operations = ["@api"]'
DOCUMENTED = TEXT.format(
    id="p99", sli="latency", phase="steady", more=API, expr="p(99) < 500ms", basis="documented"
)
DERIVED = TEXT.format(
    id="p50", sli="latency", phase="steady", more=API, expr="p(50) < 100ms", basis="derived"
)
BLOCKS = DERIVED.replace("derived", 'derived"\nblocks = true\nneeds = "x').replace("p50", "blocking")
AGAINST = TEXT.format(
    id="nights", sli="latency", phase="steady", more=API, expr="p(99) baseline <= +10%", basis="baseline"
)
PHASES = (
    ("warmup", 5, None),
    ("steady", 125, None),
    ("fault", 20, "aurora-failover"),
    ("recovered", 10, None),
)
ALL = tuple(POLICIES)
DECIDING = [name for name in ALL if name != policy.MEASURE]


@pytest.mark.parametrize(
    ("name", "deciding"),
    [
        ("local", {"p99", "blocking"}),
        ("nightly", {"p99", "blocking", "nights"}),
        ("release", {"p99", "blocking", "nights"}),
        ("measure", {"p99", "blocking"}),
        ("lax", {"p99", "blocking", "nights"}),
        ("", {"p99", "blocking", "nights"}),
    ],
)
def test_who_decides(name, deciding):
    """Documented figures and what blocks always, baselines at night and before a release."""
    rules = policy.of(name)
    asked = objective.loads(DOCUMENTED + DERIVED.replace("100ms", "90ms") + BLOCKS + AGAINST, "x")
    assert {one.id for one in asked if rules.decides(one)} == deciding


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A small run with a fault that a probe saw, not to be changed."""
    plan = Plan(
        phases=PHASES, rates={"matter_read": 40, "invoice_create": 40}, seen=(132.0, 140.0), ledger=False
    )
    return write(tmp_path_factory.mktemp("runs") / "run", plan)


@pytest.fixture
def folder(small, tmp_path):
    """A copy of it."""
    return shutil.copytree(small, tmp_path / "run")


def _exit(folder, name, text, **fields):
    asked = objective.loads(text, "x")
    amend(folder, policy=name, objectives=[one.id for one in asked], experiments={}, least_passes=1, **fields)
    return judge(record.read(folder), asked)


def _phases(folder):
    amend(folder, phases=[{"name": name, "for_s": length, "experiment": None} for name, length, _ in PHASES])
    rewrite(folder / "events.jsonl", lambda x: {**x, "experiment": None} if x["kind"] == "phase" else x)


@pytest.mark.parametrize("name", DECIDING)
def test_a_good_run_passes_under_each(folder, name):
    """Documented figures that hold."""
    _phases(folder)
    found = _exit(folder, name, DOCUMENTED)
    assert (found.verdict, found.exit) == ("pass", 0), found.reason


def _no_data(folder):
    rewrite(folder / "counters.jsonl", lambda x: {**x, "slower": {}})


def _invalid(folder):
    rewrite(folder / "events.jsonl", lambda x: {**x, "cpu": 0.99} if x["kind"] == "generator" else x)


def _unseen(folder):
    found = record.read(folder).manifest.raw["experiments"]
    amend(folder, experiments=found)


def _cut(folder):
    amend(folder, state="cut-short")


def _few(folder):
    rewrite(folder / "counters.jsonl", lambda x: x if x["t"] < START + 60 else None)


@pytest.mark.parametrize("name", [*ALL, "lax", ""])
@pytest.mark.parametrize("damage", [_no_data, _invalid, _cut, _few])
def test_none_makes_a_pass_of_anything_else(folder, name, damage):
    """No data, a void run, one cut short, too few samples: exit 0 under no policy."""
    _phases(folder)
    damage(folder)
    assert _exit(folder, name, DOCUMENTED).exit in (3, 4)


@pytest.mark.parametrize("name", [*ALL, "lax", ""])
def test_none_passes_a_fault_that_nobody_saw(folder, name):
    """Not even where no objective asks about it."""
    rewrite(folder / "events.jsonl", lambda x: None if x["kind"] == "probe" else x)
    asked = objective.loads(DOCUMENTED, "x")
    experiments = record.read(folder).manifest.raw["experiments"]
    experiments = {key: {**one, "judge": []} for key, one in experiments.items()}
    amend(folder, policy=name, objectives=["p99"], experiments=experiments)
    found = judge(record.read(folder), asked)
    assert (found.verdict, found.exit) == ("inconclusive", 3)
    assert "fault not observed: no probe saw that of aurora-failover" in found.reason


def test_a_gate_that_held_the_fault_back_keeps_the_run_from_passing(folder):
    """What was never injected was never survived."""
    rewrite(folder / "events.jsonl", lambda x: None if x["kind"] in ("probe", "gate") else x)
    gate = {"t": START + 140, "kind": "gate", "experiment": "aurora-failover", "holds": False, "reason": "3%"}
    jsonl.append(folder / "events.jsonl", gate)
    experiments = record.read(folder).manifest.raw["experiments"]
    amend(
        folder,
        objectives=["latency-p99"],
        experiments={k: {**e, "judge": []} for k, e in experiments.items()},
    )
    found = judge(record.read(folder), LEXOHUB)
    assert "the fault of aurora-failover was not injected: 3%" in found.reason
    assert found.exit == 3


def test_a_release_asks_for_a_documented_pass(folder):
    """Derived objectives that block are not enough; at night they are."""
    _phases(folder)
    assert _exit(folder, "nightly", BLOCKS).exit == 0
    found = _exit(folder, "release", BLOCKS)
    assert found.exit == 3
    assert "no documented objective passed, and a release asks for 1" in found.reason


def test_a_release_may_not_be_beyond_a_warning(folder):
    """Shown at night, in the way of a release."""
    _phases(folder)
    warned = DOCUMENTED.replace("note", 'warn = "p(99) < 1ms"\nnote')
    assert _exit(folder, "nightly", warned).exit == 0
    found = _exit(folder, "release", warned)
    assert found.exit == 3
    assert "beyond their warnings, which a release may not be: p99" in found.reason


def test_a_regression_fails_the_night_and_informs_at_home(folder):
    """Its own verdict is the same; what it decides is the policy's. The run is no night for others."""
    _phases(folder)
    parts = fingerprint.parts(record.read(folder).manifest)
    runs, values = tuple("abcde"), (0.001,) * 5
    known = Baseline(parts=parts, objectives={"nights": Nights(unit="s", runs=runs, values=values)})
    for name, code in (("local", 0), ("nightly", 1), ("release", 1)):
        baseline.write(folder, replace(known, parts=parts))
        found = _exit(folder, name, DOCUMENTED + AGAINST)
        assert {one.id: one.verdict for one in found.objectives} == {"p99": "pass", "nights": "fail"}
        assert (found.exit, found.sound) == (code, False)
