import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenarios.load import arrivals, shapes
from scenarios.load.arrivals import Stripe
from scenarios.load.profile import Profile

RATES = st.floats(min_value=1, max_value=300)
TIMES = st.floats(min_value=0.1, max_value=5)
SHAPES = st.one_of(
    st.builds(shapes.constant, RATES),
    st.builds(shapes.ramp, RATES, over_s=TIMES, start=RATES),
    st.builds(shapes.steps, RATES, RATES, count=st.integers(2, 5), each_s=TIMES),
    st.builds(shapes.spike, RATES, RATES, at_s=TIMES, hold_s=TIMES, rise_s=TIMES),
    st.builds(shapes.recorded, st.lists(RATES, min_size=1, max_size=6), every_s=TIMES),
)
PROFILES = st.recursive(
    SHAPES,
    lambda some: st.one_of(
        st.builds(Profile.plus, some, some),
        st.builds(Profile.scaled, some, st.floats(min_value=0.2, max_value=3)),
        st.builds(lambda a, b, at: a.then(b, at=at), some, some, TIMES),
    ),
    max_leaves=4,
)


@pytest.mark.parametrize(
    ("profile", "rates"),
    [
        (shapes.constant(10), {0: 10, 100: 10}),
        (shapes.ramp(10, over_s=4, start=2), {0: 2, 2: 6, 4: 10, 9: 10}),
        (shapes.steps(10, 30, count=3, each_s=5), {0: 10, 4.9: 10, 5: 20, 10: 30, 99: 30}),
        (shapes.spike(10, 50, at_s=2, hold_s=1), {0: 10, 1.9: 10, 2: 50, 2.9: 50, 3: 10}),
        (shapes.spike(10, 50, at_s=2, hold_s=1, rise_s=2), {2: 10, 3: 30, 4: 50, 5: 50, 6: 30, 7: 10}),
        (shapes.curve([[0, 0], [2, 8], [4, 0]]), {1: 4, 2: 8, 3: 4, 9: 0}),
        (shapes.recorded([5, 0, 7], every_s=2), {0: 5, 2: 0, 3.9: 0, 4: 7, 6: 0}),
        (shapes.constant(4).plus(shapes.spike(0, 6, at_s=1, hold_s=1)), {0: 4, 1: 10, 2: 4}),
        (shapes.ramp(8, over_s=2).then(shapes.constant(3), at=1), {0.5: 2, 1: 3, 9: 3}),
        (shapes.ramp(8, over_s=2).scaled(0.5), {1: 2, 2: 4}),
    ],
)
def test_rates(profile, rates):
    """Each shape has the rate it says at each moment."""
    assert {at: profile.rate(at) for at in rates} == pytest.approx(rates)


def test_stages_follow_one_another():
    """A ramp starts where the stage before it ended; without stages there is the rate after its ramp."""
    stages = [
        {"kind": "ramp", "to": 20, "for_s": 2.0},
        {"kind": "ramp", "to": 10, "for_s": 1.0},
        {"kind": "spike", "rate": 10, "peak": 40, "for_s": 3.0, "hold_s": 1.0},
        {"kind": "steps", "from": 10, "to": 30, "steps": 3, "for_s": 3.0},
        {"kind": "curve", "points": [[0, 5], [2, 7]], "scale": 2.0, "for_s": 2.0},
    ]
    found = shapes.profile(stages, rate=0.0)
    at = {1: 10, 2.5: 15, 3.5: 10, 4.5: 40, 5.5: 10, 6.5: 10, 7.5: 20, 8.5: 30, 10: 12, 99: 14}
    assert {each: found.rate(each) for each in at} == pytest.approx(at)
    assert shapes.profile([], rate=8, ramp_s=2).rate(1) == 4


@given(profile=PROFILES, at=st.lists(st.floats(min_value=0, max_value=20), min_size=2, max_size=6))
def test_expected_grows_and_is_the_area_under_the_rate(profile, at):
    """What is expected never shrinks, and between two moments it is the rate times the time."""
    for before, after in itertools.pairwise(sorted(at)):
        expected = profile.expected(after) - profile.expected(before)
        assert expected >= -1e-9
        inside = sorted({before, after, *(time for time, _ in profile.points if before < time < after)})
        area = sum((b - a) * profile.rate((a + b) / 2) for a, b in itertools.pairwise(inside))
        assert expected == pytest.approx(area, rel=1e-6, abs=1e-6)


@given(profile=PROFILES, count=st.floats(min_value=0, max_value=3000))
def test_moment_and_expected_are_inverse(profile, count):
    """By the moment of a count that many are expected; a count that never comes has no moment."""
    moment = profile.moment(count)
    if math.isinf(moment):
        assert count > profile.expected(1e9) - 1e-6
    else:
        assert profile.expected(moment) == pytest.approx(count, rel=1e-6, abs=1e-5)


@given(profile=PROFILES, until=st.floats(min_value=0.5, max_value=8))
def test_starts_count_what_is_expected(profile, until):
    """Arrivals come in order, inside the time, and as many as the area under the curve."""
    moments = list(arrivals.starts(profile, until=until))
    assert moments == sorted(moments)
    assert all(0 <= moment < until for moment in moments)
    assert len(moments) == pytest.approx(profile.expected(until), abs=1.01)


@given(profile=PROFILES, seed=st.none() | st.integers(0, 5), workers=st.integers(1, 5))
def test_stripes_partition_a_schedule(profile, seed, workers):
    """However many workers: together they perform every arrival once, and none has two more than another."""
    whole = list(arrivals.starts(profile, until=4, poisson_seed=seed))
    shares = [
        list(Stripe(index=index, of=workers).take(arrivals.starts(profile, until=4, poisson_seed=seed)))
        for index in range(workers)
    ]
    assert sorted(moment for share in shares for moment in share) == whole
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


@pytest.mark.parametrize(
    "profile", [shapes.ramp(200, over_s=50), shapes.spike(20, 300, at_s=10, hold_s=5), shapes.constant(80)]
)
def test_poisson_counts_have_their_mean_and_variance(profile):
    """Counts in windows of equal expectation vary as much as they are large, whatever the shape."""
    windows = 200
    edges = [profile.moment(20.0 * number) for number in range(windows + 1)]
    moments = list(arrivals.starts(profile, until=edges[-1], poisson_seed=11))
    counts = [0] * windows
    for moment in moments:
        counts[min(windows - 1, int(profile.expected(moment) / 20))] += 1
    mean = sum(counts) / windows
    assert mean == pytest.approx(20, rel=0.06)
    assert sum((count - mean) ** 2 for count in counts) / windows == pytest.approx(20, rel=0.3)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: shapes.steps(1, 2, count=1, each_s=1), "at least 2"),
        (lambda: shapes.spike(1, 2, at_s=-1, hold_s=1), "0 s or later"),
        (lambda: shapes.recorded([1], every_s=0), "more than 0 s"),
        (lambda: shapes.recorded([], every_s=1), "above 0 somewhere"),
        (lambda: shapes.constant(1).then(shapes.constant(2), at=0), "a time above 0"),
    ],
)
def test_shapes_that_cannot_be_meant(make, says):
    """What no load could follow is refused with the reason."""
    with pytest.raises(ValueError, match=says):
        make()
