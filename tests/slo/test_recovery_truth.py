"""The recovery estimator where the truth is known: simulated arrivals with an outage of known length."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slo.recovery import LEAD_S, Traffic, analyse

BUDGET = 0.001
BEGAN, LENGTH = 20, 240


def _simulated(seed, rate, outage, *, share=1.0, noise=0.0002, length=LENGTH):
    """Poisson arrivals; a `share` goes wrong in the outage's seconds, a budget's fifth at any time."""
    random = np.random.default_rng(seed)
    valid = random.poisson(rate, size=length)
    chance = np.full(length, noise)
    chance[outage[0] : outage[1]] = share
    bad = random.binomial(valid, chance)
    return Traffic(start=0, valid=valid, bad=bad, ok=valid - bad, planned=valid)


def _analysed(traffic, *, t_end=None, horizon=LENGTH):
    return analyse(traffic, t0=float(BEGAN), t_end=t_end, horizon=horizon, budget=BUDGET, deff=1.0)


@given(seed=st.integers(0, 10**6), rate=st.sampled_from([30, 100, 400]), length=st.integers(11, 90))
@settings(max_examples=30, deadline=None)
def test_the_true_time_lies_in_the_pair(seed, rate, length):
    """A total outage of 11 s and more is timed to within the window on either side."""
    found = _analysed(_simulated(seed, rate, (BEGAN, BEGAN + length), noise=0.0))
    assert found.state == "recovered"
    low, high = found.absorption
    assert low - LEAD_S <= length <= high
    assert found.t1 == BEGAN


@given(seed=st.integers(0, 10**6), length=st.integers(11, 60), share=st.sampled_from([0.1, 0.3]))
@settings(max_examples=20, deadline=None)
def test_a_partial_outage_is_timed_as_well(seed, length, share):
    """With 300 arrivals a second one bad in ten is as plain as all."""
    found = _analysed(_simulated(seed, 300, (BEGAN, BEGAN + length), share=share, noise=0.0))
    assert found.state == "recovered"
    assert found.absorption[0] - LEAD_S <= length <= found.absorption[1]


@given(seed=st.integers(0, 10**6), length=st.integers(11, 60), removed=st.integers(1, 40))
@settings(max_examples=20, deadline=None)
def test_the_clocks_differ_by_the_fault(seed, length, removed):
    """Absorption minus removal is how long the fault lasted, unless all was well before it ended."""
    traffic = _simulated(seed, 100, (BEGAN, BEGAN + length), noise=0.0)
    found = _analysed(traffic, t_end=float(BEGAN + removed))
    assert found.after_removal[0] == pytest.approx(max(found.absorption[0] - removed, 0.0))


@given(seed=st.integers(0, 10**6), length=st.integers(11, 60), after=st.integers(0, 90))
@settings(max_examples=30, deadline=None)
def test_a_record_cut_off_never_claims_more_than_it_saw(seed, length, after):
    """With less than a minute of calm it is censored, and what it vouches for is true."""
    traffic = _simulated(seed, 100, (BEGAN, BEGAN + length), noise=0.0)
    found = _analysed(traffic, horizon=BEGAN + length + after)
    assert found.absorption[0] <= length
    if found.state == "recovered":
        assert after >= 60
        assert found.t2 == pytest.approx(BEGAN + length, abs=LEAD_S)
    else:
        assert found.state == "censored"
        assert after <= 60 + LEAD_S


@given(seed=st.integers(0, 10**6), gap=st.integers(70, 120))
@settings(max_examples=15, deadline=None)
def test_a_second_outage_is_a_relapse(seed, gap):
    """It does not move the recovery, and it is listed once, where it began."""
    traffic = _simulated(seed, 100, (BEGAN, BEGAN + 15), noise=0.0)
    again = BEGAN + 15 + gap
    bad = traffic.bad.copy()
    bad[again : again + 15] = traffic.valid[again : again + 15]
    found = _analysed(
        Traffic(start=0, valid=traffic.valid, bad=bad, ok=traffic.valid - bad, planned=traffic.planned)
    )
    assert found.t2 == pytest.approx(BEGAN + 15, abs=LEAD_S)
    assert [abs(t - again) <= LEAD_S for t in found.relapses] == [True]


def test_healthy_systems_are_left_alone():
    """At a fifth of the budget, over 60 runs: never an impact."""
    calm = [_analysed(_simulated(seed, 300, (0, 0))).state for seed in range(60)]
    assert set(calm) == {"no-impact"}
