"""Objectives and series for tests of the kinds that look at a fault's series and alarms."""

from collections.abc import Iterable
from dataclasses import replace

from slo.finding import Finding
from slo.kind import kinds
from slo.objective import Objective, loads
from slo.record import Point, Record
from slo.scope import Scope, Window
from tests.run_folder import START

EXPERIMENT = "aurora-failover"
STEADY: tuple[Window, ...] = ((START + 10.0, START + 140.0),)
ERRORS = """
[[objective]]
id = "errors"
sli = "errors"
phase = "steady"
operations = ["@api"]
expr = "rate < 0.1%"
basis = "documented"
source = { file = "f", heading = "h", quote = "q" }
"""


def objective(sli: str, expr: str, keys: str, phase: str = "fault") -> Objective:
    """One objective of a kind; `keys` are its own lines of TOML, and `against = "errors"` can be named."""
    return loads(
        f'{ERRORS}\n[[objective]]\nid = "one"\nsli = "{sli}"\nphase = "{phase}"\nexpr = "{expr}"\n{keys}\n'
        'basis = "documented"\nsource = { file = "f", heading = "h", quote = "q" }',
        "x",
    )[1]


def judged(run: Record, one: Objective, windows: tuple[Window, ...] = STEADY) -> Finding:
    """What the objective's kind finds, with the run's experiment in the scope of a fault."""
    experiment = run.manifest.experiment(EXPERIMENT) if one.phase == "fault" else None
    return kinds()[one.sli].judge(one, Scope(record=run, windows=windows, experiment=experiment))


def put(
    run: Record,
    series: str,
    points: Iterable[tuple[float, float]],
    *,
    stat: str = "Maximum",
    period: float = 5.0,
    **dimensions: str,
) -> Record:
    """The run with one series more; times count from the start of the load."""
    more = tuple(
        Point(
            t=START + t,
            series=series,
            dimensions=tuple(sorted(dimensions.items())),
            stat=stat,
            period=period,
            value=float(value),
        )
        for t, value in points
    )
    return replace(run, metrics=tuple(sorted((*run.metrics, *more), key=lambda point: point.t)))


def without_probe(run: Record) -> Record:
    """The run as if no probe had looked."""
    return replace(run, events=tuple(event for event in run.events if event["kind"] != "probe"))
