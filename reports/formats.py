"""Numbers as people read them: one place, so that a figure looks the same wherever it stands.

Three significant digits, units always, times in UTC. None is NO_DATA: no hole stays unexplained.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime

NO_DATA = "no data"


def _fixed(value: float) -> str:
    """Three significant digits, zeros kept so that columns line up."""
    if value == 0:
        return "0"
    value = float(f"{value:.3g}") if abs(value) < 1000 else value
    places = max(0, 2 - math.floor(math.log10(abs(value)) + 1e-12))
    return f"{value:,.{min(places, 9)}f}"


def _short(written: str) -> str:
    return written.rstrip("0").rstrip(".") if "." in written else written


def _digits(value: float) -> str:
    return _short(_fixed(value))


def number(value: float | None) -> str:
    """A plain quantity: 0, 0.023, 4.2, 1,012."""
    if value is None or not math.isfinite(value):
        return NO_DATA
    return f"{value:,.0f}" if float(value).is_integer() else _digits(value)


def latency(seconds: float | None) -> str:
    """A latency: 0.420 ms, 145 ms, 1.20 s, 14 min 2 s."""
    if seconds is None or not math.isfinite(seconds):
        return NO_DATA
    if abs(seconds) < 0.9995:
        return f"{_fixed(seconds * 1000)} ms"
    return f"{_fixed(seconds)} s" if abs(seconds) < 60 else duration(seconds)


def duration(seconds: float | None) -> str:
    """A stretch of time: 0.4 s, 41.2 s, 10 min, 1 h 2 min, 3 d 4 h; the two largest units."""
    if seconds is None or not math.isfinite(seconds):
        return NO_DATA
    if seconds < 0:
        return "-" + duration(-seconds)
    if seconds < 59.95:
        return f"{_digits(round(seconds, 1))} s"
    whole = round(seconds)
    parts: list[str] = []
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min"), (1, "s")):
        count, whole = divmod(whole, size)
        if count or parts:
            parts.append(f"{count} {unit}" if count else "")
    return " ".join(part for part in parts[:2] if part)


def ratio(value: float | None) -> str:
    """A share as per cent: 0%, 0.021%, 99.95%, 100%; shares close to 1 keep what they lack."""
    if value is None or not math.isfinite(value):
        return NO_DATA
    lack = abs(1 - value)
    if 0 < lack < 0.1:
        places = min(6, max(1, 1 - math.floor(math.log10(lack * 100) + 1e-12)))
        return f"{_short(f'{value * 100:.{places}f}')}%"
    return f"{_digits(value * 100)}%"


def rate(value: float | None) -> str:
    """Events per second: 16.7/s, 1,012/s."""
    return NO_DATA if value is None or not math.isfinite(value) else f"{_digits(value)}/s"


def measured(value: float | None, unit: str) -> str:
    """A value in one of the judge's units: s, ratio, 1/s, count; an unknown one is written behind it."""
    known = {"s": latency, "ratio": ratio, "1/s": rate, "count": number, "": number}
    if unit in known:
        return known[unit](value)
    return number(value) if value is None else f"{number(value)} {unit}"


def span(bounds: tuple[float, float] | None, unit: str) -> str:
    """An interval: "0.0102% to 0.0391%"."""
    return NO_DATA if bounds is None else f"{measured(bounds[0], unit)} to {measured(bounds[1], unit)}"


def _moment(epoch: float | None) -> datetime | None:
    if epoch is None:
        return None
    try:
        return datetime.fromtimestamp(epoch, tz=UTC)
    except (OverflowError, OSError, ValueError):
        return None


def utc(epoch: float | None) -> str:
    """A moment: 2026-11-21 11:45:00 UTC."""
    moment = _moment(epoch)
    return NO_DATA if moment is None else moment.strftime("%Y-%m-%d %H:%M:%S UTC")


def iso(epoch: float | None) -> str:
    """A moment for machines: 2026-11-21T11:45:00Z, empty when unknown."""
    moment = _moment(epoch)
    return "" if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def clock(epoch: float | None) -> str:
    """A moment within the run, to the tenth: 11:45:00.1."""
    moment = _moment(None if epoch is None else round(epoch, 1))
    return NO_DATA if moment is None else f"{moment:%H:%M:%S}.{moment.microsecond // 100_000}"


def elapsed(seconds: float) -> str:
    """Time since the start on a chart's axis: 0:00, 2:30, 1:02:30."""
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02d}:{second:02d}" if hours else f"{minute}:{second:02d}"
