"""Database connections against the share of the maximum that is allowed."""

from __future__ import annotations

from reports import formats
from reports.fields import mapping, number
from reports.panel import Chart, Scene, held, highest, rules, upwards

PLACE = 40
TITLE = "Database connections"
METRIC = "DatabaseConnections"


def draw(scene: Scene) -> Chart:
    """One line for each role."""
    series = scene.series(METRIC, "Role")
    if not series:
        return Chart(title=TITLE, summary="No DatabaseConnections were collected.")
    most = number(mapping(scene.run.folder.manifest, "environment"), "max_connections")
    shares = scene.limits("db-connections", "ratio") if most else {}
    limits = {f"{words} of {formats.number(most)}": share * (most or 0) for words, share in shares.items()}
    peak = max(highest(points) for points in series.values())
    y, ticks = upwards(max([peak, *limits.values()]))
    of = f" of {formats.number(most)}" if most else ""
    return Chart(
        title=TITLE,
        summary=f"At most {formats.number(peak)}{of}.",
        layers=held(scene, METRIC, series, y),
        ticks=ticks,
        rules=rules(limits, y),
    )
