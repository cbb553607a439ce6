"""Intended arrivals against good completions, both counted in the second of their intended start."""

from __future__ import annotations

from reports import charts, formats
from reports.charts import Point
from reports.panel import Chart, Layer, Scene, highest, rules, upwards

PLACE = 10
TITLE = "Arrivals per second"
FARTHEST_RULE = 2.5  # a target beyond this multiple of the peak would flatten the chart: it is only named


def draw(scene: Scene) -> Chart:
    """Two lines, and the throughput target where it fits."""
    run = scene.run
    if not any(second.intended or second.ok for second in run.seconds):
        return Chart(title=TITLE, summary="No arrival was counted.")
    intended: list[Point] = [(run.start + i, float(s.intended)) for i, s in enumerate(run.seconds)]
    good: list[Point] = [(run.start + i, float(s.ok)) for i, s in enumerate(run.seconds)]
    peak = max(highest(intended), highest(good))
    limits = scene.limits("throughput", "1/s")
    drawn = {words: limit for words, limit in limits.items() if limit <= FARTHEST_RULE * peak}
    y, ticks = upwards(max([peak, *drawn.values()]))
    fewest = min(second.ok for second in run.seconds)
    return Chart(
        title=TITLE,
        summary=f"At most {formats.rate(peak)} intended; fewest good in a second: {fewest}.",
        layers=(
            Layer(
                label="intended",
                kind="dashed",
                colour=0,
                path=charts.steps(charts.downsample(intended), scene.x, y, 1.0),
            ),
            Layer(
                label="answered well",
                kind="line",
                colour=1,
                path=charts.steps(charts.downsample(good), scene.x, y, 1.0),
            ),
        ),
        ticks=ticks,
        rules=rules(drawn, y),
        notes=tuple(f"target {words} lies above the chart" for words in limits if words not in drawn),
    )
