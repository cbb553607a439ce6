"""The run's timelines: every panel over one time axis, with phases, faults and recoveries marked."""

from __future__ import annotations

from dataclasses import dataclass

from reports import charts, formats, panels
from reports.charts import Scale
from reports.panel import Chart, Tick, scene
from reports.run import Fault, Run
from slo.histogram import Log


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """A stretch of the time axis, in per cent of the width."""

    at: float
    width: float
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A moment on the time axis: kind is "api", "t1" or "t2"."""

    at: float
    kind: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """What all panels share."""

    start: float
    ticks: tuple[Tick, ...]
    phases: tuple[Band, ...]
    faults: tuple[Band, ...]
    marks: tuple[Mark, ...]


def draw(run: Run, log: Log) -> tuple[Axis, dict[str, Chart]]:
    """The axis, and every panel by its name, empty ones included."""
    seen = scene(run, log)
    return _axis(run), {name: panel.draw(seen) for name, panel in panels.every()}


def _axis(run: Run) -> Axis:
    at = Scale(domain=(run.start, run.end), box=(0.0, 100.0))

    def band(start: float, end: float | None, label: str) -> Band:
        stop = run.end if end is None else end
        return Band(at=at(start), width=at(stop) - at(start), label=label)

    elapsed = charts.time_ticks(run.end - run.start)
    return Axis(
        start=run.start,
        ticks=tuple(Tick(at=at(run.start + t), label=formats.elapsed(t)) for t in elapsed),
        phases=tuple(band(phase.start, phase.end, phase.name) for phase in run.phases),
        faults=tuple(
            dict.fromkeys(band(f.first, f.last, _words(f)) for f in run.faults if f.first is not None)
        ),
        marks=tuple(dict.fromkeys(mark for fault in run.faults for mark in _marks(fault, at))),
    )


def _words(fault: Fault) -> str:
    end = "its end was not seen" if fault.last is None else formats.clock(fault.last)
    return f"{fault.experiment}, seen by its probe {formats.clock(fault.first)} to {end}"


def _marks(fault: Fault, at: Scale) -> list[Mark]:
    moments = (
        ("api", fault.api_start, "start according to the API"),
        ("t1", fault.impact, "t1, users notice"),
        ("t2", fault.recovered, "t2, users are served again"),
    )
    return [
        Mark(at=at(t), kind=kind, label=f"{fault.experiment}: {words}, {formats.clock(t)}")
        for kind, t, words in moments
        if t is not None
    ]
