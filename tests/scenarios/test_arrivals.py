import itertools
import math
from collections import Counter

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from scenarios.load import arrivals, shapes
from scenarios.load.profile import Profile

RATES = st.floats(min_value=0.1, max_value=2000)


@pytest.mark.parametrize(
    ("profile", "elapsed", "due"),
    [
        (shapes.constant(10), -0.1, 0),
        (shapes.constant(10), 0.0, 1),
        (shapes.constant(10), 0.05, 1),
        (shapes.constant(8), 1.0, 9),
        (shapes.ramp(10, over_s=10), 1.0, 1),
        (shapes.ramp(10, over_s=10), 2.0, 3),
        (shapes.ramp(10, over_s=10), 10.0, 51),
        (shapes.ramp(10, over_s=10), 11.0, 61),
        (shapes.ramp(10, over_s=0), 1.0, 11),
        (Profile(points=((0, 4), (5, 4), (5, 8))), 5.0, 21),
        (Profile(points=((0, 4), (5, 4), (5, 8))), 6.0, 29),
    ],
)
def test_due(profile, elapsed, due):
    """How many arrivals have started, for level, rising and stepped load."""
    assert arrivals.due(profile, elapsed) == due


@pytest.mark.parametrize(
    ("points", "says"),
    [
        ((), "starts at 0"),
        (((1.0, 5.0),), "starts at 0"),
        (((0.0, 5.0), (2.0, 5.0), (1.0, 5.0)), "must grow"),
        (((0.0, 0.0), (1.0, 0.0)), "above 0 somewhere"),
        (((0.0, -1.0), (1.0, 5.0)), "not negative"),
        (((0.0, math.inf),), "finite"),
    ],
)
def test_meaningless_profiles_are_refused(points, says):
    """A curve no arrival could follow is refused with the reason."""
    with pytest.raises(ValueError, match=says):
        Profile(points=points)


@given(rate=RATES, over=st.floats(min_value=0, max_value=60), count=st.floats(min_value=0, max_value=1e5))
@example(rate=1.0, over=4.0, count=5e-324)
def test_moment_inverts_expected(rate, over, count):
    """By the moment of n arrivals n are expected."""
    profile = shapes.ramp(rate, over_s=over)
    assert profile.expected(profile.moment(count)) == pytest.approx(count, rel=1e-6, abs=1e-6)


@given(rate=st.floats(min_value=0.5, max_value=300), over=st.floats(min_value=0, max_value=5))
@example(rate=96.0, over=1e-306)
def test_starts_are_ordered_and_complete(rate, over):
    """Arrivals start in order, before the end, and as many as are expected by then."""
    profile = shapes.ramp(rate, over_s=over)
    moments = list(arrivals.starts(profile, until=8.0))
    assert moments == sorted(moments)
    assert all(0 <= moment < 8.0 for moment in moments)
    assert len(moments) == pytest.approx(profile.expected(8.0), abs=1.01)


def test_constant_arrivals_do_not_drift():
    """The millionth arrival is where the schedule puts it, however small the steps were."""
    assert shapes.constant(300).moment(999_999) == pytest.approx(999_999 / 300, abs=1e-6)


def test_poisson_is_seeded_and_poisson():
    """The same seed gives the same moments; counts per second vary as much as they are large."""
    profile = shapes.constant(50)
    first = list(arrivals.starts(profile, until=400, poisson_seed=3))
    assert first == list(arrivals.starts(profile, until=400, poisson_seed=3))
    assert first != list(arrivals.starts(profile, until=400, poisson_seed=4))
    per_second = Counter(int(moment) for moment in first)
    mean = sum(per_second.values()) / 400
    spread = sum((per_second[second] - mean) ** 2 for second in range(400)) / 400
    assert mean == pytest.approx(50, rel=0.03)
    assert spread == pytest.approx(50, rel=0.25)


def test_mean_operations():
    """Flows weigh in by how often they arrive."""
    assert arrivals.mean_operations({"a": 3, "b": 1}, {"a": ["x"], "b": ["x", "y", "y"]}) == 1.5


@given(
    weights=st.dictionaries(st.sampled_from("abcdef"), st.integers(min_value=1, max_value=90), min_size=1),
    seed=st.integers(min_value=0, max_value=9),
)
def test_choices_keep_shares(weights, seed):
    """Over whole windows every flow has its share, to one arrival."""
    picked = Counter(itertools.islice(arrivals.choices(weights, seed=seed), 640))
    for name, weight in weights.items():
        assert abs(picked[name] - 640 * weight / sum(weights.values())) <= len(weights)


def test_rare_flows_are_evenly_spread():
    """A flow of one in a hundred never waits for much more than a hundred arrivals."""
    names = list(itertools.islice(arrivals.choices({"often": 99, "rare": 1}, seed=1), 10_000))
    at = [index for index, name in enumerate(names) if name == "rare"]
    assert len(at) == 100
    assert max(after - before for before, after in itertools.pairwise(at)) < 100 + 2 * 64


def test_choices_are_seeded():
    """The same seed gives the same order, another seed another one."""
    weights = {"a": 1, "b": 2, "c": 0}
    orders = [tuple(itertools.islice(arrivals.choices(weights, seed=seed), 50)) for seed in (1, 1, 2)]
    assert orders[0] == orders[1] != orders[2]
    assert "c" not in orders[0]


def test_no_flow_no_choice():
    """A mix without any weight is refused."""
    with pytest.raises(ValueError, match="no flow has a weight"):
        next(arrivals.choices({"a": 0}, seed=1))
