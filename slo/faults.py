"""Faults of a run: when each was seen, and how the operations of an objective came through it."""

from dataclasses import dataclass, replace

import numpy as np

from slo import recovery
from slo.objective import Objective
from slo.record import Phase, Record
from slo.recovery import NOT_OBSERVED, Recovery, Traffic
from slo.scope import Scope, Window
from slo.shares import bad_and_valid, budget_of

MONTH_S = 30 * 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """When the probe saw a fault begin and end, and when the API said it began."""

    t0: float | None
    t_end: float | None
    api_start: float | None


def seen(record: Record, experiment: str) -> Seen:
    """First and last sight of an experiment's fault."""
    first = [float(e["t"]) for e in record.of_kind("probe", experiment=experiment, edge="first")]
    last = [float(e["t"]) for e in record.of_kind("probe", experiment=experiment, edge="last")]
    began = [float(e["t"]) for e in record.of_kind("fis", experiment=experiment, state="running")]
    t0 = min(first) if first else None
    ends = [t for t in last if t0 is not None and t >= t0]
    return Seen(t0=t0, t_end=max(ends) if ends else None, api_start=min(began) if began else None)


def recover(record: Record, experiment: str, objective: Objective) -> Recovery:
    """Analyse one experiment for the operations and the budget (`against`) of a recovery objective."""
    operations = record.manifest.select(objective.operations)
    sight = seen(record, experiment)
    if sight.t0 is None:
        return Recovery(
            experiment=experiment, state=NOT_OBSERVED, operations=operations, api_start=sight.api_start
        )
    against = objective.against
    if against is None:
        raise ValueError(f"objective {objective.id!r} names no other to recover against")
    counters = record.counters
    rows = counters.rows(operations)
    calm = Scope(record=record, windows=steady_windows(record))
    bad, valid = bad_and_valid(against, calm)
    budget = budget_of(against)
    traffic = Traffic(
        start=counters.start,
        valid=valid[rows].sum(axis=0),
        bad=bad[rows].sum(axis=0),
        ok=counters.ok[rows].sum(axis=0),
        planned=np.maximum(counters.planned, valid)[rows].sum(axis=0),
    )
    horizon = horizon_of(record, experiment)
    found = recovery.analyse(
        traffic,
        t0=sight.t0,
        t_end=sight.t_end,
        horizon=horizon,
        budget=budget,
        deff=calm.design_effect(bad, valid, rows, budget) if calm.columns.size else 1.0,
        scale=record.manifest.time_scale,
    )
    until = counters.within(sight.t0 - 1, found.t2 or horizon)
    usual = float(traffic.valid[calm.columns].mean()) if calm.columns.size else 0.0
    spent = float(traffic.bad[until].sum()) / (budget * usual * MONTH_S) if usual else None
    return replace(
        found, experiment=experiment, operations=operations, api_start=sight.api_start, budget_share=spent
    )


def steady_windows(record: Record) -> tuple[Window, ...]:
    """The steady phases."""
    return tuple((phase.start, phase.end) for phase in record.phases if phase.name == "steady")


def fault_windows(record: Record, experiment: str) -> tuple[Window, ...]:
    """The fault phases of an experiment."""
    return tuple(
        (phase.start, phase.end)
        for phase in record.phases
        if phase.name == "fault" and phase.experiment == experiment
    )


def horizon_of(record: Record, experiment: str) -> float:
    """How long an experiment can be watched: until the next fault phase, or the end of the load."""
    faults = [phase for phase in record.phases if phase.name == "fault"]
    begun = max((phase.start for phase in faults if phase.experiment == experiment), default=0.0)
    later = [phase.start for phase in faults if phase.start > begun]
    ends = [float(e["t"]) for e in record.of_kind("load", edge="end")]
    return min([*later, *ends, float(record.counters.end)])


def recovered_windows(record: Record, since: dict[str, float]) -> tuple[Window, ...]:
    """The recovered phases, each from the later of its start and its experiment's t2 in `since`."""
    windows = []
    for phase in record.phases:
        if phase.name == "recovered":
            begun = max(phase.start, since.get(_experiment_of(record, phase) or "", phase.start))
            if begun < phase.end:
                windows.append((begun, phase.end))
    return tuple(windows)


def _experiment_of(record: Record, recovered: Phase) -> str | None:
    if recovered.experiment is not None:
        return recovered.experiment
    before = [phase for phase in record.phases if phase.name == "fault" and phase.start < recovered.start]
    return before[-1].experiment if before else None
