"""p50 and p99 of the good answers, exact for every 10 s, and behind them the slowest of each second."""

from __future__ import annotations

from reports import charts, formats, latency
from reports.charts import Point, Scale
from reports.panel import Chart, Layer, Scene, Tick, highest, rules

PLACE = 30
HEIGHT = 170.0
LOWEST_S = 1e-4


def draw(scene: Scene) -> Chart:
    """Of the API operations where the system has any, else of all; targets of any p(q) as lines."""
    run = scene.run
    api = run.group("api")
    title = f"Latency of good answers, {'API' if api else 'all'} operations, logarithmic"
    tags = [f"{slug}.ok" for slug in api or run.operations]
    spreads = latency.by_interval(scene.log, tags, (0.5, 0.99))
    worst: list[Point] = [(run.start + i, second.slowest) for i, second in enumerate(run.seconds)]
    p50: list[Point] = [(t, spread.p[0.5]) for t, spread in spreads.items()]
    p99: list[Point] = [(t, spread.p[0.99]) for t, spread in spreads.items()]
    known = [value for _, value in [*worst, *p50, *p99] if value is not None and value > 0]
    if not known:
        return Chart(title=title, summary="No good answer was timed.")
    limits = {
        t.parsed.text: t.parsed.limit
        for t in scene.targets
        if t.parsed.quantile is not None and not t.parsed.relative
    }
    values = charts.log_ticks(max(LOWEST_S, min(known)), max([*known, *limits.values()]))
    y = Scale(domain=(values[0], values[-1]), box=(HEIGHT, 0.0), log=True)
    x = scene.x
    behind = charts.steps(charts.downsample(worst), x, y, 1.0)
    upper = charts.steps(charts.downsample(p99), x, y, scene.log.length)
    lower = charts.steps(charts.downsample(p50), x, y, scene.log.length)
    layers = (
        Layer(label="slowest operation's p99, each second", kind="faint", colour=2, path=behind),
        Layer(label="p99, each 10 s", kind="line", colour=2, path=upper),
        Layer(label="p50, each 10 s", kind="line", colour=1, path=lower),
    )
    return Chart(
        title=title,
        summary=_summary(p50, p99, worst),
        height=HEIGHT,
        layers=tuple(layer for layer in layers if layer.path),
        ticks=tuple(
            Tick(at=y(value), label=f"{value * 1000:g} ms" if value < 1 else f"{value:g} s")
            for value in values
        ),
        rules=rules(limits, y),
    )


def _summary(p50: list[Point], p99: list[Point], worst: list[Point]) -> str:
    slowest = f"Slowest p99 of an operation in a second {formats.latency(highest(worst))}"
    if not p99:
        return f"{slowest}; no histograms, so no p50 and p99 over all operations."
    return (
        f"{slowest}; in any 10 s p50 at most {formats.latency(highest(p50))}, "
        f"p99 at most {formats.latency(highest(p99))}."
    )
