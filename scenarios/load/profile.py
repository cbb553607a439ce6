"""A rate over time, as a curve of straight pieces that can be put together from others.

Times are seconds since the start; rates are arrivals per second. Everything here is a pure function.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Point = tuple[float, float]
Floats = NDArray[np.float64]
_STEP_S = 1e-9
_NOTHING = 1e-100


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A rate over time through ``points`` (seconds, arrivals/s), straight between them, level after the last.

    The first point stands at 0; times grow; two points at the same time make a step. Some rate is above 0, so
    that something arrives. ValueError otherwise.
    """

    points: tuple[Point, ...]
    _expected: tuple[float, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Refuse curves that no arrival could follow."""
        if not self.points or self.points[0][0] != 0.0:
            raise ValueError(f"a profile starts at 0 s; got {self.points[:1]}")
        if any(not before[0] <= after[0] < math.inf for before, after in pairwise(self.points)):
            raise ValueError(f"a profile's times must grow; got {[at for at, _ in self.points]}")
        rates = [rate for _, rate in self.points]
        if any(rate < 0 or not math.isfinite(rate) for rate in rates) or max(rates) <= 0:
            raise ValueError("rates must be finite, not negative, and above 0 somewhere")
        total, sums = 0.0, [0.0]
        for (t0, r0), (t1, r1) in pairwise(self.points):
            total += (t1 - t0) * (r0 + r1) / 2
            sums.append(total)
        object.__setattr__(self, "_expected", tuple(sums))

    @property
    def peak(self) -> float:
        """The highest rate."""
        return max(rate for _, rate in self.points)

    def rate(self, elapsed: float) -> float:
        """Arrivals per second at this moment; where the curve steps, after the step."""
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
        """The last moment by which no more than ``count`` arrivals are expected: the inverse of ``expected``.

        Infinite for more than the whole curve expects.
        """
        return float(self.moments(np.array([count]))[0])

    def moments(self, counts: Floats) -> Floats:
        """``moment`` of each count."""
        times, rates = np.array(self.points).T
        sums = np.array(self._expected)
        slopes = np.array([self._slope(index) for index in range(len(self.points))])
        index = np.maximum(np.searchsorted(sums, counts, side="right") - 1, 0)
        missing, rate, slope = np.maximum(counts - sums[index], 0.0), rates[index], slopes[index]
        # the root of rate*x + slope/2*x^2 = missing in the form that stays exact for tiny slopes and rates
        reach = rate + np.sqrt(np.maximum(rate * rate + 2 * slope * missing, 0.0))
        never = np.where(missing > _NOTHING, math.inf, 0.0)  # what underflows is nothing
        into = np.divide(2 * missing, reach, out=never, where=reach > 0)
        longest = np.diff(times, append=math.inf)  # a piece too short for its slope ends where it ends
        moments: Floats = times[index] + np.minimum(into, longest[index])
        return moments

    def then(self, after: "Profile", *, at: float) -> "Profile":
        """This profile until ``at``, from there on ``after`` from its own start."""
        if not 0 < at < math.inf:
            raise ValueError(f"another profile follows at {at!r} s; expected a time above 0")
        kept = [point for point in self.points if point[0] < at]
        later = [(at + time, rate) for time, rate in after.points]
        return Profile(points=_through([*kept, (at, self.before(at)), *later]))

    def plus(self, other: "Profile") -> "Profile":
        """Both at once."""
        times = sorted({time for time, _ in (*self.points, *other.points)})
        sums: list[Point] = []
        for time in times:
            sums.append((time, self.before(time) + other.before(time)))
            sums.append((time, self.rate(time) + other.rate(time)))
        return Profile(points=_through(sums))

    def scaled(self, factor: float) -> "Profile":
        """The same curve with every rate multiplied."""
        return Profile(points=tuple((time, rate * factor) for time, rate in self.points))

    def before(self, elapsed: float) -> float:
        """The rate just before this moment; where the curve steps, before the step."""
        index = bisect_left(self.points, elapsed, key=lambda point: point[0]) - 1
        if index < 0:
            return self.points[0][1]
        return self.points[index][1] + self._slope(index) * (elapsed - self.points[index][0])

    def _piece_at(self, elapsed: float) -> int:
        return max(0, bisect_right(self.points, elapsed, key=lambda point: point[0]) - 1)

    def _slope(self, index: int) -> float:
        if index + 1 == len(self.points):
            return 0.0
        (t0, r0), (t1, r1) = self.points[index], self.points[index + 1]
        return (r1 - r0) / (t1 - t0) if t1 - t0 > _STEP_S else 0.0  # over next to no time it is a step


def _through(points: Iterable[Point]) -> tuple[Point, ...]:
    """The points without those that say what the one before has said; rounding makes no rate negative."""
    kept: list[Point] = []
    for time, rate in points:
        point = (time, max(0.0, rate))
        if not kept or kept[-1] != point:
            kept.append(point)
    return tuple(kept)
