"""The statistics of verdicts against scipy's, and against sums that leave nothing out."""

from functools import cache
from itertools import product
from math import comb, isclose, sqrt

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from scipy import special, stats

from slo import baseline, statistics

FIXED = settings(derandomize=True, deadline=None, max_examples=25)
FEW = settings(derandomize=True, deadline=None, max_examples=8)


@FIXED
@given(
    a=st.floats(0.5, 1e7, allow_subnormal=False),
    b=st.floats(0.5, 1e7, allow_subnormal=False),
    u=st.floats(1e-12, 1 - 1e-12),
)
@example(a=1.0, b=30_000.0, u=0.95)
@example(a=0.5, b=0.5, u=0.5)
def test_incomplete_beta(a, b, u):
    """At every quantile of the beta distribution, also far out in its tails."""
    x = float(special.betaincinv(a, b, u))
    assume(0 < x < 1)
    assert statistics.betainc(a, b, x) == pytest.approx(float(special.betainc(a, b, x)), rel=1e-7, abs=1e-13)


@st.composite
def _counts(draw, most=2_000_000):
    n = draw(st.integers(1, most))
    return draw(st.one_of(st.integers(0, min(n, 20)), st.integers(0, n))), n


@FIXED
@given(counts=_counts(), alpha=st.sampled_from([0.05, 0.05 / 20, 0.25, 1e-6]))
@example(counts=(0, 299), alpha=0.05)
@example(counts=(2, 2_000_000), alpha=0.05)
@example(counts=(1_999_999, 2_000_000), alpha=0.05)
def test_clopper_pearson(counts, alpha):
    """Quantiles of the beta distribution, as Clopper and Pearson's bounds are written nowadays."""
    k, n = counts
    low = 0.0 if k == 0 else float(stats.beta.ppf(alpha, k, n - k + 1))
    high = 1.0 if k == n else float(stats.beta.ppf(1 - alpha, k + 1, n - k))
    assert statistics.lower(k, n, alpha) == pytest.approx(low, rel=1e-7, abs=1e-13)
    assert statistics.upper(k, n, alpha) == pytest.approx(high, rel=1e-7, abs=1e-13)


@FIXED
@given(counts=_counts(most=100_000))
def test_clopper_pearson_is_scipy_s_exact_interval(counts):
    """Two one-sided 95% bounds are the two-sided exact interval of 90%."""
    k, n = counts
    interval = stats.binomtest(k, n).proportion_ci(confidence_level=0.9, method="exact")
    found = statistics.proportion(k, n)
    assert (found.lower, found.upper) == pytest.approx((interval.low, interval.high), rel=1e-7, abs=1e-12)


@FIXED
@given(counts=_counts(most=50_000), deff=st.floats(1, 50), data=st.data())
def test_bounds_are_where_the_test_turns(counts, deff, data):
    """A budget above the upper bound is refused by the binomial test, one below is not; so is the lower."""
    k, n = counts
    assume(0 < k < n)
    p = data.draw(st.floats(1e-6, 1 - 1e-6))
    high, low = statistics.upper(k, n), statistics.lower(k, n)
    assume(not isclose(p, high, rel_tol=1e-6) and not isclose(p, low, rel_tol=1e-6))
    assert (stats.binom.cdf(k, n, p) < 0.05) == (p > high)
    assert (stats.binom.sf(k - 1, n, p) < 0.05) == (p < low)
    wide = statistics.proportion(k, n, deff)
    assert wide.lower <= low + 1e-12
    assert wide.upper >= high - 1e-12


def _tail(k, n, p):
    return sum(comb(n, i) * p**i * (1 - p) ** (n - i) for i in range(k + 1))


@pytest.mark.parametrize("n", [1, 2, 5, 12, 25])
@pytest.mark.parametrize("alpha", [0.05, 0.005])
def test_every_bound_of_a_small_sample(n, alpha):
    """All outcomes: by the sum of the binomial's terms, each bound is wrong with probability alpha."""
    for k in range(n + 1):
        if k < n:
            assert _tail(k, n, statistics.upper(k, n, alpha)) == pytest.approx(alpha, rel=1e-9)
        if k > 0:
            assert 1 - _tail(k - 1, n, statistics.lower(k, n, alpha)) == pytest.approx(alpha, rel=1e-6)


@cache
def _bounds(n):
    return [(statistics.lower(k, n), statistics.upper(k, n)) for k in range(n + 1)]


@pytest.mark.parametrize("p", [0.001, 0.01, 0.05, 0.3, 0.5, 0.9])
@pytest.mark.parametrize("n", [10, 60])
def test_the_bounds_cover_by_the_whole_distribution(n, p):
    """Summed over every outcome, neither bound misses the truth more often than one time in twenty."""
    weights = stats.binom.pmf(np.arange(n + 1), n, p)
    above = sum(w for w, (low, _) in zip(weights, _bounds(n), strict=True) if low > p)
    below = sum(w for w, (_, high) in zip(weights, _bounds(n), strict=True) if high < p)
    assert above <= 0.05 + 1e-12
    assert below <= 0.05 + 1e-12


@FIXED
@given(budget=st.floats(1e-7, 0.9), alpha=st.sampled_from([0.05, 0.01, 0.001]))
@example(budget=0.01, alpha=0.05)
def test_least_samples(budget, alpha):
    """The first n at which silence proves the budget; scipy's bound with one fewer does not."""
    n = statistics.least_samples(budget, alpha)
    assert float(stats.beta.ppf(1 - alpha, 1, n)) <= budget * (1 + 1e-9)
    if n > 1:
        assert float(stats.beta.ppf(1 - alpha, 1, n - 1)) > budget * (1 - 1e-9)


@FIXED
@given(probability=st.floats(0.5, 0.99999), freedom=st.integers(1, 5000))
def test_student(probability, freedom):
    """Quantiles of Student's t."""
    found = statistics.t_quantile(probability, freedom)
    assert found == pytest.approx(float(stats.t.ppf(probability, freedom)), rel=1e-6, abs=2e-7)


_BLOCKS = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), min_size=1, max_size=40)


@FIXED
@given(blocks=_BLOCKS)
def test_design_effect_by_loops(blocks):
    """The formula written out with plain numbers, within its limits of 1 and n."""
    pairs = [(min(a, b), max(a, b)) for a, b in blocks]
    found = statistics.design_effect(np.array([k for k, _ in pairs]), np.array([n for _, n in pairs]))
    kept = [(k, n) for k, n in pairs if n]
    total = sum(n for _, n in kept)
    bad = sum(k for k, _ in kept)
    if len(kept) < 2 or bad in (0, total):
        assert found == (max(total, 1) if len(kept) == 1 else 1.0)
        return
    p = bad / total
    spread = sum((k - p * n) ** 2 for k, n in kept) * len(kept) / (len(kept) - 1) / total**2
    assert found == pytest.approx(min(max(1.0, spread / (p * (1 - p) / total)), total))


@FIXED
@given(blocks=_BLOCKS, data=st.data())
def test_design_effect_does_not_care_for_order(blocks, data):
    """Any permutation of the blocks, and empty blocks anywhere between them."""
    pairs = [(min(a, b), max(a, b)) for a, b in blocks]
    mixed = data.draw(st.permutations([*pairs, (0, 0), (0, 0)]))
    one, other = (
        statistics.design_effect(np.array([k for k, _ in some]), np.array([n for _, n in some]))
        for some in (pairs, mixed)
    )
    assert one == pytest.approx(other)


def test_design_effect_by_every_permutation():
    """Arrivals dealt to blocks at random have an effect of one on average: all 70 ways of 4 bad among 8."""
    size, ways = 2, [way for way in product((0, 1), repeat=8) if sum(way) == 4]
    assert len(ways) == 70
    p, total, blocks = 0.5, 8, 4
    raw = [
        blocks / (blocks - 1) * sum((sum(way[i : i + size]) - p * size) ** 2 for i in range(0, 8, size))
        / total**2 / (p * (1 - p) / total)
        for way in ways
    ]  # fmt: skip
    # Drawn without replacement, the variance is (N - n) / (N - 1) of that of independent arrivals.
    assert np.mean(raw) == pytest.approx((total - size) / (total - 1) * blocks / (blocks - 1))
    for way, effect in zip(ways, raw, strict=True):
        k = np.array([sum(way[i : i + size]) for i in range(0, 8, size)])
        assert statistics.design_effect(k, np.full(blocks, size)) == pytest.approx(max(1.0, effect))


@FIXED
@given(
    amounts=st.lists(st.floats(0, 1e6, allow_subnormal=False), min_size=2, max_size=60),
    length=st.floats(0.5, 60),
)
def test_the_interval_of_equal_blocks_is_a_t_interval(amounts, length):
    """Blocks of the same length: the mean and its interval as in any textbook, by scipy."""
    values = np.array(amounts)
    assume(np.ptp(values) > 1e-6 * max(values.max(), 1))
    rate, low, high = statistics.mean_interval(values, np.full(values.size, length))
    mean, error = values.mean() / length, values.std(ddof=1) / sqrt(values.size) / length
    expected = stats.t.interval(0.9, values.size - 1, loc=mean, scale=error)
    assert rate == pytest.approx(mean)
    assert (low, high) == pytest.approx(expected, rel=1e-6, abs=1e-6 * error)


@FEW
@given(
    k=st.integers(0, 200),
    n=st.integers(200, 200_000),
    deff=st.floats(1, 20),
    budget=st.sampled_from([0.0001, 0.001, 0.01, 0.5]),
)
def test_the_time_needed_is_decided_by_scipy_too(k, n, deff, budget):
    """With that much more of the same, the beta quantiles leave the budget on one side."""
    needed = statistics.seconds_needed(k, n, deff, budget, 60.0)
    if needed is None:
        return
    factor = (1 + needed / 60) * 1.001
    a, b = k / deff * factor, n / deff * factor
    passes = stats.beta.ppf(0.95, a + 1, b - a) < budget
    fails = a > 0 and stats.beta.ppf(0.05, a, b - a + 1) > budget
    assert passes or fails


@FIXED
@given(
    deff=st.floats(1, 100),
    share=st.floats(0.001, 0.5),
    budget=st.floats(0.0001, 0.5),
)
def test_the_transfer_keeps_what_varies(deff, share, budget):
    """The relative variation that explains the effect at one share explains it at the other."""
    moved = statistics.transferred(deff, share, budget)
    assert moved >= 1
    expected = (deff - 1) / (share / (1 - share))
    assert (moved - 1) / (budget / (1 - budget)) == pytest.approx(expected, abs=1e-9)
    assert statistics.transferred(moved, budget, share) == pytest.approx(deff)


@FIXED
@given(
    earlier=st.lists(st.floats(0.001, 1e6), min_size=5, max_size=30),
    value=st.floats(0.001, 1e6),
    below=st.booleans(),
)
def test_the_baseline_by_numpy_and_scipy(earlier, value, below):
    """Median and median absolute deviation of the last ten, and the limit they give."""
    found = baseline.stand(value, earlier, below=below)
    last = np.array(earlier[-10:])
    middle, scatter = float(np.median(last)), float(stats.median_abs_deviation(last))
    reach = max(0.1 * middle, 4 * 1.4826 * scatter)
    limit = middle + (reach if below else -reach)
    assert (found.median, found.scatter, found.limit) == pytest.approx((middle, scatter, limit))
    if not isclose(value, limit, rel_tol=1e-9):
        assert (found.state == "out-of-line") == (value > limit if below else value < limit)
