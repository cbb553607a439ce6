"""When arrivals start: pure functions of elapsed time.

A profile is a curve of rates made of straight pieces; it knows how many arrivals are expected by a moment and
at which moment the n-th is due. Constant load, a ramp up to constant, steps, spikes and recorded curves are
all such curves. ``starts`` turns one into moments: evenly spaced, or Poisson by stretching a unit-rate
process along the curve (time change of an inhomogeneous Poisson process: Cinlar, Introduction to Stochastic
Processes, 1975, ch. 4.7). Times are seconds since the start; rates are arrivals per second.
"""

import math
import random
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice, pairwise
from typing import NamedTuple, TypeVar

Item = TypeVar("Item")


class Due(NamedTuple):
    """One arrival of a schedule: seconds since the start, the flow's name, and what it is to do."""

    at: float
    flow: str
    argument: object = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stripe:
    """One worker's share of a schedule that ``of`` workers perform together: every ``of``-th arrival."""

    index: int = 0
    of: int = 1

    def __post_init__(self) -> None:
        """Refuse a share that no worker could have."""
        if not 0 <= self.index < self.of:
            raise ValueError(f"worker {self.index} of {self.of}; expected 0 to {self.of - 1}")

    def take(self, schedule: Iterable[Item]) -> Iterator[Item]:
        """This worker's arrivals, in order; over all workers each arrival is taken once."""
        return islice(schedule, self.index, None, self.of)


ALONE = Stripe()


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A rate over time through ``points`` (seconds, arrivals/s), straight between them, level after the last.

    The first point stands at 0; times grow; two points at the same time make a step. The last rate is above
    0, so that every arrival has a moment. ValueError otherwise.
    """

    points: tuple[tuple[float, float], ...]
    _expected: tuple[float, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Refuse curves that no arrival could follow."""
        if not self.points or self.points[0][0] != 0.0:
            raise ValueError(f"a profile starts at 0 s; got {self.points[:1]}")
        if any(after[0] < before[0] for before, after in pairwise(self.points)):
            raise ValueError(f"a profile's times must grow; got {[at for at, _ in self.points]}")
        if any(rate < 0 or not math.isfinite(rate) for _, rate in self.points) or self.points[-1][1] <= 0:
            raise ValueError("rates must be finite, not negative, and above 0 at the end")
        total, sums = 0.0, [0.0]
        for (t0, r0), (t1, r1) in pairwise(self.points):
            total += (t1 - t0) * (r0 + r1) / 2
            sums.append(total)
        object.__setattr__(self, "_expected", tuple(sums))

    def rate(self, elapsed: float) -> float:
        """Arrivals per second at this moment."""
        index = self._piece_at(elapsed)
        return self.points[index][1] + self._slope(index) * (elapsed - self.points[index][0])

    def expected(self, elapsed: float) -> float:
        """Arrivals expected in [0, elapsed]; 0 before the start."""
        if elapsed <= 0:
            return 0.0
        index = self._piece_at(elapsed)
        start, rate = self.points[index]
        into = elapsed - start
        return self._expected[index] + rate * into + self._slope(index) * into * into / 2

    def moment(self, count: float) -> float:
        """The moment by which ``count`` arrivals are expected: the inverse of ``expected``."""
        if count <= 0:
            return 0.0
        index = max(0, bisect_right(self._expected, count) - 1)
        start, rate = self.points[index]
        missing, slope = count - self._expected[index], self._slope(index)
        if missing <= 0:
            return start
        # the root of rate*x + slope/2*x^2 = missing in the form that stays exact for tiny slopes and rates
        reach = rate + math.sqrt(max(0.0, rate * rate + 2 * slope * missing))
        return start + 2 * missing / reach if reach else start

    def _piece_at(self, elapsed: float) -> int:
        return max(0, bisect_right(self.points, elapsed, key=lambda point: point[0]) - 1)

    def _slope(self, index: int) -> float:
        if index + 1 == len(self.points):
            return 0.0
        (t0, r0), (t1, r1) = self.points[index], self.points[index + 1]
        return (r1 - r0) / (t1 - t0) if t1 > t0 else 0.0


def constant(rate: float) -> Profile:
    """The same rate all the time."""
    return Profile(points=((0.0, rate),))


def ramp(rate: float, *, over_s: float) -> Profile:
    """From 0 up to ``rate`` within ``over_s``, then constant; no ramp at all for ``over_s`` 0."""
    return Profile(points=((0.0, 0.0), (over_s, rate))) if over_s > 0 else constant(rate)


def starts(profile: Profile, *, until: float, poisson_seed: int | None = None) -> Iterator[float]:
    """The moments in [0, until) at which arrivals start; evenly spaced unless a Poisson seed is given.

    Evenly spaced arrival n is due when n are expected, so a constant rate starts at 0, 1/rate, 2/rate and so
    on.
    """
    rng = random.Random(f"arrivals:{poisson_seed}")
    count = 0.0 if poisson_seed is None else rng.expovariate(1.0)
    while (moment := profile.moment(count)) < until:
        yield moment
        count += 1.0 if poisson_seed is None else rng.expovariate(1.0)


def due(profile: Profile, elapsed: float) -> int:
    """How many evenly spaced arrivals have started by ``elapsed`` (that moment included)."""
    return math.floor(profile.expected(elapsed)) + 1 if elapsed >= 0 else 0


def mean_operations(weights: Mapping[str, float], operations: Mapping[str, Sequence[str]]) -> float:
    """Requests a flow makes on average: nominal operations weighted by how often each flow arrives."""
    total = sum(weights.values())
    return sum(weight * len(operations[flow]) for flow, weight in weights.items()) / total


def choices(weights: Mapping[str, float], *, seed: int, window: int = 64) -> Iterator[str]:
    """Which flow each arrival is, without end: shares exact to one arrival, rare flows evenly spread.

    Smooth weighted round robin (nginx) fixes how many of each come in a stretch of ``window`` arrivals; a
    seeded shuffle within it keeps a cycle of flows from locking step with a cycle of sessions. ValueError for
    no weights.
    """
    live = {name: weight for name, weight in sorted(weights.items()) if weight > 0}
    if not live:
        raise ValueError(f"no flow has a weight above 0 in {dict(weights)}")
    rng = random.Random(f"choices:{seed}")
    total = sum(live.values())
    credit = dict.fromkeys(live, 0.0)
    while True:
        stretch = []
        for _ in range(window):
            for name, weight in live.items():
                credit[name] += weight
            pick = max(credit, key=credit.__getitem__)
            credit[pick] -= total
            stretch.append(pick)
        rng.shuffle(stretch)
        yield from stretch
