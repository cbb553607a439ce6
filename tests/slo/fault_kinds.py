"""Objectives and series for tests of the kinds that look at a fault's series and alarms."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from slo import jsonl, record
from slo.finding import Finding
from slo.kind import kinds
from slo.objective import Objective, loads
from slo.record import Record
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


def judged(source: Path | Record, one: Objective, windows: tuple[Window, ...] = STEADY) -> Finding:
    """What the objective's kind finds, with the run's experiment in the scope of a fault."""
    run = record.read(source) if isinstance(source, Path) else source
    experiment = run.manifest.experiment(EXPERIMENT) if one.phase == "fault" else None
    return kinds()[one.sli].judge(one, Scope(record=run, windows=windows, experiment=experiment))


def put(
    folder: Path,
    namespace: str,
    metric: str,
    points: Iterable[tuple[float, float]],
    *,
    stat: str = "Maximum",
    period: float = 5,
    dimensions: Mapping[str, str] | None = None,
) -> None:
    """Append a series; times count from the start of the load."""
    lines: list[Mapping[str, Any]] = [
        {
            "t": START + t,
            "namespace": namespace,
            "metric": metric,
            "dimensions": dict(dimensions or {}),
            "stat": stat,
            "period": period,
            "value": value,
        }
        for t, value in points
    ]
    jsonl.append_all(folder / "metrics.jsonl", lines)
