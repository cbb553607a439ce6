"""Two runs side by side."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slo import compare, fingerprint, record, verdict
from slo.compare import BETTER, SAME, UNKNOWN, WORSE, Estimate
from slo.manifest import Manifest
from slo.verdict import Verdicts
from tests.run_folder import Outage, amend
from tests.slo.conftest import judged, of

SHORT = (("warmup", 10, None), ("steady", 130, None))
STEADY = ("latency-p50", "latency-p99", "error-rate", "search-rate")
widths = st.floats(0, 1e2)


def _run(build, **fields) -> tuple[Manifest, Verdicts]:
    folder = build(
        **{"phases": SHORT, "objectives": STEADY, "judge": (), "probe": "none", "seen": None, **fields}
    )
    found = record.read(folder)
    return found.manifest, judged(found)


@pytest.fixture(scope="module")
def usual(build) -> tuple[Manifest, Verdicts]:
    """A healthy night."""
    return _run(build)


def test_two_widths_add_up_by_pythagoras():
    """3 and 4 give 5, around the difference."""
    before, after = (Estimate(value=v, low=v - r, high=v + r) for v, r in ((10.0, 3.0), (12.0, 4.0)))
    assert compare.difference(before, after) == pytest.approx((-3.0, 7.0))


@given(st.tuples(st.floats(0, 1e3), widths, widths), st.tuples(st.floats(0, 1e3), widths, widths))
def test_a_difference_turns_its_sign_with_its_runs(first, second):
    """Each way round is the other's mirror image, and holds what was measured."""
    (a, _, _), (b, _, _) = first, second
    one, two = (Estimate(value=v, low=v - below, high=v + above) for v, below, above in (first, second))
    low, high = compare.difference(one, two)
    assert compare.difference(two, one) == pytest.approx((-high, -low))
    assert low - 1e-9 <= b - a <= high + 1e-9


def test_another_seed_of_the_same_night_is_no_difference(build, usual):
    """Two healthy nights are comparable, and nothing is called better or worse."""
    found = compare.compare(usual, _run(build, seed=2))
    assert found.obstacles == ()
    assert {one.name: one.verdict for one in found.changes} == dict.fromkeys(STEADY, SAME)
    assert found.exit == 0


@pytest.mark.parametrize(("median", "expected", "code"), [(0.012, WORSE, 1), (0.006, BETTER, 0)])
def test_half_as_slow_again_is_seen(build, usual, median, expected, code):
    """A median that moves by 50% is beyond doubt, in the direction it moved."""
    found = compare.compare(usual, _run(build, median=median))
    p50 = next(one for one in found.changes if one.name == "latency-p50")
    assert (p50.verdict, found.exit) == (expected, code)
    assert p50.relative == pytest.approx(median / 0.008 - 1, abs=0.05)


def test_errors_that_came_are_worse(build, usual):
    """One per cent of errors against none."""
    sick = _run(build, outages=[Outage(start=10, end=140, share=0.01)])
    found = {one.name: one.verdict for one in compare.compare(usual, sick).changes}
    assert found["error-rate"] == WORSE
    assert found["latency-p50"] == SAME


def test_what_cannot_be_compared_says_so(build, usual):
    """Another objective, another expression, a run that was cut short or is invalid."""
    manifest, verdicts = usual
    asked = replace(of(verdicts, "error-rate"), expr="rate < 1%")
    other = replace(verdicts, objectives=(asked, *(v for v in verdicts.objectives if v.id == "latency-p50")))
    found = {one.name: one for one in compare.compare(usual, (manifest, other)).changes}
    assert found["error-rate"].verdict == found["latency-p99"].verdict == UNKNOWN
    assert "was rate < 0.1%" in found["error-rate"].reason
    assert found["latency-p99"].reason.startswith("judged in")
    broken = replace(verdicts, state="cut-short", verdict="invalid", reason="late")
    assert len(compare.compare(usual, (manifest, broken)).obstacles) == 2
    assert compare.compare(usual, (manifest, broken)).exit == 3


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"plan": "other"}, "plan"),
        ({"workers": 2}, "workers"),
        ({"versions": {"cores": "64"}}, "machine.cores"),
        ({"environment": {"name": "local-async"}}, "environment.name"),
        ({"load": {"rate": 450.0}}, "load.rate"),
    ],
)
def test_another_place_or_load_is_another_fingerprint(folder, fields, named):
    """What differs is named; the seed and the commit are nobody's business."""
    before = record.read(folder).manifest
    amend(folder, **{**fields, "git": {"commit": "other"}})
    after = record.read(folder).manifest
    assert any(one.startswith(named) for one in fingerprint.differences(before, after))
    assert fingerprint.of(before) != fingerprint.of(after)


def test_seed_and_commit_leave_the_fingerprint_alone(folder):
    """Two nights differ in both."""
    before = record.read(folder).manifest
    amend(folder, seed=99, git={"commit": "other"}, load={**before.load, "seed": 99})
    assert fingerprint.of(before) == fingerprint.of(record.read(folder).manifest)


def test_bounds_survive_the_file(folder, usual):
    """What verdicts.json says of the bounds is what was judged; files without them still read."""
    verdict.write(folder, usual[1])
    assert of(verdict.read(folder), "latency-p99").between == of(usual[1], "latency-p99").between
    document = json.loads((folder / verdict.FILE).read_text())
    for one in document["objectives"]:
        del one["between"]
    (folder / verdict.FILE).write_text(json.dumps(document))
    assert of(verdict.read(folder), "latency-p99").between is None
