"""When arrivals start, and which flow each is: pure functions of elapsed time and a seed.

A profile (`profile.py`, `shapes.py`) knows how many arrivals are expected by a moment and at which moment the
n-th is due. ``starts`` turns one into moments: evenly spaced, or Poisson by stretching a unit-rate process
along the curve (time change of an inhomogeneous Poisson process: Cinlar, Introduction to Stochastic
Processes, 1975, ch. 4.7). Times are seconds since the start; rates are arrivals per second.
"""

import math
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain, count, islice, repeat
from typing import NamedTuple, TypeVar

import numpy as np

from scenarios.load.operation import Flow
from scenarios.load.profile import Profile

_AT_ONCE = 256

Item = TypeVar("Item")


class Due(NamedTuple):
    """One arrival of a schedule: seconds since the start, the flow's name, and what it is to do."""

    at: float
    flow: str
    argument: object = None


class Arrival(NamedTuple):
    """One flow that is due: ``at`` on the monotonic clock, ``argument`` what a replayed one is to do."""

    flow: Flow
    at: float
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


def starts(profile: Profile, *, until: float, poisson_seed: int | None = None) -> Iterator[float]:
    """The moments in [0, until) at which arrivals start; evenly spaced unless a Poisson seed is given.

    Evenly spaced arrival n is due when n are expected, so a constant rate starts at 0, 1/rate, 2/rate and so
    on.
    """
    counts = map(float, count()) if poisson_seed is None else _unit_poisson(poisson_seed)
    return chain.from_iterable(_many(profile, until, counts))


def _many(profile: Profile, until: float, counts: Iterator[float]) -> Iterator[list[float]]:
    """Many at once: a step of a few dozen microseconds, rather than some of numpy's for each arrival."""
    while True:
        moments = profile.moments(np.fromiter(islice(counts, _AT_ONCE), float))
        inside = int(np.searchsorted(moments, until))
        yield moments[:inside].tolist()
        if inside < moments.size:
            return


def _unit_poisson(seed: int) -> Iterator[float]:
    rng = random.Random(f"arrivals:{seed}")
    return accumulate(rng.expovariate(1.0) for _ in repeat(None))


def due(profile: Profile, elapsed: float) -> int:
    """How many evenly spaced arrivals have started by ``elapsed`` (that moment included)."""
    return math.floor(profile.expected(elapsed)) + 1 if elapsed >= profile.moment(0) else 0


def mean_operations(weights: Mapping[str, float], operations: Mapping[str, Sequence[str]]) -> float:
    """Requests a flow makes on average: nominal operations weighted by how often each flow arrives."""
    total = sum(weights.values())
    return sum(weight * len(operations[flow]) for flow, weight in weights.items()) / total


def choices(weights: Mapping[str, float], *, seed: int | str, window: int = 64) -> Iterator[str]:
    """Which flow each arrival is, without end: shares exact to one arrival, rare flows evenly spread.

    Smooth weighted round robin (nginx) fixes how many of each come in a stretch of ``window`` arrivals; a
    seeded shuffle within it keeps a cycle of flows from locking step with a cycle of sessions. ValueError for
    no weights.
    """
    live = {name: weight for name, weight in sorted(weights.items()) if weight > 0}
    if not live:
        raise ValueError(f"no flow has a weight above 0 in {dict(weights)}")
    if len(live) == 1:
        yield from repeat(next(iter(live)))
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
