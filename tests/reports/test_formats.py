"""Numbers as people read them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from reports import formats


@pytest.mark.parametrize(
    ("write", "value", "expected"),
    [
        (formats.latency, 0.00042, "0.420 ms"),
        (formats.latency, 0.1449, "145 ms"),
        (formats.latency, 0.99986, "1.00 s"),
        (formats.latency, 9.9999, "10.0 s"),
        (formats.latency, 842.0, "14 min 2 s"),
        (formats.latency, 0.0, "0 ms"),
        (formats.duration, 41.23, "41.2 s"),
        (formats.duration, 59.97, "1 min"),
        (formats.duration, 600.0, "10 min"),
        (formats.duration, 3720.0, "1 h 2 min"),
        (formats.duration, 3605.0, "1 h"),
        (formats.duration, 273_600.0, "3 d 4 h"),
        (formats.duration, -5.0, "-5 s"),
        (formats.ratio, 0.0, "0%"),
        (formats.ratio, 0.00021, "0.021%"),
        (formats.ratio, 0.5, "50%"),
        (formats.ratio, 0.999, "99.9%"),
        (formats.ratio, 0.99949, "99.949%"),
        (formats.ratio, 0.99999, "99.999%"),
        (formats.ratio, 1.0, "100%"),
        (formats.rate, 1012.4, "1,012/s"),
        (formats.rate, 16.667, "16.7/s"),
        (formats.number, 29956.0, "29,956"),
        (formats.number, 0.04567, "0.0457"),
        (formats.utc, 1_763_725_500.0, "2025-11-21 11:45:00 UTC"),
        (formats.iso, 1_763_725_500.0, "2025-11-21T11:45:00Z"),
        (formats.clock, 1_763_725_500.07, "11:45:00.1"),
        (formats.elapsed, 150.0, "2:30"),
        (formats.elapsed, 3750.0, "1:02:30"),
    ],
)
def test_values_carry_their_unit_and_three_digits(
    write: Callable[[float], str], value: float, expected: str
) -> None:
    """A share near one shows what it lacks."""
    assert write(value) == expected


@pytest.mark.parametrize(
    "write",
    [
        formats.latency,
        formats.duration,
        formats.ratio,
        formats.rate,
        formats.number,
        formats.utc,
        formats.clock,
    ],
)
@pytest.mark.parametrize("value", [None, float("nan"), float("inf"), 1e300])
def test_what_is_unknown_is_said_and_what_is_absurd_does_not_break(
    write: Callable[[float | None], str], value: float | None
) -> None:
    """No formatter raises or returns an empty string."""
    written = write(value)
    assert written
    assert value == 1e300 or written == formats.NO_DATA


def test_measured_values_follow_the_judges_units() -> None:
    """An unknown unit stands behind the number."""
    written = [formats.measured(0.5, unit) for unit in ("s", "ratio", "1/s", "count", "furlongs")]
    assert written == ["500 ms", "50%", "0.5/s", "0.5", "0.5 furlongs"]
    assert formats.measured(None, "furlongs") == formats.NO_DATA
