"""What a chart of the timelines is made of, and what it is drawn from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reports import charts, formats
from reports.charts import WIDTH, Point, Scale
from reports.fields import mapping, number, rows, text
from reports.run import Run
from slo import expression
from slo.histogram import Log

HEIGHT = 110.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """A label at a place: per cent of the width on the time axis, units from the top on a chart."""

    at: float
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """One series: kind is "line", "dashed", "faint" or "area"; colour is 1 to 6, or 0 for the quiet one."""

    label: str
    kind: str
    colour: int
    path: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """One panel. Without layers, `summary` says why it is empty."""

    title: str
    summary: str
    height: float = HEIGHT
    layers: tuple[Layer, ...] = ()
    ticks: tuple[Tick, ...] = ()
    rules: tuple[Tick, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One objective whose expression could be parsed."""

    id: str
    parsed: expression.Expression


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Everything a panel may draw from."""

    run: Run
    log: Log
    targets: tuple[Target, ...]

    @property
    def x(self) -> Scale:
        """Epoch seconds -> place across the panel."""
        return Scale(domain=(self.run.start, self.run.end), box=(0.0, WIDTH))

    def limits(self, objective: str, unit: str) -> dict[str, float]:
        """Expression -> limit of the objectives of that id whose limit is in `unit`."""
        chosen = [t.parsed for t in self.targets if t.id == objective and t.parsed.unit == unit]
        return {parsed.text: parsed.limit for parsed in chosen}

    def series(self, metric: str, dimension: str) -> dict[str, list[Point]]:
        """Value of one dimension -> the CloudWatch metric's points within the run, in order."""
        found: dict[str, dict[float, float]] = {}
        for row in self.run.folder.metrics:
            t, value = number(row, "t"), number(row, "value")
            inside = t is not None and self.run.start <= t <= self.run.end
            if inside and t is not None and value is not None and text(row, "metric") == metric:
                found.setdefault(text(mapping(row, "dimensions"), dimension, metric), {})[t] = value
        return {name: sorted(found[name].items()) for name in sorted(found)}

    def period(self, metric: str) -> float:
        """How many seconds one value of the metric stands for."""
        lengths = (number(row, "period") for row in self.run.folder.metrics if text(row, "metric") == metric)
        return next((length for length in lengths if length), 5.0)


def scene(run: Run, log: Log) -> Scene:
    """Parse the objectives' expressions; one of another version keeps its verdict and loses its line only."""
    found: list[Target] = []
    for row in rows(run.folder.verdicts, "objectives"):
        try:
            found.append(Target(id=text(row, "id"), parsed=expression.parse(text(row, "expr"))))
        except ValueError:
            continue
    return Scene(run=run, log=log, targets=tuple(found))


def highest(points: Sequence[Point]) -> float:
    """The largest known y, 0 without any."""
    return max((y for _, y in points if y is not None), default=0.0)


def upwards(high: float, height: float = HEIGHT) -> tuple[Scale, tuple[Tick, ...]]:
    """A linear scale from 0 at the bottom to a round value above `high`, and its labels."""
    values = charts.linear_ticks(high, 3)
    y = Scale(domain=(0.0, max(values[-1], 1.04 * high)), box=(height, 0.0))
    return y, tuple(Tick(at=y(value), label=formats.number(value)) for value in values)


def rules(limits: Mapping[str, float], y: Scale) -> tuple[Tick, ...]:
    """Target lines."""
    return tuple(Tick(at=y(limit), label=words) for words, limit in limits.items())


def held(scene: Scene, metric: str, series: Mapping[str, Sequence[Point]], y: Scale) -> tuple[Layer, ...]:
    """One line for each series of a metric, every value held for its period."""
    return tuple(
        Layer(
            label=name,
            kind="line",
            colour=i % 6 + 1,
            path=charts.steps(charts.downsample(points), scene.x, y, scene.period(metric)),
        )
        for i, (name, points) in enumerate(series.items())
    )
