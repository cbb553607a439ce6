"""HdrHistogram logs (version 1.2 lines with V2 histograms), read and written as numpy arrays.

Every histogram of a run has one layout: whole microseconds from 1 us to 1 h, 3 significant digits. An array
of counts in that layout is all there is to it: arrays add, and `encode` writes what the hdrh package would.
"""

import base64
import re
import struct
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from slo.errors import RecordError

LOWEST, HIGHEST, DIGITS = 1, 3_600_000_000, 3
SUB_BITS = 11
HALF = 1 << (SUB_BITS - 1)
SIZE = 23 * HALF

_COOKIE = 0x1C849303 | 0x10
_COMPRESSED = 0x1C849304 | 0x10
_HEADER = struct.Struct(">IIIIQQd")
_OUTER = struct.Struct(">II")
_LINE = re.compile(r"(?:Tag=([^,\s]+),)?([0-9.]+),([0-9.]+),([0-9.]+),([A-Za-z0-9+/=]+)")
_START = re.compile(r"#\[StartTime: *([0-9.]+)")

Histogram = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """One interval of a log, still encoded: an hour's intervals would fill memory as arrays."""

    where: str
    text: str

    def sparse(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Bucket numbers and counts of the buckets that are not empty.

        Raises:
            RecordError: it is damaged; names file and line.
        """
        try:
            return _sparse(self.text)
        except ValueError as error:
            raise RecordError(f"{self.where}: {error}; the file was damaged after it was written") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Tail:
    """The histogram over all intervals, and by interval the values above its quantile and all values."""

    total: Histogram
    above: Histogram
    every: Histogram


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """Intervals by tag, then by epoch second of their start; those of one tag and start add up."""

    intervals: Mapping[str, Mapping[float, Sequence[Interval]]]
    length: float = 10.0

    def merged(self, tags: Iterable[str], starts: Iterable[float] | None = None) -> Histogram:
        """One histogram of all these tags, and of these intervals only if given.

        Raises:
            RecordError: an interval is damaged; names file and line.
        """
        total = empty()
        wanted = None if starts is None else tuple(starts)
        for tag in tags:
            of_tag = self.intervals.get(tag, {})
            for start in of_tag if wanted is None else wanted:
                for interval in of_tag.get(start, ()):
                    places, values = interval.sparse()
                    total[places] += values
        return total

    def tail(self, tag: str, starts: Sequence[float], q: float) -> "Tail":
        """What lies above a tag's own q-quantile over all these intervals."""
        of_tag = self.intervals.get(tag, {})
        parts = [[interval.sparse() for interval in of_tag.get(start, ())] for start in starts]
        total = empty()
        for places, values in (pair for part in parts for pair in part):
            total[places] += values
        bucket = int(np.searchsorted(np.cumsum(total), max(q * int(total.sum()), 1)))
        above = [sum(int(values[places > bucket].sum()) for places, values in part) for part in parts]
        every = [sum(int(values.sum()) for _, values in part) for part in parts]
        return Tail(total=total, above=np.array(above, dtype=np.int64), every=np.array(every, dtype=np.int64))

    def starts(self, start: float, end: float) -> tuple[float, ...]:
        """Starts of the intervals that lie wholly in [start, end), over all tags."""
        every = {begun for of_tag in self.intervals.values() for begun in of_tag}
        return tuple(sorted(begun for begun in every if start <= begun and begun + self.length <= end))


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


def above(counts: Histogram, seconds: float) -> int:
    """How many values lie in buckets above the bucket of `seconds`."""
    bucket = int(index(np.array([round(seconds * 1e6)]))[0])
    return int(counts[bucket + 1 :].sum())


def encode(counts: Histogram) -> str:
    """The base64 text of a histogram: V2, zlib-compressed, byte for byte what hdrh encodes."""
    used = np.flatnonzero(counts)
    body = _varints(counts[: int(used[-1]) + 1]) if used.size else b""
    header = _HEADER.pack(_COOKIE, len(body), 0, DIGITS, LOWEST, HIGHEST, 1.0)
    packed = zlib.compress(header + body)
    return base64.b64encode(_OUTER.pack(_COMPRESSED, len(packed)) + packed).decode("ascii")


def decode(text: str) -> Histogram:
    """The counts of an encoded histogram.

    Raises:
        ValueError: damaged, or of another layout than this project writes.
    """
    counts = empty()
    places, values = _sparse(text)
    counts[places] = values
    return counts


def _sparse(text: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Bucket numbers and counts of the buckets that are not empty."""
    try:
        raw = base64.b64decode(text, validate=True)
        cookie, length = _OUTER.unpack_from(raw)
        if cookie & ~0xF0 != _COMPRESSED & ~0xF0 or length != len(raw) - _OUTER.size:
            raise ValueError("not a compressed V2 histogram of that length")
        content = zlib.decompress(raw[_OUTER.size :])
        inner, size, offset, digits, lowest, high, _ = _HEADER.unpack_from(content)
    except (zlib.error, struct.error) as error:
        raise ValueError(f"not a V2 histogram: {error}") from error
    if inner & ~0xF0 != _COOKIE & ~0xF0 or size != len(content) - _HEADER.size:
        raise ValueError(f"not a V2 histogram of that length: cookie {inner:#x}")
    if (offset, digits, lowest, high) != (0, DIGITS, LOWEST, HIGHEST):
        raise ValueError(
            f"{digits} digits from {lowest} to {high}; expected {DIGITS} digits from {LOWEST} to {HIGHEST}"
        )
    words = _words(np.frombuffer(content, dtype=np.uint8, offset=_HEADER.size))
    counted = words > 0
    steps = np.where(counted, 1, -words)
    places = (np.cumsum(steps) - steps)[counted]
    if places.size and places[-1] >= SIZE:
        raise ValueError("more counts than the layout has")
    return places, words[counted]


def _words(body: NDArray[np.uint8]) -> NDArray[np.int64]:
    """ZigZag LEB128 words below 2**55, so that no word needs the ninth byte, which has no flag."""
    if not body.size:
        return np.zeros(0, dtype=np.int64)
    ends = np.flatnonzero(body < 0x80)
    if not ends.size or ends[-1] != body.size - 1:
        raise ValueError("a count is cut off")
    begins = np.concatenate(([0], ends[:-1] + 1))
    lengths = ends - begins + 1
    if lengths.max() > 8:
        raise ValueError("a count beyond 2**55")
    shifts = 7 * (np.arange(body.size) - np.repeat(begins, lengths))
    words = np.add.reduceat((body & 0x7F).astype(np.int64) << shifts, begins)
    unsigned: NDArray[np.int64] = (words >> 1) ^ -(words & 1)
    if (unsigned == 0).any():
        raise ValueError("a run of zeros of no length")
    return unsigned


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
    intervals: dict[str, dict[float, list[Interval]]] = {}
    begun, length = 0.0, 10.0
    lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
    for number, content in enumerate(lines, start=1):
        if started := _START.match(content):
            begun = float(started[1])
        if not content or content[0] in '#"':
            continue
        found = _LINE.fullmatch(content)
        if found is None or number == len(lines):
            if number == len(lines):
                break
            raise RecordError(
                f"{path}:{number}: not an interval line; the file was damaged after it was written"
            )
        length = float(found[3]) or length
        of_tag = intervals.setdefault(found[1] or "", {})
        of_tag.setdefault(begun + float(found[2]), []).append(
            Interval(where=f"{path}:{number}", text=found[5])
        )
    return Log(intervals=intervals, length=length)


def _varints(counts: Histogram) -> bytes:
    """Counts as ZigZag LEB128 words; a run of zeros is one negative word."""
    body = bytearray()
    used = np.flatnonzero(counts)
    before = -1
    for place, count in zip(used.tolist(), counts[used].tolist(), strict=True):
        if zeros := place - before - 1:
            _put(body, -zeros)
        _put(body, count)
        before = place
    return bytes(body)


def _put(body: bytearray, value: int) -> None:
    word = (value << 1) ^ (value >> 63)
    while word >= 0x80:
        body.append(word & 0x7F | 0x80)
        word >>= 7
    body.append(word)
