"""Chart geometry: ticks, scales, downsampling and SVG path data. Pure; knows neither runs nor markup.

A series is a list of points (x, y) in the order of x; where nothing was measured, y is None: a gap.
Paths are drawn in a box of WIDTH x height units that the page stretches sideways only, so that text keeps its
size.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

WIDTH = 1000.0
MOST_POINTS = 600

Point = tuple[float, float | None]
_NICE_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
_TIME_STEPS = (1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """Maps a value of `domain` (low, high) to `box` (at low, at high); values outside are held at the edge.

    A logarithmic scale needs a domain above zero; anything at or below zero is drawn at the low edge.
    """

    domain: tuple[float, float]
    box: tuple[float, float]
    log: bool = False

    def __call__(self, value: float) -> float:
        """The position of `value`."""
        low, high = self.domain
        share = _log_share(value, low, high) if self.log else _share(value, low, high)
        start, end = self.box
        return start + min(1.0, max(0.0, share)) * (end - start)


def _share(value: float, low: float, high: float) -> float:
    return 0.0 if high <= low else (value - low) / (high - low)


def _log_share(value: float, low: float, high: float) -> float:
    return 0.0 if value <= 0 else _share(math.log10(value), math.log10(low), math.log10(high))


def linear_ticks(high: float, count: int = 4) -> list[float]:
    """Round values from 0 to at least `high`, about `count` steps of 1, 2, 2.5 or 5 times a power of ten."""
    if not high > 0 or not math.isfinite(high):
        return [0.0, 1.0]
    rough = high / count
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(nice * power for nice in _NICE_STEPS if nice * power >= rough * (1 - 1e-9))
    steps = math.ceil(high / step - 1e-9)
    return [round(i * step, 12) for i in range(steps + 1)]


def log_ticks(low: float, high: float) -> list[float]:
    """Whole decades around low..high (both above 0), at least one decade."""
    first, last = math.floor(math.log10(low) + 1e-9), math.ceil(math.log10(high) - 1e-9)
    return [10.0**power for power in range(first, max(last, first + 1) + 1)]


def time_ticks(span: float, count: int = 8) -> list[float]:
    """Seconds since the start, at most `count` steps of a length clocks show."""
    if not span > 0:
        return [0.0]
    step = next((s for s in _TIME_STEPS if span / s <= count), math.ceil(span / count / 86400) * 86400)
    return [float(i * step) for i in range(math.floor(span / step + 1e-9) + 1)]


def kept(values: Sequence[float | None], most: int = MOST_POINTS) -> list[int]:
    """Indices of at most `most` values: of every stretch its lowest and its highest, in the order they came.

    A stretch without any value keeps one index, so that a gap stays a gap.
    """
    if len(values) <= most:
        return list(range(len(values)))
    stretches = max(1, most // 2)
    chosen: list[int] = []
    for i in range(stretches):
        stretch = range(i * len(values) // stretches, (i + 1) * len(values) // stretches)
        known = [(value, j) for j in stretch if (value := values[j]) is not None]
        chosen.extend(sorted({min(known)[1], max(known)[1]}) if known else [stretch[0]])
    return chosen


def downsample(points: Sequence[Point], most: int = MOST_POINTS) -> list[Point]:
    """The points whose y `kept` keeps."""
    return [points[i] for i in kept([y for _, y in points], most)]


def line(points: Iterable[Point], x: Scale, y: Scale) -> str:
    """SVG path data of a line that breaks where y is None."""
    return _path(points, lambda px, py, new: [f"{'M' if new else 'L'}{x(px):.1f} {y(py):.1f}"])


def steps(points: Iterable[Point], x: Scale, y: Scale, width: float) -> str:
    """SVG path data of values that each hold for `width` seconds from their x."""

    def draw(px: float, py: float, new: bool) -> list[str]:
        return [f"{'M' if new else 'L'}{x(px):.1f} {y(py):.1f}", f"H{x(px + width):.1f}"]

    return _path(points, draw)


def _path(points: Iterable[Point], draw: Callable[[float, float, bool], list[str]]) -> str:
    parts: list[str] = []
    new = True
    for px, py in points:
        if py is not None:
            parts.extend(draw(px, py, new))
        new = py is None
    return "".join(parts)


def area(lower: Sequence[float], upper: Sequence[Point], x: Scale, y: Scale, width: float) -> str:
    """SVG path data of the band from `lower` to `upper` (same x), values held for `width` seconds.

    An unknown upper has no height.
    """
    if not upper:
        return ""
    tops: list[str] = []
    backs: list[str] = []
    for (px, py), base in zip(upper, lower, strict=True):
        left, right = x(px), x(px + width)
        top, bottom = y(base if py is None else py), y(base)
        tops += [f"{left:.1f} {top:.1f}", f"{right:.1f} {top:.1f}"]
        backs += [f"{left:.1f} {bottom:.1f}", f"{right:.1f} {bottom:.1f}"]
    return "M" + "L".join(tops + backs[::-1]) + "Z"


def stack(layers: Sequence[Sequence[float]]) -> list[list[float]]:
    """Running sums: row i is the top of layer i when the layers stand on one another."""
    tops: list[list[float]] = []
    below = [0.0] * (len(layers[0]) if layers else 0)
    for layer in layers:
        below = [base + value for base, value in zip(below, layer, strict=True)]
        tops.append(below)
    return tops
