"""Figures from recorded numbers: medians, ratios, targets, the table and results.json."""

import json
import math

import pytest

from bench import table
from bench.figures import OURS, Figure, at_least, at_most, gaps, number, ratios

RECORDED = Figure(
    section="cost",
    name="requests per CPU-second",
    unit="1/s",
    measured={OURS: [36_000.0, 40_000.0, 20_000.0], "k6": [18_000.0, 19_000.0, 16_000.0]},
    judged=ratios([36_000.0, 40_000.0, 20_000.0], [18_000.0, 19_000.0, 16_000.0]),
    judged_unit="x",
    target=at_least(1.5),
)


def test_ratios_are_taken_round_by_round() -> None:
    """A slow round of both tools leaves the ratio alone."""
    assert ratios([30.0, 15.0], [20.0, 10.0]) == [1.5, 1.5]
    assert gaps([1.0, 4.0], [2.0, 2.5]) == [1.0, 1.5]


def test_a_round_without_a_partner_is_refused() -> None:
    """Repeats of two tools belong together pair by pair."""
    with pytest.raises(ValueError, match="zip"):
        ratios([1.0], [])


def test_a_ratio_to_nothing_never_holds() -> None:
    """A peer that measured nothing is no victory."""
    figure = Figure(
        section="cost", name="x", unit="", measured={}, judged=ratios([1.0], [0.0]), target=at_least(0.0)
    )
    assert math.isnan(figure.value)
    assert figure.holds is False


@pytest.mark.parametrize(("limit", "holds"), [(1.9, True), (2.0, True), (2.01, False)])
def test_the_median_is_judged(limit: float, holds: bool) -> None:
    """The median of the repeats meets its bound, the bound included."""
    figure = Figure(section="s", name="n", unit="x", measured={OURS: [9.0, 2.0, 1.0]}, target=at_least(limit))
    assert figure.holds is holds


def test_a_figure_without_a_target_is_shown_only() -> None:
    """No target, no verdict."""
    assert Figure(section="s", name="n", unit="x", measured={OURS: [1.0]}).holds is None


def test_the_table_shows_medians_targets_and_misses() -> None:
    """Each row carries what was measured, what was judged, and the verdict."""
    missed = Figure(section="lag", name="start lag", unit="ms", measured={OURS: [3.0]}, target=at_most(2.0))
    rendered = table.render([RECORDED, missed])
    assert "gameday 36,000, k6 18,000 1/s" in rendered
    assert "2.00 x" in rendered
    assert "1.25 - 2.11" in rendered
    assert [line.rstrip().endswith("MISSED") for line in rendered.splitlines()].count(True) == 1
    assert table.verdict([RECORDED]) == "all 1 targets hold"
    assert table.verdict([RECORDED, missed]).splitlines()[1].strip() == "missed: lag: start lag"


def test_results_keep_every_repeat_and_are_json() -> None:
    """Medians, extremes and the repeats themselves; nothing that JSON cannot say."""
    kept = json.loads(json.dumps(RECORDED.to_json(), allow_nan=False))
    assert kept["measured"][OURS]["repeats"] == [36_000.0, 40_000.0, 20_000.0]
    assert kept["judged"]["median"] == 2.0
    assert (kept["target"], kept["holds"]) == (">= 1.50", True)
    unmeasured = Figure(section="s", name="n", unit="x", measured={OURS: [math.nan]}, target=at_most(1.0))
    assert json.loads(json.dumps(unmeasured.to_json(), allow_nan=False))["holds"] is False


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (0.01234, "0.0123"), (1.5, "1.50"), (99.95, "100.0"), (18_600.0, "18,600"), (math.nan, "-")],
)
def test_numbers_have_three_digits(value: float, text: str) -> None:
    """As many digits as carry meaning."""
    assert number(value) == text
