"""How often the recovery estimator's interval [x - 1 s, x + 5 s] holds the truth, where the truth is known.

Simulated are arrivals second by second at 30 and 300 per second with errors at a fifth of the budget, and a
fault whose end is known to the millisecond:

    outage    nothing is answered for L seconds
    partial   four answers in ten fail for L seconds
    gradual   an outage of L / 2; then the share of failures halves every 2 s
    relapse   an outage of L, 20 good seconds, 10 bad ones: over only after those
    later     an outage of L, 90 good seconds, 20 bad ones: over after the first, the second is a relapse

The truth is the documented rule applied to the true shares instead of to counts: the first moment from
which the next 5 s and the next 60 s are within the budget. For sharp ends that is the end.

`early` is the dangerous side: the truth lies beyond the interval, so a slow recovery would look faster.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from slo import statistics
from slo.recovery import HOLD_S, LEAD_S, RECOVERED, Traffic, analyse

BUDGET = 0.001
HEALTHY = BUDGET / 5
RATES = (30, 300)
LENGTHS = (8.0, 15.0, 40.0)
KINDS = ("outage", "partial", "gradual", "relapse", "later")
PARTIAL = 0.4
HALVED_S = 2.0
START, BEFORE_S, RUN_S = 1_700_000_000, 30, 320
COVERED, WITHIN, EARLY, LATE, OTHER = "covered", "within a second", "early", "late", "other"
GRID_S = 1.0

Floats = NDArray[np.float64]
FINE = 100  # steps of a second in which a share is averaged


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Case:
    """One kind of fault; `length` in seconds, `rate` arrivals per second."""

    kind: str
    rate: int
    length: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Cover:
    """How often the interval held the truth, ended before it (early) or began after it (late).

    `other` were not called recovered, or left a relapse out; `off_s` is how far the lower end lies behind the
    truth on average.
    """

    case: Case
    covered: int
    within: int
    early: int
    late: int
    other: int
    off_s: float

    @property
    def total(self) -> int:
        """All faults that were simulated."""
        return self.covered + self.within + self.early + self.late + self.other

    @property
    def early_bounds(self) -> tuple[float, float]:
        """One-sided 95% bounds of the share of intervals that end before the truth."""
        found = statistics.proportion(self.early, self.total)
        return found.lower, found.upper


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What the estimator made of one simulated fault; its lower end lies `off_s` seconds behind the truth."""

    case: Case
    word: str
    off_s: float


def sights(case: Case, seeds: Iterable[int]) -> Iterator[Sight]:
    """Simulate and estimate, once for each seed."""
    for seed in seeds:
        rng = np.random.default_rng([seed, case.rate, int(case.length * 10), KINDS.index(case.kind)])
        yield sight(case, rng)


def sight(case: Case, rng: np.random.Generator) -> Sight:
    """One fault."""
    t0 = BEFORE_S + float(rng.uniform(0, 1))
    share, over = shape(case, t0)
    valid = rng.poisson(case.rate, RUN_S)
    bad = rng.binomial(valid, share)
    found = analyse(
        Traffic(start=START, valid=valid, bad=bad, ok=valid - bad, planned=valid),
        t0=START + t0,
        t_end=START + over,
        horizon=float(START + RUN_S),
        budget=BUDGET,
        deff=1.0,
    )
    truth = over - t0
    if found.state != RECOVERED or found.absorption is None:
        return Sight(case=case, word=OTHER, off_s=0.0)
    low, high = found.absorption
    if case.kind == "later" and not found.relapses:
        return Sight(case=case, word=OTHER, off_s=low - truth)
    word = _placed(truth, low, high)
    return Sight(case=case, word=word, off_s=low - truth)


def _placed(truth: float, low: float, high: float) -> str:
    if truth > high:
        return EARLY
    if truth >= low:
        return COVERED
    return WITHIN if truth >= low - GRID_S else LATE


def shape(case: Case, t0: float) -> tuple[Floats, float]:
    """The share of failures in each second, and when the fault was over, both from the record's start."""
    fine = np.arange(RUN_S * FINE) / FINE
    length, end = case.length, t0 + case.length
    share = np.full(fine.size, HEALTHY)

    def fail(start: float, until: float, level: float = 1.0) -> None:
        share[(fine >= start) & (fine < until)] = level

    if case.kind == "partial":
        fail(t0, end, PARTIAL)
    elif case.kind == "gradual":
        half = t0 + length / 2
        fail(t0, half)
        after = fine >= half
        share[after] = np.maximum(0.5 ** ((fine[after] - half) / HALVED_S), HEALTHY)
    else:
        fail(t0, end)
    if case.kind == "relapse":
        fail(end + 20, end + 30)
    elif case.kind == "later":
        fail(end + 90, end + 110)
    return share.reshape(RUN_S, FINE).mean(axis=1), _over(share, fine, t0)


def _over(share: Floats, fine: Floats, t0: float) -> float:
    """When the rule holds for the true shares, from t0 on."""
    sums = np.concatenate(([0.0], np.cumsum(share))) / FINE
    lead, hold = int(LEAD_S * FINE), int(HOLD_S * FINE)
    place = np.arange(fine.size - hold)
    within = (sums[place + lead] - sums[place] <= BUDGET * LEAD_S) & (
        sums[place + hold] - sums[place] <= BUDGET * HOLD_S
    )
    return float(fine[place[within & (fine[place] >= t0)][0]])


def counted(found: Iterable[Sight]) -> list[Cover]:
    """Sights put together by case."""
    words: dict[Case, Counter[str]] = {}
    off: dict[Case, list[float]] = {}
    for one in found:
        words.setdefault(one.case, Counter())[one.word] += 1
        if one.word != OTHER:
            off.setdefault(one.case, []).append(one.off_s)
    return [
        Cover(
            case=case,
            covered=seen[COVERED],
            within=seen[WITHIN],
            early=seen[EARLY],
            late=seen[LATE],
            other=seen[OTHER],
            off_s=float(np.mean(off[case])) if case in off else 0.0,
        )
        for case, seen in sorted(words.items())
    ]


def cases() -> list[Case]:
    """Everything that is simulated."""
    return [
        Case(kind=kind, rate=rate, length=length) for kind in KINDS for rate in RATES for length in LENGTHS
    ]
