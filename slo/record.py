"""The record of a run: what its folder says, as arrays that can be judged.

Counters become arrays of shape (operations, seconds), indexed by the second of the *intended* start; lines
about the same second and operation add up. A run that was cut short is read as far as it got.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np

from slo import baseline, counters, histogram, jsonl, ledger, manifest
from slo.baseline import Baseline
from slo.counters import Counters, Counts
from slo.errors import RecordError
from slo.ledger import Ledger
from slo.manifest import Manifest
from slo.statistics import PROXY_SHARE

Event = Mapping[str, Any]


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
class Record:
    """A run folder in memory."""

    folder: Path
    manifest: Manifest
    counters: Counters
    phases: tuple[Phase, ...]
    events: tuple[Event, ...]
    metrics: tuple[Point, ...]
    ledger: Ledger
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
    def baseline(self) -> Baseline:
        """What earlier runs measured, as it was written down before this one was judged.

        Raises:
            RecordError: it is damaged.
        """
        return baseline.read(self.folder)

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
    counted = counters.read(folder / "counters.jsonl")
    return Record(
        folder=folder,
        manifest=described,
        counters=counted,
        phases=_phases(events, last=float(counted.end)),
        events=tuple(events),
        metrics=_metrics(folder / "metrics.jsonl"),
        ledger=ledger.rewound(ledger.read(folder / "ledger.jsonl"), _rewinds(events, folder)),
    )


def _rewinds(events: Sequence[Event], folder: Path) -> list[tuple[float, float]]:
    """The restores to a point in time: that point, and when its state began to be served."""
    try:
        return [
            (jsonl.number(event["to"]), jsonl.number(event["t"]))
            for event in events
            if event.get("kind") == "rewind"
        ]
    except (KeyError, TypeError) as error:
        path = folder / "events.jsonl"
        raise RecordError(f"{path}: a rewind without a time; expected 'to' ({error})") from error


def _phases(events: Sequence[Event], *, last: float) -> tuple[Phase, ...]:
    """Pair the starts and ends of phases; one without an end lasts as long as there are counters."""
    phases: list[Phase] = []
    open_: dict[tuple[str, str | None], float] = {}
    for event in events:
        if event.get("kind") != "phase":
            continue
        experiment = event.get("experiment")
        key = (str(event.get("name")), None if experiment is None else str(experiment))
        if event.get("edge") == "start":
            open_[key] = float(event["t"])
        elif key in open_:
            phases.append(_phase(key, open_.pop(key), float(event["t"]), ended=True))
    stop = next((float(e["t"]) for e in events if e.get("kind") == "load" and e.get("edge") == "end"), last)
    phases.extend(
        _phase(key, start, max(start, min(stop, last)), ended=False) for key, start in open_.items()
    )
    return tuple(sorted(phases, key=lambda phase: phase.start))


def _phase(key: tuple[str, str | None], start: float, end: float, *, ended: bool) -> Phase:
    return Phase(name=key[0], experiment=key[1], start=start, end=end, ended=ended)


def _metrics(path: Path) -> tuple[Point, ...]:
    """Points by time; the same point collected twice counts once, the last value standing."""
    points: dict[tuple[object, ...], Point] = {}
    for numbers, lines in jsonl.parts(path, missing_ok=True):
        for number, line in zip(numbers, lines, strict=True):
            try:
                point = _point(line)
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                raise RecordError(
                    f"{path}:{number}: not a metric ({type(error).__name__}: {error})"
                ) from error
            points[point.t, point.series, point.dimensions, point.stat] = point
    return tuple(sorted(points.values(), key=lambda point: (point.t, point.series, point.dimensions)))


def _point(line: Mapping[str, Any]) -> Point:
    period = jsonl.number(line["period"])
    if period < 0:  # an alarm's change has none
        raise ValueError(f"a period of {period:g} s")
    return Point(
        t=jsonl.number(line["t"]),
        series=f"{line['namespace']}.{line['metric']}",
        dimensions=tuple(
            sorted((str(name), str(value)) for name, value in line.get("dimensions", {}).items())
        ),
        stat=str(line["stat"]),
        period=period,
        value=jsonl.number(line["value"]),
    )


def _time(path: Path) -> Callable[[Event], float]:
    def key(event: Event) -> float:
        try:
            return jsonl.number(event["t"])
        except (KeyError, TypeError) as error:
            raise RecordError(
                f"{path}: an event without a time: {str(dict(event))[:200]}; expected a number as field 't'"
            ) from error

    return key
