"""CloudWatch series of a run, as aligned arrays, and what its alarms did."""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from slo.objective import Objective
from slo.record import Point, Record

OK, ALARM, INSUFFICIENT = 0.0, 1.0, -1.0
ALARM_STATE = "Gameday.AlarmState"
ALARM_INPUT, ALARM_INPUT_ELSEWHERE = "Gameday.AlarmInput", "Gameday.AlarmInputElsewhere"

_PREFERRED = {
    "sum": ("Sum", "Average", "Maximum"),
    "max": ("Maximum", "Average", "Sum"),
    "mean": ("Average", "Maximum", "Sum"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Values of the periods that begin at `t`; `period` is the usual length."""

    t: NDArray[np.float64]
    values: NDArray[np.float64]
    period: float

    def only(self, chosen: NDArray[np.bool_]) -> "Series":
        """These values alone."""
        return replace(self, t=self.t[chosen], values=self.values[chosen])

    def inside(self, windows: Sequence[tuple[float, float]]) -> "Series":
        """The values of the periods that lie wholly in one of the windows."""
        chosen = np.zeros(self.t.size, dtype=bool)
        for start, end in windows:
            chosen |= (self.t >= start) & (self.t + self.period <= end)
        return self.only(chosen)


def total(
    record: Record, names: Sequence[str], *, dimensions: Sequence[tuple[str, str]] = (), reduce: str = "sum"
) -> Series:
    """The sum of several series where all of them have a value.

    Over dimensions a Sum adds up, a Maximum takes the greatest and anything else the mean. When a series
    was collected with several statistics, the one that suits `reduce` is taken.
    """
    wanted = set(dimensions)
    of_name: dict[str, list[Point]] = defaultdict(list)
    for point in record.metrics:
        if point.series in names and wanted <= set(point.dimensions):
            of_name[point.series].append(point)
    columns = [_merged(of_name[name], reduce) for name in names]
    times = sorted(set.intersection(*(set(column) for column in columns))) if columns else []
    periods = Counter(point.period for points in of_name.values() for point in points)
    return Series(
        t=np.array(times, dtype=float),
        values=np.array([sum(column[t] for column in columns) for t in times], dtype=float),
        period=periods.most_common(1)[0][0] if periods else 0.0,
    )


def _merged(points: Sequence[Point], reduce: str) -> dict[float, float]:
    stats = {point.stat for point in points}
    stat = next((one for one in _PREFERRED[reduce] if one in stats), next(iter(sorted(stats)), ""))
    at: dict[float, list[float]] = defaultdict(list)
    for point in points:
        if point.stat == stat:
            at[point.t].append(point.value)
    if stat == "Sum":
        return {t: sum(values) for t, values in at.items()}
    if stat == "Maximum":
        return {t: max(values) for t, values in at.items()}
    return {t: sum(values) / len(values) for t, values in at.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class States:
    """An alarm's changes by time: from `t[i]` on it was in state `levels[i]`."""

    name: str
    t: tuple[float, ...]
    levels: tuple[float, ...]

    def at(self, moment: float) -> float | None:
        """Its state at that time; None if it is not known."""
        place = bisect_right(self.t, moment)
        return self.levels[place - 1] if place else None

    def since(self, moment: float) -> float:
        """Since when it has been in the state of that time."""
        place = bisect_right(self.t, moment) - 1
        while place > 0 and self.levels[place - 1] == self.levels[place]:
            place -= 1
        return self.t[max(place, 0)]

    def first(self, level: float, after: float, before: float) -> float | None:
        """When it first went to that state in (after, before)."""
        return next(
            (t for t, one in zip(self.t, self.levels, strict=True) if one == level and after < t < before),
            None,
        )

    def between(self, start: float, end: float) -> list[float]:
        """The states that it went to inside (start, end)."""
        return [one for t, one in zip(self.t, self.levels, strict=True) if start < t < end]


def alarm_of(objective: Objective) -> str:
    """The alarm that an objective's dimensions name.

    Raises:
        ValueError: they name none.
    """
    name = dict(objective.dimensions).get("AlarmName", "")
    if not name:
        raise ValueError(
            f"objective {objective.id!r} names no alarm; expected dimensions = {{ AlarmName = ... }}"
        )
    return name


def states(record: Record, alarm: str) -> States:
    """What is known of an alarm: its state when the run began, then each change."""
    points = [p for p in record.metrics if p.series == ALARM_STATE and ("AlarmName", alarm) in p.dimensions]
    return States(name=alarm, t=tuple(p.t for p in points), levels=tuple(p.value for p in points))


def alarm_input(record: Record, alarm: str) -> tuple[float | None, float]:
    """Values that an alarm's own metric got in this run, and those of the same name with other dimensions.

    None where the run did not note it: an alarm on an expression, or one that takes silence as breaching.
    """
    found: dict[str, float] = {}
    for point in record.metrics:
        if ("AlarmName", alarm) in point.dimensions:
            found[point.series] = point.value
    return found.get(ALARM_INPUT), found.get(ALARM_INPUT_ELSEWHERE, 0.0)
