"""Chart geometry."""

from __future__ import annotations

import pytest

from reports import charts
from reports.charts import Scale


@pytest.mark.parametrize(
    ("high", "expected"),
    [
        (300, [0, 100, 200, 300]),
        (301, [0, 200, 400]),
        (1, [0, 0.5, 1]),
        (0.7, [0, 0.25, 0.5, 0.75]),
        (42, [0, 20, 40, 60]),
        (0, [0, 1]),
        (float("nan"), [0, 1]),
        (float("inf"), [0, 1]),
    ],
)
def test_linear_ticks_are_round_and_reach_the_top(high: float, expected: list[float]) -> None:
    """Steps are 1, 2, 2.5 or 5 times a power of ten."""
    assert charts.linear_ticks(high, 3) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.002, 1.7, [0.001, 0.01, 0.1, 1, 10]),
        (0.001, 0.1, [0.001, 0.01, 0.1]),
        (1.0, 1.0, [1, 10]),
    ],
)
def test_log_ticks_are_whole_decades(low: float, high: float, expected: list[float]) -> None:
    """They enclose the values and span a decade at least."""
    assert charts.log_ticks(low, high) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("span", "expected"),
    [
        (600, [0, 120, 240, 360, 480, 600]),
        (59, [0, 10, 20, 30, 40, 50]),
        (3600, [0, 600, 1200, 1800, 2400, 3000, 3600]),
        (0, [0]),
        (864000, [0, 172800, 345600, 518400, 691200, 864000]),
    ],
)
def test_time_ticks_fall_on_clock_steps(span: float, expected: list[float]) -> None:
    """At most eight steps."""
    assert charts.time_ticks(span) == expected


@pytest.mark.parametrize(
    ("value", "place"), [(0.001, 100.0), (0.1, 50.0), (10.0, 0.0), (100.0, 0.0), (0.0, 100.0), (-3.0, 100.0)]
)
def test_a_log_scale_places_decades_evenly_and_holds_what_is_outside(value: float, place: float) -> None:
    """Zero and below are drawn at the low edge."""
    y = Scale(domain=(0.001, 10.0), box=(100.0, 0.0), log=True)
    assert y(value) == pytest.approx(place)


def test_a_scale_without_extent_stays_at_its_start() -> None:
    """A run of no length divides nothing by zero."""
    assert Scale(domain=(5.0, 5.0), box=(0.0, 1000.0))(5.0) == 0.0


def test_downsampling_keeps_every_extreme() -> None:
    """One slow second and one dead second in a day survive."""
    points = [(float(i), 10.0) for i in range(86_400)]
    points[40_000], points[70_001] = (40_000.0, 900.0), (70_001.0, 0.0)
    thin = charts.downsample(points)
    assert len(thin) <= charts.MOST_POINTS
    assert (40_000.0, 900.0) in thin
    assert (70_001.0, 0.0) in thin
    assert thin == sorted(thin)


def test_downsampling_leaves_short_series_alone() -> None:
    """Nothing is gained by thinning what fits."""
    points = [(0.0, 1.0), (1.0, None)]
    assert charts.downsample(points) == points


def test_downsampling_keeps_an_outage_a_gap() -> None:
    """Stretches without a value keep one unknown point, so the line breaks there."""
    points = [(float(i), None if 3_000 <= i < 3_300 else 1.0) for i in range(6_000)]
    assert any(y is None for _, y in charts.downsample(points))


def test_lines_break_where_nothing_was_measured() -> None:
    """Each stretch begins with a move."""
    x, y = Scale(domain=(0, 10), box=(0, 100)), Scale(domain=(0, 1), box=(10, 0))
    points = [(0.0, 0.0), (1.0, 1.0), (2.0, None), (3.0, 0.5)]
    assert charts.line(points, x, y) == "M0.0 10.0L10.0 0.0M30.0 5.0"
    assert charts.steps(points[:2], x, y, 1.0) == "M0.0 10.0H10.0L10.0 0.0H20.0"
    assert charts.line([], x, y) == ""


def test_areas_close_over_their_lower_edge() -> None:
    """An unknown top has no height."""
    x, y = Scale(domain=(0, 10), box=(0, 100)), Scale(domain=(0, 1), box=(10, 0))
    points = [(0.0, 1.0), (1.0, None)]
    band = "M0.0 0.0L10.0 0.0L10.0 5.0L20.0 5.0L20.0 5.0L10.0 5.0L10.0 10.0L0.0 10.0Z"
    assert charts.area([0.0, 0.5], points, x, y, 1.0) == band
    assert charts.area([], [], x, y, 1.0) == ""


def test_stacked_layers_stand_on_one_another() -> None:
    """The last row is the total."""
    assert charts.stack([[1.0, 0.0], [2.0, 3.0]]) == [[1.0, 0.0], [3.0, 3.0]]
    assert charts.stack([]) == []
