"""Reading fields of parsed JSON that may be missing, of another type, or written by a hostile system.

Every function returns a value of the type its name says, or the empty one: a report prints what there is.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

Json = Mapping[str, object]

NOTHING: Json = {}


def number(source: Json, key: str) -> float | None:
    """A finite number (true and false are none)."""
    return as_number(source.get(key))


def as_number(value: object) -> float | None:
    """`value` if it is a finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)


def whole(source: Json, key: str) -> int:
    """A count; 0 when missing."""
    return round(number(source, key) or 0)


def text(source: Json, key: str, default: str = "") -> str:
    """A string; numbers are written out, None and containers are `default`."""
    value = source.get(key)
    return default if value is None or isinstance(value, dict | list) else str(value)


def flag(source: Json, key: str) -> bool | None:
    """True, false, or None when it is neither."""
    value = source.get(key)
    return value if isinstance(value, bool) else None


def mapping(source: Json, key: str) -> Json:
    """An object."""
    value = source.get(key)
    return value if isinstance(value, dict) else NOTHING


def rows(source: Json, key: str) -> list[Json]:
    """A list of objects; other members are left out."""
    value = source.get(key)
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def texts(source: Json, key: str) -> list[str]:
    """A list of strings."""
    value = source.get(key)
    return [str(item) for item in value] if isinstance(value, list) else []


def pair(source: Json, key: str) -> tuple[float, float] | None:
    """Two finite numbers."""
    value = source.get(key)
    if not isinstance(value, list) or len(value) != 2:
        return None
    low, high = as_number(value[0]), as_number(value[1])
    return None if low is None or high is None else (low, high)
