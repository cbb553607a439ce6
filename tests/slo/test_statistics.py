from fractions import Fraction
from math import comb, exp, fsum, inf, lgamma, log, log1p

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slo import statistics


def _tail(k, n, p):
    """P(X <= k) of a binomial, exactly."""
    p = Fraction(p)
    return float(sum(comb(n, i) * p**i * (1 - p) ** (n - i) for i in range(k + 1)))


@given(n=st.integers(1, 60), data=st.data())
@settings(max_examples=60, deadline=None)
def test_bounds_agree_with_sums_of_exact_fractions(n, data):
    """Clopper-Pearson by definition: at its bounds the tails weigh exactly alpha."""
    k = data.draw(st.integers(0, n))
    low, high = statistics.lower(k, n), statistics.upper(k, n)
    if k < n:
        assert _tail(k, n, high) == pytest.approx(0.05, abs=1e-12)
    else:
        assert high == 1.0
    if k > 0:
        assert 1 - _tail(k - 1, n, low) == pytest.approx(0.05, abs=1e-12)
    else:
        assert low == 0.0


@pytest.mark.parametrize(
    ("a", "b", "x", "value"),
    [
        (1, 1, 0.3, 0.3),
        (2, 1, 0.3, 0.09),
        (1, 30_000, 1e-4, 1 - (1 - 1e-4) ** 30_000),
        (0.5, 0.5, 0.5, 0.5),
        (5, 5, 0.0, 0.0),
        (5, 5, 1.0, 1.0),
    ],
)
def test_incomplete_beta(a, b, x, value):
    """Closed forms and the ends."""
    assert statistics.betainc(a, b, x) == pytest.approx(value, rel=1e-12)


def test_incomplete_beta_of_large_counts():
    """P(X >= 300) of 300,000 arrivals at 0.1%, against the sum of its terms."""
    n, p = 300_000, 1e-3
    logs = [
        lgamma(n + 1) - lgamma(i + 1) - lgamma(n - i + 1) + i * log(p) + (n - i) * log1p(-p)
        for i in range(300)
    ]
    assert statistics.betainc(300, n - 299, p) == pytest.approx(1 - fsum(map(exp, logs)), rel=1e-8)


@given(a=st.floats(0.2, 1e6), b=st.floats(0.2, 1e6), x=st.integers(1, 1023))
@settings(max_examples=100, deadline=None)
def test_incomplete_beta_is_symmetric(a, b, x):
    """I_x(a, b) = 1 - I_(1-x)(b, a), whichever branch computes it."""
    x /= 1024
    assert statistics.betainc(a, b, x) == pytest.approx(1 - statistics.betainc(b, a, 1 - x), abs=1e-9)


@pytest.mark.parametrize(("budget", "n"), [(0.01, 299), (0.001, 2995), (0.0001, 29_956)])
def test_least_samples(budget, n):
    """The figures of the design: one fewer is not enough."""
    assert statistics.least_samples(budget) == n
    assert statistics.upper(0, n) < budget <= statistics.upper(0, n - 1)


@given(n=st.integers(20, 5000), data=st.data())
@settings(max_examples=60, deadline=None)
def test_bounds_grow_with_k_and_enclose_it(n, data):
    """More bad arrivals never look better."""
    k = data.draw(st.integers(0, n - 1))
    one, more = statistics.proportion(k, n), statistics.proportion(k + 1, n)
    assert one.lower <= k / n <= one.upper
    assert one.upper < more.upper
    assert one.lower < more.lower


def test_design_effect_of_copies():
    """Every arrival doubled in the same block: the variance doubles, so does the effect."""
    random = np.random.default_rng(3)
    n = np.full(4000, 50)
    k = random.binomial(50, 0.1, size=4000)
    assert statistics.design_effect(k, n) == pytest.approx(1.0, abs=0.08)
    assert statistics.design_effect(2 * k, 2 * n) == pytest.approx(2.0, abs=0.12)


@pytest.mark.parametrize(
    ("k", "n", "effect"),
    [
        ([0, 0, 0], [10, 10, 10], 1.0),
        ([10, 10], [10, 10], 1.0),
        ([], [], 1.0),
        ([3], [40], 40.0),
        ([10, 0], [10, 10], 20.0),
        ([1, 1], [10, 10], 1.0),
        ([0, 10, 0, 0], [0, 10, 10, 0], 20.0),
    ],
)
def test_design_effect_at_the_edges(k, n, effect):
    """No events, all events, nothing at all, one block, one block all bad, perfectly even, empty blocks."""
    assert statistics.design_effect(np.array(k, dtype=int), np.array(n, dtype=int)) == pytest.approx(effect)


def test_design_effect_by_its_formula():
    """Against the formula written out."""
    k, n = [3, 1, 7, 2], [100, 120, 90, 110]
    p = sum(k) / sum(n)
    variance = 4 / 3 * sum((a - p * b) ** 2 for a, b in zip(k, n, strict=True)) / sum(n) ** 2
    expected = variance / (p * (1 - p) / sum(n))
    assert statistics.design_effect(np.array(k), np.array(n)) == pytest.approx(expected)


def test_the_transfer_between_shares_is_exact_for_modulated_arrivals():
    """Blocks whose rates vary by the same factor: the effect at 5% predicts the effect at 1%."""
    random = np.random.default_rng(5)
    blocks, size = 40_000, 400
    factor = random.gamma(16, 1 / 16, size=blocks)
    often = random.binomial(size, np.clip(0.05 * factor, 0, 1))
    seldom = random.binomial(size, np.clip(0.01 * factor, 0, 1))
    n = np.full(blocks, size)
    predicted = statistics.transferred(statistics.design_effect(often, n), 0.05, 0.01)
    assert predicted == pytest.approx(statistics.design_effect(seldom, n), rel=0.03)
    assert statistics.transferred(7.0, 0.05, 0.05) == pytest.approx(7.0)


def test_clustered_arrivals_pass_wrongly_as_seldom_as_promised():
    """At the budget itself, a pass must be rare; taken as independent it would not be."""
    random = np.random.default_rng(11)
    budget, blocks, size = 0.01, 30, 600
    naive = honest = 0
    runs = 400
    for _ in range(runs):
        factor = random.gamma(2, 1 / 2, size=blocks)
        k = random.binomial(size, np.clip(budget * factor, 0, 1))
        n = np.full(blocks, size)
        effect = statistics.design_effect(k, n)
        naive += statistics.upper(int(k.sum()), blocks * size) < budget
        honest += statistics.proportion(int(k.sum()), blocks * size, effect).upper < budget
    assert naive / runs > 0.15
    assert honest / runs < 0.11


@pytest.mark.parametrize(
    ("freedom", "value"), [(1, 6.313752), (11, 1.795885), (29, 1.699127), (1000, 1.646379)]
)
def test_student(freedom, value):
    """The 95% column of any table."""
    assert statistics.t_quantile(0.95, freedom) == pytest.approx(value, abs=2e-6)


def test_the_interval_of_a_mean_covers():
    """Of many means of 12 blocks, each bound is wrong about one time in twenty."""
    random = np.random.default_rng(7)
    wrong_low = wrong_high = 0
    for _ in range(600):
        rate, low, high = statistics.mean_interval(random.normal(1000, 50, 12), np.full(12, 10.0))
        assert low < rate < high
        wrong_low += low > 100
        wrong_high += high < 100
    assert 10 < wrong_low < 55
    assert 10 < wrong_high < 55


def test_one_block_has_no_interval():
    """Spread cannot be seen in one block."""
    assert statistics.mean_interval(np.array([5.0]), np.array([1.0])) == (5.0, 0.0, inf)


@pytest.mark.parametrize(("k", "n"), [(0, 100), (5, 4000), (40, 30_000), (6, 5000)])
def test_the_time_still_needed_is_enough_and_not_twice_too_much(k, n):
    """With that much longer, the same traffic is decided; with half of it, not."""
    budget = 0.001
    needed = statistics.seconds_needed(k, n, 1.0, budget, 60.0)
    assert needed is not None

    def decided(seconds):
        factor = 1 + seconds / 60
        a, b = k * factor, n * factor
        return statistics.upper(a, b) < budget or statistics.lower(a, b) > budget

    assert decided(needed * 1.001 + 0.01)
    assert needed == 0 or not decided(needed * 0.9)


def test_at_the_budget_no_time_is_enough():
    """A rate that equals its budget is never decided."""
    assert statistics.seconds_needed(10, 10_000, 1.0, 0.001, 60.0) is None
