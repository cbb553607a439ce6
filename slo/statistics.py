"""The statistics of verdicts: exact binomial bounds, and their worth when requests depend on each other.

Formulas: Clopper and Pearson (1934) through the incomplete beta function, whose continued fraction is
evaluated by Lentz's method (Numerical Recipes 6.4) and whose front factor by Loader's saddle-point form
(2000), which keeps its digits where differences of log-gammas lose them. The design effect is Kish's, with
10 s blocks as clusters.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import exp, inf, isfinite, lgamma, log, log1p, pi, sqrt

import numpy as np
from numpy.typing import NDArray

ALPHA = 0.05
BLOCK_S = 10.0
LEAST_BLOCKS = 12
PROXY_SHARE = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Proportion:
    """k bad of n with one-sided 95% bounds, after division by the design effect."""

    k: int
    n: int
    deff: float
    lower: float
    upper: float

    @property
    def n_eff(self) -> float:
        """As many independent arrivals would say as much."""
        return self.n / self.deff


def proportion(k: int, n: int, deff: float = 1.0, alpha: float = ALPHA) -> Proportion:
    """Bounds of a proportion, each wrong with probability alpha; n must be at least 1."""
    return Proportion(
        k=k, n=n, deff=deff, lower=lower(k / deff, n / deff, alpha), upper=upper(k / deff, n / deff, alpha)
    )


def lower(k: float, n: float, alpha: float = ALPHA) -> float:
    """Clopper-Pearson lower bound; k and n may be fractions of counts."""
    return 0.0 if k <= 0 else _solve(lambda x: betainc(k, n - k + 1, x), alpha)


def upper(k: float, n: float, alpha: float = ALPHA) -> float:
    """Clopper-Pearson upper bound; k and n may be fractions of counts."""
    return 1.0 if k >= n else _solve(lambda x: betainc(k + 1, n - k, x), 1 - alpha)


def least_samples(budget: float, alpha: float = ALPHA) -> int:
    """How many arrivals without a bad one prove a budget: the smallest n with upper(0, n) < budget."""
    n = max(int(log(alpha) / log1p(-budget)), 1)
    while (1 - budget) ** n > alpha:
        n += 1
    return n


def design_effect(k: NDArray[np.int64], n: NDArray[np.int64]) -> float:
    """How many times the variance over blocks exceeds that of independent arrivals; at least 1.

    With fewer than two blocks, clustering cannot be seen and the whole counts as one arrival.
    """
    k, n = k[n > 0], n[n > 0]
    total = int(n.sum())
    if total == 0:
        return 1.0
    if n.size < 2:
        return float(total)
    p = float(k.sum()) / total
    if p in (0.0, 1.0):
        return 1.0
    variance = n.size / (n.size - 1) * float(((k - p * n) ** 2).sum()) / total**2
    return float(min(max(1.0, variance / (p * (1 - p) / total)), total))


def transferred(deff: float, share: float, budget: float) -> float:
    """The design effect at a budget, from one measured on events of another share.

    If the rate of events varies between blocks by a relative c, blocks of m arrivals have a design effect of
    1 + m c^2 p / (1 - p). The variation c is what two kinds of events share, so the excess is carried over
    by the odds.
    """
    return 1 + (deff - 1) * (budget / (1 - budget)) / (share / (1 - share))


def mean_interval(
    amounts: NDArray[np.float64], exposures: NDArray[np.float64], alpha: float = ALPHA
) -> tuple[float, float, float]:
    """A rate and its one-sided bounds from blocks: sum(amounts) / sum(exposures) with Student's t."""
    total = float(exposures.sum())
    rate = float(amounts.sum()) / total
    blocks = amounts.size
    if blocks < 2:
        return rate, 0.0, inf
    residuals = amounts - rate * exposures
    error = sqrt(blocks / (blocks - 1) * float((residuals**2).sum())) / total
    reach = t_quantile(1 - alpha, blocks - 1) * error
    return rate, rate - reach, rate + reach


def seconds_needed(
    k: int, n: int, deff: float, budget: float, seconds: float, *, lower_alpha: float = ALPHA
) -> float | None:
    """How much longer the same traffic must run until the bounds leave the budget on one side.

    `lower_alpha` is that of the bound that shows a failure, smaller where several are looked at.

    None when they never would within a thousand times the present length: the rate is too close to the
    budget.
    """

    def decided(factor: float) -> bool:
        kk, nn = k / deff * factor, n / deff * factor
        return upper(kk, nn) < budget or lower(kk, nn, lower_alpha) > budget

    high = 1.0
    while not decided(high):
        high *= 2
        if high > 1000:
            return None
    low = high / 2 if high > 1 else 1.0
    for _ in range(20):
        middle = (low + high) / 2
        low, high = (low, middle) if decided(middle) else (middle, high)
    return (high - 1) * seconds


def betainc(a: float, b: float, x: float) -> float:
    """The regularized incomplete beta function I_x(a, b), to about 1e-13 relative."""
    if x <= 0:
        return 0.0
    if x >= 1:
        return 1.0
    if x < (a + 1) / (a + b + 2):
        return _front(a, b, x) * _fraction(a, b, x) / a
    return 1 - _front(a, b, x) * _fraction(b, a, 1 - x) / b


def t_quantile(probability: float, freedom: float) -> float:
    """Quantile of Student's t for a probability of at least one half."""
    tail = 2 * (1 - probability)
    x = _solve(lambda y: betainc(freedom / 2, 0.5, y), tail)
    return sqrt(freedom * (1 - x) / x)


def _front(a: float, b: float, x: float) -> float:
    """The factor x^a (1-x)^b / B(a, b)."""
    n = a + b
    exponent = _stirling(n) - _stirling(a) - _stirling(b) - _deviance(a, n * x) - _deviance(b, n * (1 - x))
    return exp(exponent) * sqrt(a * b / (2 * pi * n))


def _stirling(z: float) -> float:
    """log(z!) minus Stirling's formula."""
    if z < 16:
        return lgamma(z + 1) - (z + 0.5) * log(z) + z - 0.5 * log(2 * pi)
    s = z * z
    return (1 / 12 - (1 / 360 - (1 / 1260 - (1 / 1680 - 1 / 1188 / s) / s) / s) / s) / z


def _deviance(x: float, mean: float) -> float:
    """The deviance x log(x / mean) + mean - x, without cancellation near the mean."""
    if abs(x - mean) >= 0.1 * (x + mean):
        return x * log(x / mean) + mean - x
    v = (x - mean) / (x + mean)
    total, term, j = (x - mean) * v, 2 * x * v, 1
    while True:
        term *= v * v
        following = total + term / (2 * j + 1)
        if following == total:
            return total
        total, j = following, j + 1


def _fraction(a: float, b: float, x: float) -> float:
    """Lentz's evaluation of the continued fraction of the incomplete beta function.

    Nearly all the time of a verdict is spent here, so nothing is called: a zero is avoided on the spot.
    """
    tiny, a, b = 1e-300, float(a), float(b)
    both = a + b
    c = 1.0
    d = 1 - both * x / (a + 1)
    d = 1 / (d if d > tiny or d < -tiny else tiny)
    h = d
    m = 0.0
    for _ in range(1, 100_000):
        m += 1.0
        place = a + 2.0 * m
        even = m * (b - m) * x / ((place - 1) * place)
        d = 1 + even * d
        d = 1 / (d if d > tiny or d < -tiny else tiny)
        c = 1 + even / c
        c = c if c > tiny or c < -tiny else tiny
        h *= d * c
        odd = -(a + m) * (both + m) * x / (place * (place + 1))
        d = 1 + odd * d
        d = 1 / (d if d > tiny or d < -tiny else tiny)
        c = 1 + odd / c
        c = c if c > tiny or c < -tiny else tiny
        step = d * c
        h *= step
        if abs(step - 1) < 1e-15:
            break
    return h


def _solve(increasing: Callable[[float], float], target: float) -> float:
    """The x in (0, 1) where an increasing function reaches the target, by bisection."""
    low, high = 0.0, 1.0
    guess = 0.5
    while increasing(guess) > target and guess > 1e-300:
        high, guess = guess, guess / 16
    low = guess if guess < 0.5 else 0.0
    for _ in range(200):
        middle = (low + high) / 2
        if not isfinite(middle) or middle in (low, high):
            break
        low, high = (middle, high) if increasing(middle) < target else (low, middle)
    return (low + high) / 2
