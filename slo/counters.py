"""`counters.jsonl` as arrays of shape (operations, seconds), indexed by the second of the *intended* start.

Lines about the same second and operation add up, in whatever order they stand. Whole numbers are whole,
counts are not below zero, and no more answers were slow than there were; a line that says otherwise is
refused.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import ceil, floor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slo import forms, jsonl
from slo.errors import RecordError
from slo.plain import MOST, NAMES, Plain, limit

Counts = NDArray[np.int64]
Floats = NDArray[np.float64]
Line = Mapping[str, Any]

MOST_SECONDS = 14 * 86_400
LONGEST_GAP_S = 3600
_WRONG = (KeyError, TypeError, ValueError, AttributeError, OverflowError)


@dataclass(frozen=True, kw_only=True)
class Counters:
    """Arrays of shape (operations, seconds); column 0 is epoch second `start`.

    `bad` is by class, `slower` by threshold in seconds, percentiles are in seconds and NaN where nothing
    was answered. `unseen` are the good answers of which nobody counted whether they were slower. `lines` is
    how many lines the file had, `repeated` how many of them are copies of others.
    """

    start: int
    operations: tuple[str, ...]
    planned: Counts
    intended: Counts
    sent: Counts
    ok: Counts
    bad: Mapping[str, Counts]
    slower: Mapping[float, Counts]
    p50: Floats
    p99: Floats
    unseen: Mapping[float, Counts] = field(default_factory=dict)
    lines: int = 0
    repeated: int = 0

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
        return _at(self.slower, threshold)

    def uncounted(self, threshold: float) -> Counts:
        """Good answers of which it was not counted whether they were slower than `threshold` seconds."""
        found = _at(self.unseen, threshold)
        return np.zeros_like(self.ok) if found is None else found


def _at(arrays: Mapping[float, Counts], threshold: float) -> Counts | None:
    return next((array for known, array in arrays.items() if abs(known - threshold) < 1e-9), None)


def read(path: Path) -> Counters:
    """Read the file; one that is not there is empty.

    Raises:
        RecordError: names the line and what is wrong with it, or says why the lines are not of one run.
    """
    columns = _Columns()
    for piece in jsonl.pieces(path, missing_ok=True):
        if columns.take_block(piece.content.removesuffix(b"\n") if piece.last else piece.content):
            continue
        for numbers, lines in piece.parts(finite=False):
            try:
                columns.take(lines)
            except _WRONG as error:
                culprit = _culprit(numbers, lines) or f"line {numbers[0]} and those after it: {error}"
                raise RecordError(f"{path}: {culprit}; the file was not written by this schema") from None
    try:
        return columns.counters()
    except ValueError as error:
        raise RecordError(f"{path}: its lines are not of one run: {error}") from error


class _Columns:
    """The lines' fields, column by column: an hour's lines as objects would fill the memory."""

    def __init__(self) -> None:
        self.lines = 0
        self.rows: dict[str, int] = {}
        self.whole: dict[str, list[Counts]] = {name: [] for name in ("t", "op", *NAMES)}
        self.times: dict[str, list[Floats]] = {"p50": [], "p99": []}
        self.bad: dict[str, array[int]] = {}
        self.slower: dict[str, array[int]] = {}

    def take(self, lines: Sequence[Line]) -> None:
        """Append some lines."""
        ok = _whole([line["ok"] for line in lines])
        self.whole["t"].append(_whole([line["t"] for line in lines]))
        self.whole["op"].append(_whole([self._row(line["op"]) for line in lines]))
        for name in NAMES:
            self.whole[name].append(ok if name == "ok" else _whole([line[name] for line in lines]))
        for name, kept in self.times.items():
            kept.append(_seconds([line.get(name) for line in lines]))
        for place, line in enumerate(lines, start=self.lines):
            if bad := line.get("bad"):
                for name, count in bad.items():
                    _put(self.bad, name, place, _one(count))
        self._slow([line.get("slower") or _NOTHING for line in lines], ok)
        self.lines += len(lines)

    def take_block(self, content: bytes) -> bool:
        """Append these lines all at once; False, and nothing is appended, if one is out of the way."""
        found = forms.block(content)
        rest = None if found is None else Plain.of(found, self.slower)
        if rest is None:
            return False
        for name, values in rest.whole.items():
            self.whole[name].append(values)
        self.whole["op"].append(np.array([self._row(slug) for slug in rest.slugs], dtype=np.int64)[rest.form])
        for name, times in rest.times.items():
            self.times[name].append(times)
        for kept, tables in ((self.bad, rest.bad), (self.slower, rest.slower)):
            for name, (lines, counts) in tables.items():
                pairs = np.stack([lines + self.lines, counts], axis=1)
                kept.setdefault(name, array("q")).frombytes(pairs.tobytes())
        self.lines += int(rest.form.size)
        return True

    def _slow(self, slower: Sequence[Mapping[str, int]], ok: Counts) -> None:
        for text in dict.fromkeys(key for one in slower for key in one):
            if text not in self.slower:
                self._new(text)
            places = [place for place, one in enumerate(slower) if text in one]
            counts = _whole([slower[place][text] for place in places])
            more = np.flatnonzero(counts > ok[places])
            if more.size:
                most = ok[places[more[0]]]
                raise ValueError(f"{counts[more[0]]} answers slower than {text} s of {most}")
            pairs = np.stack([np.array(places, dtype=np.int64) + self.lines, counts], axis=1)
            self.slower.setdefault(text, array("q")).frombytes(pairs.tobytes())

    def _row(self, slug: object) -> int:
        if not isinstance(slug, str):
            raise TypeError(f"op {slug!r}")
        return self.rows.setdefault(slug, len(self.rows))

    def _new(self, text: str) -> None:
        if limit(text) in {limit(known) for known in self.slower}:
            raise ValueError(f"{text!r} is a threshold that was written otherwise before")

    def counters(self) -> Counters:
        """All lines as arrays; ValueError when they are too far apart."""
        column = {name: _joined(parts) for name, parts in self.whole.items()}
        start, span = _span(column["t"])
        slugs = sorted(self.rows)
        order = np.array([slugs.index(slug) for slug in self.rows] or [0], dtype=np.intp)
        grid = _Grid(at=order[column["op"]] * span + (column["t"] - start), shape=(len(slugs), span))
        ok = grid.sum(column["ok"])
        limits = {text: limit(text) for text in sorted(self.slower)}
        times = {name: np.concatenate([np.zeros(0), *parts]) for name, parts in self.times.items()}
        weights = column["ok"].astype(float)
        return Counters(
            start=start,
            operations=tuple(slugs),
            planned=grid.sum(column["planned"]),
            intended=grid.sum(column["intended"]),
            sent=grid.sum(column["sent"]),
            ok=ok,
            bad={name: grid.sum(*_pairs(found)) for name, found in sorted(self.bad.items())},
            slower={at: grid.sum(*_pairs(self.slower[text])) for text, at in limits.items()},
            p50=grid.mean(times["p50"], weights),
            p99=grid.mean(times["p99"], weights),
            unseen={
                at: ok - grid.sum(*_seen(self.slower[text], column["ok"])) for text, at in limits.items()
            },
            lines=self.lines,
            repeated=_repeated([*column.values(), *(one.view(np.int64) for one in times.values())], weights),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Grid:
    """Where each line belongs."""

    at: NDArray[np.intp]
    shape: tuple[int, int]

    def sum(self, values: Counts, places: NDArray[np.intp] | None = None) -> Counts:
        """Sums by cell: of every line its value, or of the lines at these places."""
        grid = np.zeros(self.shape[0] * self.shape[1], dtype=np.int64)
        np.add.at(grid, self.at if places is None else self.at[places], values)
        return grid.reshape(self.shape)

    def mean(self, values: Floats, weights: Floats) -> Floats:
        """Percentiles for display: the mean over a cell's lines, weighted by their answers."""
        known = np.isfinite(values) & (weights > 0)
        cells = self.shape[0] * self.shape[1]
        top, bottom = np.zeros(cells), np.zeros(cells)
        np.add.at(top, self.at, np.where(known, values, 0.0) * weights)
        np.add.at(bottom, self.at, np.where(known, weights, 0.0))
        mean: Floats = np.divide(top, bottom, out=np.full(cells, np.nan), where=bottom > 0)
        return mean.reshape(self.shape)


_NOTHING: Mapping[str, int] = {}
_MIX = np.uint64(0x9E3779B97F4A7C15)  # odd, so that no bit of a column is lost


def _put(kept: dict[str, array[int]], name: str, place: int, count: int) -> None:
    kept.setdefault(name, array("q")).extend((place, count))


def _pairs(found: array[int]) -> tuple[Counts, NDArray[np.intp]]:
    """Counts, and the places of their lines."""
    both = np.array(found, dtype=np.int64).reshape(-1, 2)
    return both[:, 1], both[:, 0]


def _seen(found: array[int], ok: Counts) -> tuple[Counts, NDArray[np.intp]]:
    """The good answers of the lines that counted a threshold, and the places of those lines."""
    places = _pairs(found)[1]
    return ok[places], places


def _whole(values: list[Any]) -> Counts:
    if not {type(value) for value in values} <= {int}:
        odd = next(value for value in values if type(value) is not int)
        raise TypeError(f"{odd!r} is not a whole number")
    array = np.array(values, dtype=np.int64)
    if array.size and (array.min() < 0 or array.max() > MOST):
        raise ValueError("a negative count, or one beyond all reason")
    return array


def _one(count: object) -> int:
    if type(count) is not int or not 0 <= count <= MOST:
        raise ValueError(f"a negative count, or none at all: {count!r}")
    return count


def _seconds(values: list[Any]) -> Floats:
    array = np.array([np.nan if value is None else float(value) for value in values], dtype=float)
    if np.isinf(array).any():
        raise ValueError("a latency beyond every number")
    return array


def _joined(parts: Sequence[Counts]) -> Counts:
    return np.concatenate([np.zeros(0, dtype=np.int64), *parts])


def _span(seconds: Counts) -> tuple[int, int]:
    """The first second, and how many there are up to the last."""
    if not seconds.size:
        return 0, 0
    seen = np.unique(seconds)
    span = int(seen[-1] - seen[0]) + 1
    if span > MOST_SECONDS:
        raise ValueError(f"they span {span} seconds")
    gaps = np.diff(seen)
    if gaps.size and gaps.max() > LONGEST_GAP_S:
        place = int(gaps.argmax())
        raise ValueError(f"nothing between second {seen[place]} and second {seen[place + 1]}")
    return int(seen[0]), span


def _repeated(columns: Sequence[Counts], weights: Floats) -> int:
    """How many lines with answers are copies of another: every number in them is the same."""
    marks = np.zeros(weights.size, dtype=np.uint64)
    for column in columns:
        marks = marks * _MIX + column.view(np.uint64)
    marks = marks[weights > 0]
    return int(marks.size - np.unique(marks).size)


def _culprit(numbers: Sequence[int], lines: Sequence[Line]) -> str:
    """Which line does not add up on its own; empty if each does."""
    for number, line in zip(numbers, lines, strict=True):
        try:
            _Columns().take([line])
        except _WRONG as error:
            return f"line {number} is not a line of counters ({type(error).__name__}: {error})"
    return ""
