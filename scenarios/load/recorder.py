"""What happened, per second and operation: exact counters, latency histograms, exemplars.

Recording one answer is a handful of array appends; once a second ``flush`` turns the buffers into the lines
of counters.jsonl (deltas that add up) and, every 10 s, of latency.hlog. Seconds are those of the *intended*
start, and latency counts from it, so a system that stops answering cannot hide behind a client that waits for
it. Everything intended is resolved exactly once: as ok, or as one of BAD_CLASSES. Knows no clock and no
gevent: ``flush`` is an iterator so that its caller can let other work in between two steps.
"""

from __future__ import annotations  # array takes no subscript at run time before Python 3.12

import math
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenarios.load.operation import Operation
from scenarios.load.sink import Sink, lines
from slo import histogram

BAD_CLASSES = (
    "dropped_system",
    "dropped_generator",
    "connect",
    "reset",
    "timeout",
    "protocol",
    "http_4xx",
    "http_5xx",
    "status",
    "content",
    "leak",
)
OK = 0
INTERVAL_S = 10
EXEMPLARS = 5
_FULL = 200_000
_CODES = {name: code for code, name in enumerate(BAD_CLASSES, start=OK + 1)}
_PLANNED, _INTENDED, _SENT = range(3)
Floats = NDArray[np.float64]


@dataclass(slots=True)
class _Buffer:
    """One row per resolved operation; latencies in seconds, NaN where nothing was sent."""

    second: array[int] = field(default_factory=lambda: array("q"))
    op: array[int] = field(default_factory=lambda: array("q"))
    outcome: array[int] = field(default_factory=lambda: array("q"))
    latency: array[float] = field(default_factory=lambda: array("d"))
    service: array[float] = field(default_factory=lambda: array("d"))
    marks: dict[tuple[int, int], list[int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Running sums since the start, for progress lines and exit messages."""

    planned: int
    intended: int
    ok: int
    bad: dict[str, int]


class Recorder:
    """Collects one process's outcomes and writes them to ``sink``.

    ``thresholds[i]`` are the latencies (s) counted exactly for ``operations[i]``. Moments are epoch seconds.
    ``worker`` names the process where there are several.
    """

    def __init__(
        self,
        *,
        sink: Sink,
        operations: Sequence[Operation],
        thresholds: Sequence[Sequence[float]],
        start: float,
        linger_s: float = 10.0,
        worker: str = "",
    ) -> None:
        self._sink = sink
        self._worker = worker
        self._slugs = [each.slug for each in operations]
        self._index = {slug: index for index, slug in enumerate(self._slugs)}
        self._thresholds = [tuple(values) for values in thresholds]
        self._buffer = _Buffer()
        self._linger_s = linger_s
        self._start = math.floor(start)
        sink.append("latency.hlog", histogram.opening(self._start))
        self._pending: dict[tuple[int, str], list[Floats]] = {}
        self._events: list[dict[str, Any]] = []
        self._shown: dict[tuple[str, str], int] = {}
        self._slowest: dict[str, tuple[float, float, str]] = {}
        self._sums = [0, 0, 0]
        self._bad = dict.fromkeys(BAD_CLASSES, 0)
        self._ok = 0
        self._recent: list[Floats] = []

    def planned(self, slug: str, at: float) -> None:
        """A flow would make this operation, and never came to it."""
        self._mark(slug, at, _PLANNED)

    def intended(self, slug: str, at: float) -> None:
        """The operation is due (it counts as planned too); it must be resolved later."""
        self._mark(slug, at, _PLANNED)
        self._mark(slug, at, _INTENDED)

    def sent(self, slug: str, at: float) -> None:
        """The operation intended for ``at`` was begun on the wire."""
        self._mark(slug, at, _SENT)

    def resolve(
        self, slug: str, at: float, outcome: str, *, latency: float = math.nan, service: float = math.nan
    ) -> None:
        """The end of an operation intended for ``at``: ``outcome`` is "ok" or a bad class; seconds."""
        buffer = self._buffer
        buffer.second.append(int(at))
        buffer.op.append(self._index[slug])
        buffer.outcome.append(OK if outcome == "ok" else _CODES[outcome])
        buffer.latency.append(latency)
        buffer.service.append(service)
        if outcome == "ok":
            self._ok += 1
        else:
            self._bad[outcome] += 1
        if len(buffer.second) >= _FULL:  # whoever should flush does not come round: stay within bounds
            for _ in self.flush(at):
                pass

    def exemplar(self, slug: str, kind: str, *, at: float, detail: str, request_id: str) -> None:
        """Keep a few instances of each failure; the rest is only counted."""
        shown = self._shown.get((slug, kind), 0)
        if shown < EXEMPLARS:
            self._shown[slug, kind] = shown + 1
            self.event(_exemplar(at, slug, kind, detail, request_id))

    def slowest(self, slug: str, latency: float, *, at: float, request_id: str) -> None:
        """Remember the slowest good answer of each operation."""
        if latency > self._slowest.get(slug, (0.0, 0.0, ""))[0]:
            self._slowest[slug] = (latency, at, request_id)

    def event(self, line: dict[str, Any]) -> None:
        """Write a line to events.jsonl with the next flush; a generator's own line names the worker."""
        named = self._worker and line.get("kind") == "generator"
        self._events.append(line | {"worker": self._worker} if named else line)

    def totals(self) -> Totals:
        """Sums since the start."""
        bad = {name: count for name, count in self._bad.items() if count}
        return Totals(planned=self._sums[_PLANNED], intended=self._sums[_INTENDED], ok=self._ok, bad=bad)

    def recent_p99(self) -> float:
        """p99 of the good answers flushed since the last call, seconds; NaN without any."""
        recent, self._recent = self._recent, []
        return _percentile(np.sort(np.concatenate(recent)), 0.99) if recent else math.nan

    def flush(self, now: float) -> Iterator[None]:
        """Write what has gathered; yields between steps of about a millisecond."""
        buffer, self._buffer = self._buffer, _Buffer()
        groups = dict(_groups(buffer, len(self._slugs)))
        written = []
        for second, op in sorted(groups.keys() | buffer.marks.keys()):
            rows = groups.get((second, op), slice(0, 0))
            written.append(self._line(second, op, buffer, rows))
            yield
        self._sink.append("counters.jsonl", lines(written))
        events, self._events = self._events, []
        self._sink.append("events.jsonl", lines(events))
        yield from self._write_intervals(before=now - self._linger_s)

    def close(self, now: float) -> None:
        """Write everything that is left."""
        for slug, (latency, at, request_id) in sorted(self._slowest.items()):
            self.event(_exemplar(at, slug, "slowest", f"{latency:.6f} s", request_id))
        for _ in self.flush(now):
            pass
        for _ in self._write_intervals(before=math.inf):
            pass

    def _mark(self, slug: str, at: float, what: int) -> None:
        key = (int(at), self._index[slug])
        counts = self._buffer.marks.get(key)
        if counts is None:
            counts = self._buffer.marks[key] = [0, 0, 0]
        counts[what] += 1
        self._sums[what] += 1

    def _line(self, second: int, op: int, buffer: _Buffer, rows: slice | NDArray[np.int64]) -> dict[str, Any]:
        outcome = np.frombuffer(buffer.outcome, dtype=np.int64)[rows]
        latency = np.frombuffer(buffer.latency, dtype=np.float64)[rows]
        service = np.frombuffer(buffer.service, dtype=np.float64)[rows]
        good, failed = outcome == OK, (outcome != OK) & ~np.isnan(latency)
        for tag, mask in ((".ok", good), (".bad", failed)):
            if mask.any():
                self._keep(second, self._slugs[op] + tag, latency[mask])
                self._keep(second, self._slugs[op] + tag + ".service", service[mask])
        times = np.sort(latency[good])
        if times.size:
            self._recent.append(times)
        planned, intended, sent = buffer.marks.get((second, op), (0, 0, 0))
        bad = np.bincount(outcome[~good], minlength=len(BAD_CLASSES) + 1)
        line: dict[str, Any] = {"t": second, "op": self._slugs[op]}
        line |= {"planned": planned, "intended": intended, "sent": sent, "ok": int(times.size)}
        line["bad"] = {name: int(bad[code]) for name, code in _CODES.items() if bad[code]}
        line["slower"] = {f"{limit:g}": int((times >= limit).sum()) for limit in self._thresholds[op]}
        if times.size:
            line["p50"], line["p99"] = _percentile(times, 0.5), _percentile(times, 0.99)
            line["service_p50"] = _percentile(np.sort(service[good]), 0.5)
        return line

    def _keep(self, second: int, tag: str, values: Floats) -> None:
        interval = (second - self._start) // INTERVAL_S
        self._pending.setdefault((interval, tag), []).append(values)

    def _write_intervals(self, *, before: float) -> Iterator[None]:
        ended = [key for key in self._pending if self._start + (key[0] + 1) * INTERVAL_S <= before]
        written = []
        for interval, tag in sorted(ended):
            counts = histogram.record(np.concatenate(self._pending.pop((interval, tag))))
            written.append(histogram.line(tag, interval * INTERVAL_S, INTERVAL_S, counts))
            yield
        self._sink.append("latency.hlog", "".join(written))


def _groups(buffer: _Buffer, width: int) -> Iterator[tuple[tuple[int, int], NDArray[np.int64]]]:
    """Row numbers per (second, operation index)."""
    if not buffer.second:
        return
    seconds = np.frombuffer(buffer.second, dtype=np.int64)
    keys = seconds * width + np.frombuffer(buffer.op, dtype=np.int64)
    order = np.argsort(keys, kind="stable")
    cuts = np.flatnonzero(np.diff(keys[order])) + 1
    for rows in np.split(order, cuts):
        second, op = divmod(int(keys[rows[0]]), width)
        yield (second, op), rows


def _percentile(ordered: Floats, q: float) -> float:
    """Nearest rank, so that the figure is one that was measured."""
    return float(ordered[max(0, math.ceil(q * ordered.size) - 1)])


def _exemplar(at: float, slug: str, kind: str, detail: str, request_id: str) -> dict[str, Any]:
    return {
        "t": at,
        "kind": "exemplar",
        "op": slug,
        "class": kind,
        "detail": detail[:500],
        "request_id": request_id,
    }
