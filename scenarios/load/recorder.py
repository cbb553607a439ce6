"""What happened, per second and operation: exact counters, latency histograms, exemplars.

Recording one answer is three array appends; once a second ``flush`` turns the buffers into the lines of
counters.jsonl (deltas that add up) and of latency.hlog (parts of 10 s intervals, which add up as well), so a
process that is killed takes no more than its last second with it. Seconds are those of the *intended* start,
and latency counts from it, so a system that stops answering cannot hide behind a client that waits for it.
Everything intended is resolved exactly once: as ok, or as one of BAD_CLASSES. Knows no clock and no gevent:
``flush`` is an iterator so that its caller can let other work in between two steps.
"""

from __future__ import annotations  # array takes no subscript at run time before Python 3.12

import math
from array import array
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from scenarios.errors import UnknownNameError
from scenarios.load.operation import Operation
from scenarios.load.sink import NullSink, Sink, lines
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
    "stale",
    "leak",
)
OK = 0
INTERVAL_S = 10
EXEMPLARS = 5
MOST_OPERATIONS = 500
LONGEST_S = histogram.HIGHEST / 1e6
_FULL = 200_000
_RECENT = 10
_PLANNED, _INTENDED, _SENT = 1, 2, 4
_MARKS, _OUTCOMES = 8, 16
Floats = NDArray[np.float64]
Whole = NDArray[np.int64]


class _Codes(dict[str, int]):
    def __missing__(self, name: str) -> NoReturn:
        raise UnknownNameError(f"the outcome {name!r} is not ok or one of {', '.join(BAD_CLASSES)}")


class _Index(dict[str, int]):
    def __missing__(self, slug: str) -> NoReturn:
        raise UnknownNameError(
            f"the operation {slug!r} was never declared: names are bounded; list it in the scenario's "
            f"operations (known: {', '.join(sorted(self)[:10])} ...)"
        )


_CODES = _Codes({"ok": OK} | {name: code for code, name in enumerate(BAD_CLASSES, start=OK + 1)})


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
    ``worker`` names the process where there are several. ``slow`` holds each operation's slowest good answer.
    """

    def __init__(
        self,
        *,
        sink: Sink,
        operations: Sequence[Operation],
        thresholds: Sequence[Sequence[float]],
        start: float,
        worker: str = "",
    ) -> None:
        self._sink = sink
        self._worker = worker
        self._slugs: list[str] = []
        self._index = _Index()
        self._thresholds: list[tuple[float, ...]] = []
        for operation, limits in zip(operations, thresholds, strict=True):
            self.learn(operation, limits)
        self._marks: array[float] = array("d")  # (operation and marks, moment) by twos
        self._rows: array[float] = array("d")  # (operation and outcome, moment, latency, service) by fours
        self._start = math.floor(start)
        sink.append("latency.hlog", histogram.opening(self._start))
        self._events: list[dict[str, Any]] = []
        self._shown: Counter[tuple[str, str]] = Counter()
        self._slowest: dict[str, tuple[float, str]] = {}
        self.slow: dict[str, float] = {}
        self._sums: Counter[str] = Counter()
        self._recent: deque[Floats] = deque(maxlen=_RECENT)
        self.services: Floats = np.zeros(0)

    def learn(self, operation: Operation, thresholds: Sequence[float] = ()) -> None:
        """Take another operation; nothing for a known one, UnknownNameError beyond MOST_OPERATIONS."""
        if operation.slug in self._index:
            return
        if len(self._slugs) >= MOST_OPERATIONS:
            raise UnknownNameError(
                f"more than {MOST_OPERATIONS} operations, the next is {operation.name!r}: name them by their "
                "template, without ids"
            )
        self._index[operation.slug] = len(self._slugs)
        self._slugs.append(operation.slug)
        self._thresholds.append(tuple(thresholds))

    def planned(self, slug: str, at: float) -> None:
        """A flow would make this operation, and never came to it."""
        self._marks.extend((self._index[slug] * _MARKS + _PLANNED, at))

    def intended(self, slug: str, at: float) -> None:
        """The operation is due (it counts as planned too); it must be resolved later."""
        self._marks.extend((self._index[slug] * _MARKS + _PLANNED + _INTENDED, at))

    def sent(self, slug: str, at: float) -> None:
        """The operation intended for ``at`` was begun on the wire."""
        self._marks.extend((self._index[slug] * _MARKS + _SENT, at))

    def begun(self, slug: str, at: float) -> None:
        """``intended`` and ``sent`` at once."""
        self._marks.extend((self._index[slug] * _MARKS + _PLANNED + _INTENDED + _SENT, at))

    def resolve(
        self, slug: str, at: float, outcome: str, *, latency: float = math.nan, service: float = math.nan
    ) -> None:
        """The end of an operation intended for ``at``: ``outcome`` is "ok" or a bad class; seconds."""
        rows = self._rows
        rows.extend((self._index[slug] * _OUTCOMES + _CODES[outcome], at, latency, service))
        if len(rows) >= 4 * _FULL:  # whoever should flush does not come round: stay within bounds
            for _ in self.flush(at):
                pass

    def exemplar(self, slug: str, kind: str, *, at: float, detail: str, request_id: str) -> None:
        """Keep a few instances of each failure; the rest is only counted."""
        if self._shown[slug, kind] < EXEMPLARS:
            self._shown[slug, kind] += 1
            self.event(_exemplar(at, slug, kind, detail, request_id))

    def slowest(self, slug: str, latency: float, *, at: float, request_id: str) -> None:
        """Remember the slowest good answer of each operation."""
        if latency > self.slow.get(slug, 0.0):
            self.slow[slug] = latency
            self._slowest[slug] = (at, request_id)

    def event(self, line: dict[str, Any]) -> None:
        """Write a line to events.jsonl with the next flush; a generator's own line names the worker."""
        named = self._worker and line.get("kind") == "generator"
        self._events.append(line | {"worker": self._worker} if named else line)

    def totals(self) -> Totals:
        """Sums since the start, what has not been flushed included."""
        sums = self._sums + _sums(self._marks, self._rows)
        bad = {name: sums[name] for name in BAD_CLASSES if sums[name]}
        return Totals(planned=sums["planned"], intended=sums["intended"], ok=sums["ok"], bad=bad)

    def recent_p99(self) -> float:
        """p99 of the good answers of the last flushes that no call has seen yet, seconds; NaN without any."""
        recent = np.concatenate(self._recent) if self._recent else np.zeros(0)
        self._recent.clear()
        return _percentile(np.sort(recent), 0.99) if recent.size else math.nan

    def flush(self, now: float) -> Iterator[None]:
        """Write what has gathered by ``now``; yields between steps of well under a millisecond."""
        marks, self._marks = self._marks, array("d")
        rows, self._rows = self._rows, array("d")
        self._sums += _sums(marks, rows)
        yield
        table = _Table(rows=rows, marks=marks, operations=len(self._slugs))
        self._look_at(table, now)
        yield
        counted = []
        for key in table.touched():
            counted.append(self._line(key, table))
            yield
        self._sink.append("counters.jsonl", lines(counted))
        events, self._events = self._events, []
        self._sink.append("events.jsonl", lines(events))
        yield
        yield from self._write_times(table)

    def close(self, now: float) -> None:
        """Write everything that is left."""
        for slug, (at, request_id) in sorted(self._slowest.items()):
            self.event(_exemplar(at, slug, "slowest", f"{self.slow[slug]:.6f} s", request_id))
        for _ in self.flush(now):
            pass

    def _look_at(self, table: _Table, now: float) -> None:
        good = table.outcome == OK
        self.services = table.service[good]
        if self.services.size:
            self._recent.append(table.latency[good])
        if clamped := int((table.latency > LONGEST_S).sum()):
            self.event({"t": now, "kind": "clamped", "count": clamped, "longest": LONGEST_S})

    def _line(self, key: tuple[int, int], table: _Table) -> dict[str, Any]:
        second, op = key
        rows = table.of(key)
        outcome, good = table.outcome[rows], table.outcome[rows] == OK
        times = np.sort(table.latency[rows][good])
        planned, intended, sent = table.marked.get(key, (0, 0, 0))
        bad = np.bincount(outcome[~good], minlength=_OUTCOMES)
        line: dict[str, Any] = {"t": second, "op": self._slugs[op]}
        line |= {"planned": planned, "intended": intended, "sent": sent, "ok": int(times.size)}
        line["bad"] = {name: int(bad[_CODES[name]]) for name in BAD_CLASSES if bad[_CODES[name]]}
        line["slower"] = {f"{limit:g}": int((times >= limit).sum()) for limit in self._thresholds[op]}
        if times.size:
            line["p50"], line["p99"] = _percentile(times, 0.5), _percentile(times, 0.99)
            line["service_p50"] = _percentile(np.sort(table.service[rows][good]), 0.5)
        return line

    def _write_times(self, table: _Table) -> Iterator[None]:
        """Append this flush's part of each interval's histograms."""
        parts: dict[tuple[int, str], list[Whole]] = {}
        for (second, op), rows in table.groups.items():
            interval = (second - self._start) // INTERVAL_S
            good = table.outcome[rows] == OK
            failed = ~good & ~np.isnan(table.latency[rows])
            for tag, mask in ((".ok", good), (".bad", failed)):
                if mask.any():
                    parts.setdefault((interval, self._slugs[op] + tag), []).append(rows[mask])
        written = []
        for (interval, tag), found in sorted(parts.items()):
            chosen = np.concatenate(found)
            for name, values in ((tag, table.latency), (f"{tag}.service", table.service)):
                counts = histogram.record(values[chosen])
                written.append(histogram.line(name, interval * INTERVAL_S, INTERVAL_S, counts))
                yield
        self._sink.append("latency.hlog", "".join(written))


@cache
def warm_up() -> None:
    """Flush once for nothing: numpy's first calls take tens of milliseconds, which would be start lag."""
    nothing = Operation(slug="nothing", method="GET", path="/")
    books = Recorder(sink=NullSink(), operations=[nothing], thresholds=[(1.0,)], start=0.0)
    for outcome in ("ok", "timeout"):
        books.intended("nothing", 0.0)
        books.resolve("nothing", 0.0, outcome, latency=0.001, service=0.001)
    books.close(1.0)
    books.recent_p99()


class _Table:
    """One flush's buffers as columns, and their rows by (second, operation index)."""

    def __init__(self, *, rows: array[float], marks: array[float], operations: int) -> None:
        columns = np.frombuffer(rows).reshape(-1, 4).T
        codes = columns[0].astype(np.int64)
        self.outcome: Whole = codes % _OUTCOMES
        self.latency: Floats = np.ascontiguousarray(columns[2])
        self.service: Floats = np.ascontiguousarray(columns[3])
        keys = np.floor(columns[1]).astype(np.int64) * operations + codes // _OUTCOMES
        self.groups: dict[tuple[int, int], Whole] = {}
        for group in _alike(keys):
            self.groups[divmod(int(keys[group[0]]), operations)] = group
        self.marked = _marked(marks, operations)

    def touched(self) -> list[tuple[int, int]]:
        """Every (second, operation index) that something happened to, in order."""
        return sorted(self.groups.keys() | self.marked.keys())

    def of(self, key: tuple[int, int]) -> Whole:
        """The rows resolved for a key."""
        return self.groups.get(key, np.zeros(0, dtype=np.int64))


def _marked(marks: array[float], operations: int) -> dict[tuple[int, int], tuple[int, int, int]]:
    """Planned, intended and sent per (second, operation index)."""
    codes, at = np.frombuffer(marks).reshape(-1, 2).T
    what = codes.astype(np.int64)
    keys = np.floor(at).astype(np.int64) * operations + what // _MARKS
    found = {}
    for group in _alike(keys):
        here = what[group]
        planned, intended, sent = (int(((here & bit) > 0).sum()) for bit in (_PLANNED, _INTENDED, _SENT))
        found[divmod(int(keys[group[0]]), operations)] = (planned, intended, sent)
    return found


def _alike(keys: Whole) -> list[Whole]:
    """Row numbers of each value, in order."""
    if not keys.size:
        return []
    order = np.argsort(keys, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(keys[order])) + 1)


def _sums(marks: array[float], rows: array[float]) -> Counter[str]:
    """What the buffers add to the totals."""
    what = np.frombuffer(marks)[::2].astype(np.int64)
    outcomes = np.bincount(np.frombuffer(rows)[::4].astype(np.int64) % _OUTCOMES, minlength=_OUTCOMES)
    sums = Counter({name: int(outcomes[code]) for name, code in _CODES.items()})
    sums["planned"] = int(((what & _PLANNED) > 0).sum())
    sums["intended"] = int(((what & _INTENDED) > 0).sum())
    return sums


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
