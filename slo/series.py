"""CloudWatch series of a run, as aligned arrays."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from slo.record import Point, Record

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
