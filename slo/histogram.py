"""HdrHistogram logs (version 1.2 lines with V2 histograms), read and written as numpy arrays.

Every histogram of a run has one layout: whole microseconds from 1 us to 1 h, 3 significant digits. An array
of counts in that layout is all there is to it: arrays add, and `encode` writes what the hdrh package would.
"""

import re
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from slo import packed
from slo.errors import RecordError

LOWEST, HIGHEST, DIGITS = packed.LOWEST, packed.HIGHEST, packed.DIGITS
SUB_BITS = 11
SIZE = packed.SIZE

_HEAD = re.compile(rb"(?:Tag=([^,\s]+),)?([0-9]+(?:\.[0-9]*)?),([0-9]+(?:\.[0-9]*)?)")
_START = re.compile(rb"#\[StartTime: *([0-9]+(?:\.[0-9]*)?)")
_TOGETHER = 4096

Histogram = NDArray[np.int64]
Text = str | bytes


class Interval(NamedTuple):
    """One part of an interval of a log, still encoded."""

    where: str
    text: Text
    number: int = 0

    def sparse(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Bucket numbers and counts of the buckets that are not empty.

        Raises:
            RecordError: it is damaged; names file and line.
        """
        try:
            return packed.sparse(self.text)
        except ValueError as error:
            where = f"{self.where}:{self.number}" if self.number else self.where
            raise RecordError(f"{where}: {error}; the file was damaged after it was written") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """The parts of one interval as lines of a file; an hour has a hundred thousand, hence no objects.

    `ends` are the lines' last fields with the line break, `numbers` those of the lines.
    """

    where: str
    ends: list[bytes] = field(default_factory=list)
    numbers: "array[int]" = field(default_factory=lambda: array("q"))

    def __iter__(self) -> Iterator[Interval]:
        for text, number in zip(self.texts(), self.numbers, strict=True):
            yield Interval(self.where, text, number)

    def texts(self) -> list[bytes]:
        """The encoded histograms."""
        return [end[:-1] for end in self.ends]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tail:
    """The histogram over all intervals, and by interval the values above its quantile and all values."""

    total: Histogram
    above: Histogram
    every: Histogram


@dataclass(frozen=True, slots=True, kw_only=True)
class _Decoded:
    """All counts of one tag, by interval: which interval (a place in `starts`), which bucket, how many."""

    starts: tuple[float, ...]
    edges: Mapping[float, tuple[int, int]]
    interval: NDArray[np.int32]
    bucket: NDArray[np.int32]
    count: NDArray[np.int64]

    def part(self, start: float) -> slice:
        """Where the counts of one interval stand."""
        return slice(*self.edges.get(start, (0, 0)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """Intervals by tag, then by epoch second of their start; those of one tag and start add up.

    A tag is decoded as a whole when it is first asked for, and kept.
    """

    intervals: Mapping[str, Mapping[float, Iterable[Interval]]]
    length: float = 10.0
    _known: dict[str, _Decoded] = field(default_factory=dict, repr=False, compare=False)

    def merged(self, tags: Iterable[str], starts: Iterable[float] | None = None) -> Histogram:
        """One histogram of all these tags, and of these intervals only if given.

        Raises:
            RecordError: an interval is damaged; names file and line.
        """
        total = empty()
        wanted = None if starts is None else tuple(starts)
        for tag in tags:
            found = self._of(tag)
            if wanted is None:
                total += _summed(found.bucket, found.count)
                continue
            for start in wanted:
                part = found.part(start)
                np.add.at(total, found.bucket[part], found.count[part])
        return total

    def tail(self, tag: str, starts: Sequence[float], q: float) -> "Tail":
        """What lies above a tag's own q-quantile over all these intervals."""
        found = self._of(tag)
        place = _places(found, starts)
        inside = place >= 0
        place, buckets, counts = place[inside], found.bucket[inside], found.count[inside]
        total = _summed(buckets, counts)
        edge = int(np.searchsorted(np.cumsum(total), max(q * int(total.sum()), 1)))
        beyond = buckets > edge
        return Tail(
            total=total,
            above=_summed(place[beyond], counts[beyond], len(starts)),
            every=_summed(place, counts, len(starts)),
        )

    def starts(self, start: float, end: float) -> tuple[float, ...]:
        """Starts of the intervals that lie wholly in [start, end), over all tags."""
        every = {begun for of_tag in self.intervals.values() for begun in of_tag}
        return tuple(sorted(begun for begun in every if start <= begun and begun + self.length <= end))

    def _of(self, tag: str) -> _Decoded:
        if tag not in self._known:
            self._known[tag] = _decoded(self.intervals.get(tag, {}))
        return self._known[tag]


def _decoded(of_tag: Mapping[float, Iterable[Interval]]) -> _Decoded:
    starts = tuple(of_tag)
    parts = [_texts(one) for one in of_tag.values()]
    owners = np.repeat(np.arange(len(starts), dtype=np.int32), [len(one) for one in parts])
    texts = [text for one in parts for text in one]
    intervals, buckets, counts = [], [], []
    for begun in range(0, len(texts), _TOGETHER):
        try:
            which, bucket, count = packed.together(texts[begun : begun + _TOGETHER])
        except ValueError:
            _name_damaged(of_tag)
            raise
        intervals.append(owners[begun : begun + _TOGETHER][which])
        buckets.append(bucket.astype(np.int32))
        counts.append(count)
    interval = np.concatenate([np.zeros(0, dtype=np.int32), *intervals])
    edges = np.searchsorted(interval, np.arange(len(starts) + 1)).tolist()
    return _Decoded(
        starts=starts,
        edges=dict(zip(starts, pairwise(edges), strict=True)),
        interval=interval,
        bucket=np.concatenate([np.zeros(0, dtype=np.int32), *buckets]),
        count=np.concatenate([np.zeros(0, dtype=np.int64), *counts]),
    )


def _texts(parts: Iterable[Interval]) -> Sequence[Text]:
    return parts.texts() if isinstance(parts, Lines) else [one.text for one in parts]


def _name_damaged(of_tag: Mapping[float, Iterable[Interval]]) -> None:
    """Raise the error of the first damaged part."""
    for parts in of_tag.values():
        for one in parts:
            one.sparse()


def _places(found: _Decoded, starts: Sequence[float]) -> NDArray[np.int64]:
    """For each count its place in `starts`, -1 for those of other intervals."""
    wanted = {start: place for place, start in enumerate(starts)}
    table = np.array([wanted.get(start, -1) for start in found.starts] or [-1], dtype=np.int64)
    places: NDArray[np.int64] = table[found.interval]
    return places


def _summed(keys: NDArray[Any], counts: NDArray[np.int64], size: int = SIZE) -> Histogram:
    total = np.zeros(size, dtype=np.int64)
    np.add.at(total, keys, counts)
    return total


def empty() -> Histogram:
    """A histogram of nothing."""
    return np.zeros(SIZE, dtype=np.int64)


def index(microseconds: NDArray[np.int64]) -> NDArray[np.int64]:
    """Bucket numbers of values; values outside the range are clamped to it."""
    values = np.clip(microseconds, 0, HIGHEST)
    # The exponent of a float64 is the exact bit length: HIGHEST is far below 2**53.
    bucket = np.maximum(np.frexp(values.astype(np.float64))[1] - SUB_BITS, 0).astype(np.int64)
    numbers: NDArray[np.int64] = (bucket << (SUB_BITS - 1)) + (values >> bucket)
    return numbers


def record(seconds: NDArray[np.float64]) -> Histogram:
    """The histogram of latencies in seconds."""
    values = np.maximum(np.rint(np.asarray(seconds) * 1e6), LOWEST).astype(np.int64)
    return np.bincount(index(values), minlength=SIZE).astype(np.int64)


def highest(buckets: NDArray[np.int64]) -> NDArray[np.int64]:
    """The greatest value in microseconds that falls into each bucket."""
    bucket = np.maximum((buckets >> (SUB_BITS - 1)) - 1, 0)
    sub = buckets - (bucket << (SUB_BITS - 1))
    greatest: NDArray[np.int64] = ((sub + 1) << bucket) - 1
    return greatest


def quantile(counts: Histogram, q: float, n: int | None = None) -> float | None:
    """Seconds that the fraction q of `n` values does not exceed (highest equivalent value).

    `n` may exceed the histogram's own count: the values it does not hold are taken as infinite, and the
    answer is None when the rank falls among them. None also for no values.
    """
    held = int(counts.sum())
    total = held if n is None else n
    rank = max(int(np.ceil(q * total - 1e-9)), 1)
    if total == 0 or rank > held:
        return None
    bucket = np.searchsorted(np.cumsum(counts), rank)
    return float(highest(np.array([bucket]))[0]) / 1e6


def encode(counts: Histogram) -> str:
    """The base64 text of a histogram: V2, zlib-compressed, byte for byte what hdrh encodes."""
    return packed.pack(counts)


def decode(text: Text) -> Histogram:
    """The counts of an encoded histogram.

    Raises:
        ValueError: damaged, or of another layout than this project writes.
    """
    counts = empty()
    places, values = packed.sparse(text)
    counts[places] = values
    return counts


def opening(start: float) -> str:
    """The lines a log begins with; interval times are relative to `start` (epoch seconds)."""
    return (
        "#[Histogram log format version 1.2]\n"
        f"#[BaseTime: {start:.3f} (seconds since epoch)]\n"
        f"#[StartTime: {start:.3f} (seconds since epoch), run]\n"
        '"StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"\n'
    )


def line(tag: str, offset: float, length: float, counts: Histogram) -> str:
    """One interval: tag, seconds after the log's start, length; its maximum is written in milliseconds."""
    used = np.flatnonzero(counts)
    most = float(highest(used[-1:])[0]) / 1e3 if used.size else 0.0
    return f"Tag={tag},{offset:.3f},{length:.3f},{most:.3f},{encode(counts)}\n"


def read(path: Path) -> Log:
    """Read a log; a last line that its writer did not finish is dropped.

    Raises:
        RecordError: any other line that is not an interval; names file and line.
    """
    intervals: dict[str, dict[float, Lines]] = {}
    known: dict[bytes, Lines] = {}
    where = str(path)
    begun, length = 0.0, 10.0
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if line[:1] in b'#"\n':
                if started := _START.match(line):
                    begun, known = float(started[1]), {}
                continue
            head, *rest = line.rsplit(b",", 2)
            parts = known.get(head)
            if parts is None or not line.endswith(b"\n"):
                found = _HEAD.fullmatch(head)
                if not line.endswith(b"\n"):
                    break
                if found is None or len(rest) != 2:
                    raise RecordError(
                        f"{path}:{number}: not an interval line; the file was damaged after it was written"
                    )
                length = float(found[3]) or length
                of_tag = intervals.setdefault((found[1] or b"").decode(errors="replace"), {})
                parts = known[head] = of_tag.setdefault(begun + float(found[2]), Lines(where=where))
            parts.ends.append(rest[1])
            parts.numbers.append(number)
    return Log(intervals=intervals, length=length)
