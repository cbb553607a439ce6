"""Messages waiting in each queue and dead letter queue; queues that stayed empty are only named."""

from __future__ import annotations

from reports import formats
from reports.panel import Chart, Scene, held, highest, upwards

PLACE = 50
TITLE = "Messages waiting in queues"
METRIC = "ApproximateNumberOfMessagesVisible"


def draw(scene: Scene) -> Chart:
    """One line for each queue that ever held a message."""
    series = scene.series(METRIC, "QueueName")
    if not series:
        return Chart(title=TITLE, summary="No queue depth was collected.")
    busy = {name: points for name, points in series.items() if highest(points) > 0}
    said = [f"{name} at most {formats.number(highest(points))}" for name, points in busy.items()]
    if idle := [name for name in series if name not in busy]:
        said.append(f"empty throughout: {', '.join(idle)}")
    summary = f"{'; '.join(said)}."
    if not busy:
        return Chart(title=TITLE, summary=summary)
    y, ticks = upwards(max(highest(points) for points in busy.values()))
    return Chart(title=TITLE, summary=summary, layers=held(scene, METRIC, busy, y), ticks=ticks)
