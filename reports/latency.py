"""Percentiles out of latency.hlog, in seconds: counts are merged, percentiles never averaged."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from slo import histogram
from slo.errors import RecordError
from slo.histogram import Histogram, Interval, Log


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """How the latencies of `count` answers spread; `p` maps a quantile such as 0.99 to its value."""

    count: int
    p: dict[float, float]
    longest: float


def read(path: Path) -> tuple[Log, tuple[str, ...]]:
    """The log and what is wrong with it; damaged intervals are left out, an unreadable log is empty."""
    nothing = Log(intervals={})
    if not path.is_file():
        return nothing, ()
    try:
        found = histogram.read(path)
    except (RecordError, ValueError, OSError) as error:
        return nothing, (f"no percentiles: {error}",)
    trouble: list[str] = []
    damaged = [tag for tag in found.intervals if not _whole(found, tag)]
    if not damaged:
        return found, ()
    sound = {
        tag: {start: [one for one in parts if _sound(one, trouble)] for start, parts in of_tag.items()}
        for tag, of_tag in found.intervals.items()
    }
    return Log(intervals=sound, length=found.length), tuple(trouble)


def _whole(log: Log, tag: str) -> bool:
    try:
        log.merged([tag])
    except RecordError:
        return False
    return True


def _sound(interval: Interval, trouble: list[str]) -> bool:
    try:
        interval.sparse()
    except RecordError as error:
        trouble.append(f"interval left out: {error}")
        return False
    return True


def spread(counts: Histogram, quantiles: Iterable[float]) -> Spread | None:
    """The spread of one histogram; None when it holds nothing."""
    used = np.flatnonzero(counts)
    if not used.size:
        return None
    values = {q: histogram.quantile(counts, q) for q in quantiles}
    return Spread(
        count=int(counts.sum()),
        p={q: value for q, value in values.items() if value is not None},
        longest=float(histogram.highest(used[-1:])[0]) / 1e6,
    )


def by_interval(log: Log, tags: Iterable[str], quantiles: Iterable[float]) -> dict[float, Spread]:
    """Interval start in epoch seconds -> the spread of these tags taken together."""
    wanted, asked = tuple(tags), tuple(quantiles)
    starts = sorted({start for tag in wanted for start in log.intervals.get(tag, {})})
    spreads = {start: spread(log.merged(wanted, [start]), asked) for start in starts}
    return {start: found for start, found in spreads.items() if found is not None}
