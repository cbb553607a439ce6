"""The removal clock, where trouble comes and goes while the fault is there."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slo.kind import kinds
from slo.recovery import LEAD_S, Traffic, analyse
from slo.scope import Scope
from tests.slo.fault_kinds import objective

RATE = 60


def _analysed(*outages, length=500, t_end=1300.0, t0=1000.0):
    """Sixty arrivals a second from 1000 on; in each outage (start, end, bad) some of them fail."""
    bad = np.zeros(length, dtype=np.int64)
    for start, end, count in outages:
        bad[start:end] = count
    valid = np.full(length, RATE, dtype=np.int64)
    traffic = Traffic(start=1000, valid=valid, bad=bad, ok=valid - bad, planned=valid)
    return analyse(traffic, t0=t0, t_end=t_end, horizon=1000.0 + length, budget=0.001, deff=1.0)


@pytest.mark.parametrize(
    ("again", "length", "after"),
    [
        ((200, 400, 30), 500, (99.0, 105.0)),
        ((200, 400, 30), 440, (99.0, None)),
        ((200, 400, 30), 390, (89.0, None)),
        ((200, 250, 60), 500, (0.0, 5.0)),
        ((299, 340, 60), 500, (39.0, 45.0)),
        ((310, 340, 60), 500, (0.0, 5.0)),
    ],
)
def test_a_calm_minute_during_the_fault_is_no_recovery_from_it(again, length, after):
    """Thirty bad seconds, calm, trouble again: if that began before the fault ended, it counts."""
    found = _analysed((0, 30, RATE), again, length=length)
    assert (found.state, found.t2, found.absorption) == ("recovered", 1030.0, (29.0, 35.0))
    assert found.after_removal == after


@given(
    gap=st.integers(70, 120),
    length=st.integers(12, 60),
    share=st.floats(0, 0.99),
    t0=st.floats(1000, 1004),
)
@settings(max_examples=40, deadline=None)
def test_the_true_time_after_removal_lies_in_the_pair(gap, length, share, t0):
    """The fault is removed somewhere in the second outage."""
    begun = 15 + gap
    removed = begun + length * share
    found = _analysed((0, 15, RATE), (begun, begun + length, RATE), t0=t0, t_end=1000.0 + removed)
    low, high = found.after_removal
    assert low <= begun + length - removed <= high
    assert high - low < LEAD_S + 1.001


@pytest.mark.parametrize(
    ("length", "limit", "verdict"),
    [(500, "30s", "fail"), (500, "15m", "pass"), (440, "30s", "fail"), (440, "15m", "inconclusive")],
)
def test_the_verdict_follows_the_last_trouble(failover, length, limit, verdict):
    """A hundred bad seconds after the removal, with and without the calm that ends them."""
    one = objective(
        "recovery",
        f"recovery < {limit}",
        'operations = ["@write"]\nagainst = "errors"\nclock = "removal"',
    )
    seen = _analysed((0, 30, RATE), (200, 400, 30), length=length)
    found = kinds()["recovery"].judge(one, Scope(record=failover, windows=(), recovery=seen))
    assert found.verdict == verdict, found.reason
    assert ("when the record ended" in found.reason) == (length == 440)
