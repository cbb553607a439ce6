from itertools import groupby

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slo import statistics
from slo.recovery import Traffic, analyse

RATE = 60
BUDGET = 0.001


def _traffic(bad, *, rate=RATE, planned=None):
    bad = np.asarray(bad, dtype=np.int64)
    valid = np.full(bad.size, rate, dtype=np.int64)
    plan = valid if planned is None else np.asarray(planned, dtype=np.int64)
    return Traffic(start=1000, valid=valid, bad=bad, ok=valid - bad, planned=plan)


def _line(length, *outages):
    bad = np.zeros(length, dtype=np.int64)
    for start, end, count in outages:
        bad[start:end] = count
    return bad


def _run(bad, *, t0=1010.0, t_end=1015.0, deff=1.0, scale=1.0, **kw):
    traffic = _traffic(bad, **kw)
    return analyse(
        traffic, t0=t0, t_end=t_end, horizon=1000.0 + len(bad), budget=BUDGET, deff=deff, scale=scale
    )


@pytest.mark.parametrize(
    ("outages", "state", "t1", "t2"),
    [
        ([], "no-impact", None, None),
        ([(10, 22, 60)], "recovered", 1010.0, 1022.0),
        ([(10, 12, 60)], "no-impact", None, None),
        ([(10, 16, 60)], "recovered", 1010.0, 1016.0),
        ([(14, 16, 60)], "recovered", 1010.0, 1016.0),
        ([(30, 50, 20)], "recovered", 1030.0, 1050.0),
        ([(10, 20, 60), (40, 41, 2)], "recovered", 1010.0, 1020.0),
        ([(10, 20, 60), (40, 41, 9)], "recovered", 1010.0, 1041.0),
        ([(10, 200, 60)], "censored", 1010.0, None),
        ([(10, 150, 60)], "censored", 1010.0, None),
    ],
)
def test_when_trouble_began_and_ended(outages, state, t1, t2):
    """Two consecutive windows begin it; sixty good seconds after end it."""
    found = _run(_line(200, *outages))
    assert (found.state, found.t1, found.t2) == (state, t1, t2)


def test_a_record_cut_off_after_the_fault_shows_no_absence_of_impact():
    """Six seconds of total outage in a record that ends two seconds later are not "no impact"."""
    cut = _run(_line(18, (10, 16, 60)), t_end=1016.0)
    assert (cut.state, cut.t1) == ("censored", None)
    whole = _run(_line(200), t_end=1016.0)
    assert whole.state == "no-impact"
    assert _run(_line(76), t_end=1016.0).state == "censored"
    assert _run(_line(77), t_end=1016.0).state == "no-impact"


def test_an_outage_too_short_for_an_impact_still_says_what_it_cost():
    """Two seconds in which all fails are not two bad windows, and yet 120 bad arrivals."""
    found = _run(_line(200, (10, 12, 60)), t_end=1016.0)
    assert (found.state, found.bad) == ("no-impact", 120)


def test_both_clocks_carry_the_width_of_a_window():
    """From the first effect and from the last; of the second in which it ended nobody knows more."""
    found = _run(_line(200, (10, 22, 60)))
    assert found.absorption == (11.0, 17.0)
    assert found.after_removal == (6.0, 12.0)
    assert _run(_line(200, (10, 13, 60), (13, 22, 60)), t_end=None).after_removal is None
    assert _run(_line(200, (10, 22, 60)), t_end=1030.0).after_removal == (0.0, 5.0)


def test_a_record_that_ends_first_vouches_for_what_it_saw():
    """Out until second 150 of 200: sixty seconds of calm were not seen, but 139 s of trouble were."""
    found = _run(_line(200, (10, 150, 60)))
    assert found.absorption[0] == 139.0
    assert found.t2 is None
    assert _run(_line(200, (10, 200, 60))).absorption[0] == 189.0


def test_later_breaches_are_relapses():
    """Listed by their beginning, each once."""
    found = _run(_line(300, (10, 20, 60), (100, 120, 60), (200, 210, 60)))
    assert found.t2 == 1020.0
    assert found.relapses == (1100.0, 1200.0)


def test_single_bad_windows_do_not_cry_wolf():
    """At 80% of the budget a healthy system has a bad window now and then; almost never two in a row."""
    random = np.random.default_rng(2)
    begun = sum(
        _run(random.binomial(300, 0.0008, size=600), rate=300, t_end=None).state != "no-impact"
        for _ in range(60)
    )
    assert begun <= 3


def test_clustering_raises_the_bar():
    """Three bad of 300 are surely too many, unless arrivals stick together."""
    bad = _line(200, (10, 11, 4), (15, 16, 4))
    assert _run(bad).t1 == 1010.0
    assert _run(bad, deff=8.0).t1 is None


def test_nothing_completed_is_trouble_however_few_arrivals():
    """One arrival a second, all lost: no bound is needed."""
    assert _run(_line(200, (10, 22, 1)), rate=1).state == "recovered"
    assert _run(_line(200, (10, 22, 1)), rate=1).t2 == 1022.0


def test_missing_follow_ups_delay_recovery():
    """Steps that never came to be are not errors, but the system is not well without them."""
    bad = _line(200, (10, 20, 60))
    planned = np.full(200, RATE)
    planned[20:30] = 2 * RATE
    assert _run(bad, planned=planned).t2 == 1030.0


def test_a_declared_time_scale_shortens_the_windows():
    """At half scale thirty seconds of calm are enough."""
    bad = _line(60, (10, 22, 60))
    assert _run(bad).state == "censored"
    assert _run(bad, scale=0.5).t2 == 1022.0


@given(bad=st.lists(st.sampled_from([0, 0, 0, 0, 1, 30, 60]), min_size=90, max_size=160), data=st.data())
@settings(max_examples=80, deadline=None)
def test_against_brute_force(bad, data):
    """The rules as sentences, second by second."""
    t0 = 1000 + data.draw(st.integers(0, 40))
    found = _run(bad, t0=float(t0), t_end=None)
    n, first = len(bad), t0 - 1000
    starts = list(range(first, n - 4, 5))

    def wrong(s):
        k = sum(bad[s : s + 5])
        lost = k == 5 * RATE
        return lost or (k > 0 and statistics.lower(k, 5 * RATE, 0.05 / len(starts)) > BUDGET)

    def good(start, end):
        k, valid = sum(bad[start:end]), RATE * (end - start)
        return k <= BUDGET * valid and valid - k >= 0.95 * valid

    def bad_in(s):
        return sum(bad[s : s + 5])

    t1 = next((s for s in starts[:-1] if wrong(s) and wrong(s + 5)), None)
    if t1 is None:
        rows = [list(row) for above, row in groupby(starts, lambda s: bad_in(s) > BUDGET * 5 * RATE) if above]
        rests = [sorted(map(bad_in, row))[:-1] for row in rows if len(row) > 1]
        sure = [statistics.lower(sum(r), 5 * RATE * len(r), 0.05 / len(starts)) > BUDGET for r in rests]
        assert found.state == ("unsure" if any(sure) else "no-impact" if n - first > 60 else "censored")
        return
    assert found.t1 == 1000 + t1
    sure = [s for s in range(t1, n - 59) if good(s, s + 60) and good(s, s + 5)]
    if found.state == "recovered":
        assert found.t2 == 1000 + sure[0]
    else:
        lower = found.absorption[0]
        assert not [s for s in sure if s < first + lower]
