"""Bad arrivals that cannot be timed: too few of them, or nothing is known of how they cluster."""

import numpy as np
import pytest

from slo.recovery import Traffic, analyse
from tests.run_folder import Outage
from tests.slo.conftest import judged, of


def _analysed(bad, *, rate, budget=0.001, deff=1.0):
    bad = np.asarray(bad, dtype=np.int64)
    valid = np.full(bad.size, rate, dtype=np.int64)
    traffic = Traffic(start=1000, valid=valid, bad=bad, ok=valid - bad, planned=valid)
    return analyse(traffic, t0=1010.0, t_end=1030.0, horizon=1000.0 + bad.size, budget=budget, deff=deff)


def _line(length, *outages):
    bad = np.zeros(length, dtype=np.int64)
    for start, end, count in outages:
        bad[start:end] = count
    return bad


@pytest.mark.parametrize(
    ("outages", "deff", "state"),
    [
        ([(10, 30, 59)], 600.0, "unsure"),
        ([(10, 30, 59)], 1.0, "recovered"),
        ([(10, 20, 20)], 600.0, "unsure"),
        ([(10, 15, 59)], 600.0, "no-impact"),
        ([(10, 12, 60), (15, 16, 1)], 1.0, "no-impact"),
        ([(10, 15, 59), (15, 16, 1)], 600.0, "no-impact"),
        ([(11, 12, 2), (16, 17, 2)], 1.0, "no-impact"),
        ([(10, 15, 59), (20, 25, 59)], 600.0, "no-impact"),
        ([], 600.0, "no-impact"),
    ],
)
def test_windows_in_a_row_that_look_bad_are_not_no_impact(outages, deff, state):
    """Where the design effect hides them; a single bad window stays one, whatever strays beside it."""
    found = _analysed(_line(200, *outages), rate=60, deff=deff)
    assert found.state == state
    if state == "unsure":
        assert (found.absorption, found.after_removal, found.t1) == (None, None, None)


def test_little_traffic_is_no_excuse():
    """Two of five fail in each window for two minutes: none is sure on its own, all of them are."""
    bad = _line(300)
    bad[10:130:5] = bad[12:130:5] = 1
    assert _analysed(bad, rate=1, budget=0.05).state == "unsure"
    bad[20:] = 0
    assert _analysed(bad, rate=1, budget=0.05).state == "no-impact"


def test_without_a_latency_log_an_outage_is_not_called_no_impact(build):
    """Nine writes in ten fail for 40 s, and nothing shows how arrivals cluster: no pass, nor of the run."""
    folder = build(outages=[Outage(start=142, end=182, groups=("write",), share=0.9)])
    assert of(judged(folder), "failover").verdict == "fail"
    (folder / "latency.hlog").unlink()
    found = judged(folder)
    one = of(found, "failover")
    assert one.verdict == "inconclusive"
    assert "too few or too clustered to time (270 of 300 " in one.reason
    assert "latency.hlog" in found.reason


@pytest.mark.parametrize(("steady", "verdict"), [(15, "inconclusive"), (25, "pass")])
def test_no_impact_takes_a_steady_phase_of_two_blocks(build, steady, verdict):
    """One block shows no difference between trouble and noise."""
    phases = (("warmup", 10, None), ("steady", steady, None), ("fault", 120, "aurora-failover"))
    begun = 10.0 + steady + 2
    one = of(judged(build(phases=phases, seen=(begun, begun + 8))), "failover")
    assert one.verdict == verdict
    assert ("too short to tell impact from noise" in one.reason) == (verdict == "inconclusive")


def test_a_short_steady_phase_hides_no_partial_outage(build):
    """With one block to learn from, half of the writes fail for 20 s: not a pass."""
    phases = (("warmup", 10, None), ("steady", 15, None), ("fault", 120, "aurora-failover"))
    lost = [Outage(start=27, end=47, groups=("write",), share=0.5)]
    one = of(judged(build(phases=phases, seen=(27.0, 35.0), outages=lost)), "failover")
    assert one.verdict == "inconclusive"
