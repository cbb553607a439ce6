"""The record of a run: what its folder says, as arrays that can be judged.

Counters become arrays of shape (operations, seconds), indexed by the second of the *intended* start; lines
about the same second and operation add up. A run that was cut short is read as far as it got.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import ceil, floor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slo import histogram, jsonl, manifest
from slo.errors import RecordError
from slo.manifest import Manifest
from slo.statistics import PROXY_SHARE

Counts = NDArray[np.int64]
Mask = NDArray[np.bool_]
Event = Mapping[str, Any]

MOST_SECONDS = 14 * 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """A phase as it really was: epoch seconds. `ended` is False when the run stopped in the middle of it."""

    name: str
    experiment: str | None
    start: float
    end: float
    ended: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One value of a CloudWatch series, about [t, t + period)."""

    t: float
    series: str
    dimensions: tuple[tuple[str, str], ...]
    stat: str
    period: float
    value: float


@dataclass(frozen=True, kw_only=True)
class Counters:
    """Arrays of shape (operations, seconds); column 0 is epoch second `start`.

    `bad` is by class, `slower` by threshold in seconds, percentiles are in seconds and NaN where nothing
    was answered.
    """

    start: int
    operations: tuple[str, ...]
    planned: Counts
    intended: Counts
    sent: Counts
    ok: Counts
    bad: Mapping[str, Counts]
    slower: Mapping[float, Counts]
    p50: NDArray[np.float64]
    p99: NDArray[np.float64]

    @property
    def seconds(self) -> int:
        """How many seconds the arrays span."""
        return int(self.planned.shape[1])

    @property
    def end(self) -> int:
        """Epoch second after the last one."""
        return self.start + self.seconds

    @cached_property
    def failed(self) -> Counts:
        """Bad answers of every class."""
        return sum(self.bad.values(), np.zeros_like(self.ok))

    def rows(self, operations: Iterable[str]) -> NDArray[np.intp]:
        """Row numbers of the operations that were seen."""
        wanted = set(operations)
        return np.array([row for row, slug in enumerate(self.operations) if slug in wanted], dtype=np.intp)

    def within(self, start: float, end: float) -> slice:
        """Columns of the whole seconds inside [start, end)."""
        first = min(max(ceil(start) - self.start, 0), self.seconds)
        last = min(max(floor(end) - self.start, first), self.seconds)
        return slice(first, last)

    def counted(self, threshold: float) -> Counts | None:
        """The array of answers not faster than `threshold` seconds, if it was counted."""
        return next((array for limit, array in self.slower.items() if abs(limit - threshold) < 1e-9), None)


@dataclass(frozen=True, kw_only=True)
class Record:
    """A run folder in memory."""

    folder: Path
    manifest: Manifest
    counters: Counters
    phases: tuple[Phase, ...]
    events: tuple[Event, ...]
    metrics: tuple[Point, ...]
    ledger: tuple[Event, ...]
    _tails: dict[object, histogram.Tail] = field(default_factory=dict, repr=False, compare=False)

    @property
    def state(self) -> str:
        """`complete`, or `cut-short` for everything the manifest does not call complete."""
        return "complete" if self.manifest.state == "complete" else "cut-short"

    @cached_property
    def histograms(self) -> histogram.Log:
        """The latency log, read when first asked for; empty when there is none."""
        path = self.folder / "latency.hlog"
        return histogram.read(path) if path.exists() else histogram.Log(intervals={})

    @cached_property
    def valid(self) -> Counts:
        """Arrivals that can be judged, (operations, seconds).

        An arrival without an answer is a bad one, unless the run was cut short (or is still going on) and
        the client would still have waited for it.
        """
        counters = self.counters
        answered = counters.ok + counters.failed
        valid = np.maximum(counters.intended, answered)
        if self.state != "complete":
            tail = max(counters.seconds - ceil(self.manifest.timeout_s), 0)
            valid[:, tail:] = answered[:, tail:]
        settled: Counts = valid
        return settled

    @cached_property
    def bad(self) -> Counts:
        """Arrivals without a good answer, (operations, seconds)."""
        bad: Counts = self.valid - self.counters.ok
        return bad

    def tail(self, slug: str, starts: tuple[float, ...]) -> histogram.Tail:
        """Good answers of an operation in these intervals of the log, against their 95th percentile."""
        key = (slug, starts)
        if key not in self._tails:
            self._tails[key] = self.histograms.tail(f"{slug}.ok", starts, 1 - PROXY_SHARE)
        return self._tails[key]

    def of_kind(self, kind: str, **fields: object) -> list[Event]:
        """Events of a kind whose fields have these values, by time."""
        return [
            event
            for event in self.events
            if event.get("kind") == kind and all(event.get(name) == value for name, value in fields.items())
        ]


def read(folder: Path) -> Record:
    """Read a run folder.

    Raises:
        RecordError: names the file, the line and what is wrong with it.
    """
    if not folder.is_dir():
        raise RecordError(f"{folder}: no such folder; expected the folder of a run")
    described = manifest.read(folder)
    events = sorted(jsonl.read(folder / "events.jsonl", missing_ok=True), key=_time(folder / "events.jsonl"))
    counters = read_counters(folder / "counters.jsonl")
    return Record(
        folder=folder,
        manifest=described,
        counters=counters,
        phases=_phases(described, events, last=float(counters.end)),
        events=tuple(events),
        metrics=_metrics(folder / "metrics.jsonl"),
        ledger=tuple(jsonl.read(folder / "ledger.jsonl", missing_ok=True)),
    )


def read_counters(path: Path) -> Counters:
    """Read `counters.jsonl` alone (for a live view)."""
    lines = jsonl.read(path, missing_ok=True)
    try:
        return _counters(lines)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise RecordError(f"{path}: {_culprit(lines)}; the file was not written by this schema") from error


def _counters(lines: Sequence[Mapping[str, Any]]) -> Counters:
    seconds = np.array([line["t"] for line in lines], dtype=np.int64)
    slugs = tuple(sorted({line["op"] for line in lines}))
    start = int(seconds.min()) if len(lines) else 0
    span = int(seconds.max()) - start + 1 if len(lines) else 0
    if span > MOST_SECONDS:
        raise ValueError(f"the lines span {span} seconds")
    rows = {slug: row for row, slug in enumerate(slugs)}
    at = (np.array([rows[line["op"]] for line in lines], dtype=np.intp), seconds - start)
    shape = (len(slugs), span)

    def total(values: Iterable[int]) -> Counts:
        array = np.fromiter(values, dtype=np.int64, count=len(lines))
        if (array < 0).any():
            raise ValueError("a negative count")
        grid = np.zeros(shape, dtype=np.int64)
        np.add.at(grid, at, array)
        return grid

    classes = sorted({name for line in lines for name in line.get("bad", ())})
    limits = sorted({text for line in lines for text in line.get("slower", ())})
    ok = total(line.get("ok", 0) for line in lines)
    return Counters(
        start=start,
        operations=slugs,
        planned=total(line.get("planned", 0) for line in lines),
        intended=total(line.get("intended", 0) for line in lines),
        sent=total(line.get("sent", 0) for line in lines),
        ok=ok,
        bad={name: total(line.get("bad", {}).get(name, 0) for line in lines) for name in classes},
        slower={float(text): total(line.get("slower", {}).get(text, 0) for line in lines) for text in limits},
        p50=_shown(lines, "p50", at, shape),
        p99=_shown(lines, "p99", at, shape),
    )


def _shown(
    lines: Sequence[Mapping[str, Any]], name: str, at: tuple[NDArray[np.intp], Counts], shape: tuple[int, int]
) -> NDArray[np.float64]:
    """Percentiles for display: the mean over a cell's lines, weighted by their answers."""
    known = np.array([line.get(name) is not None and line.get("ok", 0) > 0 for line in lines], dtype=bool)
    values = np.array([line.get(name) or 0.0 for line in lines], dtype=float)
    weights = np.where(known, [float(line.get("ok", 0)) for line in lines], 0.0) if lines else np.zeros(0)
    top, bottom = np.zeros(shape), np.zeros(shape)
    np.add.at(top, at, values * weights)
    np.add.at(bottom, at, weights)
    mean: NDArray[np.float64] = np.divide(top, bottom, out=np.full(shape, np.nan), where=bottom > 0)
    return mean


def _culprit(lines: Sequence[Mapping[str, Any]]) -> str:
    """Which line does not add up on its own."""
    for number, line in enumerate(lines, start=1):
        try:
            _counters([line])
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            return f"line {number} is not a line of counters ({type(error).__name__}: {error})"
    return "its lines are not of one run"


def _phases(described: Manifest, events: Sequence[Event], *, last: float) -> tuple[Phase, ...]:
    """Pair the starts and ends of phases; one without an end lasts as long as there are counters."""
    phases: list[Phase] = []
    open_: dict[tuple[str, str | None], float] = {}
    for event in events:
        if event.get("kind") != "phase":
            continue
        key = (str(event.get("name")), event.get("experiment"))
        if event.get("edge") == "start":
            open_[key] = float(event["t"])
        elif key in open_:
            phases.append(_phase(key, open_.pop(key), float(event["t"]), ended=True))
    stop = next((float(e["t"]) for e in events if e.get("kind") == "load" and e.get("edge") == "end"), last)
    phases.extend(
        _phase(key, start, max(start, min(stop, last)), ended=described.state == "complete")
        for key, start in open_.items()
    )
    return tuple(sorted(phases, key=lambda phase: phase.start))


def _phase(key: tuple[str, str | None], start: float, end: float, *, ended: bool) -> Phase:
    return Phase(name=key[0], experiment=key[1], start=start, end=end, ended=ended)


def _metrics(path: Path) -> tuple[Point, ...]:
    """Points by time; the same point collected twice counts once, the last value standing."""
    points: dict[tuple[object, ...], Point] = {}
    for number, line in enumerate(jsonl.read(path, missing_ok=True), start=1):
        try:
            point = Point(
                t=float(line["t"]),
                series=f"{line['namespace']}.{line['metric']}",
                dimensions=tuple(sorted(line.get("dimensions", {}).items())),
                stat=str(line["stat"]),
                period=float(line["period"]),
                value=float(line["value"]),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise RecordError(f"{path}:{number}: not a metric ({type(error).__name__}: {error})") from error
        points[point.t, point.series, point.dimensions, point.stat] = point
    return tuple(sorted(points.values(), key=lambda point: (point.t, point.series, point.dimensions)))


def _time(path: Path) -> Callable[[Event], float]:
    def key(event: Event) -> float:
        try:
            return float(event["t"])
        except (KeyError, TypeError, ValueError) as error:
            raise RecordError(
                f"{path}: an event without a time: {dict(event)!r}; expected a field 't'"
            ) from error

    return key
