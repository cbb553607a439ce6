"""Faults of a run: when each was seen, and how the operations of an objective came through it.

An experiment that stands in several fault phases is a fault that was repeated; every repeat is looked at by
itself, from its phase on to the next fault or the end of the load.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil, inf

import numpy as np

from slo import recovery
from slo.objective import Objective
from slo.record import Phase, Record
from slo.recovery import CENSORED, HOLD_S, NOT_OBSERVED, UNSURE, Recovery, Traffic
from slo.scope import Scope, Window
from slo.shares import bad_and_valid, budget_of

MONTH_S = 30 * 86_400

Since = Mapping[str, float | Sequence[float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """When the probe saw a fault begin and end, and when the API said it began."""

    t0: float | None
    t_end: float | None
    api_start: float | None


def repeats(record: Record, experiment: str) -> tuple[Window, ...]:
    """How long each repeat of an experiment is watched: until the next fault phase or the end of the load."""
    last = _load_end(record)
    begun = [phase.start for phase in record.phases if phase.name == "fault"]
    return tuple(
        (start, min([last, *(other for other in begun if other > start)]))
        for start, _ in fault_windows(record, experiment)
    )


def seen(record: Record, experiment: str, window: Window | None = None) -> Seen:
    """First and last sight of an experiment's fault; of one repeat only if its window is given.

    The last repeat may be seen to end after the load.
    """
    low, high = window or (-inf, inf)
    if not any(phase.name == "fault" and phase.start == high for phase in record.phases):
        high = inf

    def times(kind: str, **fields: object) -> list[float]:
        found = [float(e["t"]) for e in record.of_kind(kind, experiment=experiment, **fields)]
        return [t for t in found if low <= t < high]

    t0 = min(times("probe", edge="first"), default=None)
    ends = [t for t in times("probe", edge="last") if t0 is not None and t >= t0]
    begun = [*times("fis", state="running"), *times("drill", state="running")]
    return Seen(t0=t0, t_end=max(ends, default=None), api_start=min(begun, default=None))


def recover(record: Record, experiment: str, objective: Objective) -> Recovery:
    """Analyse one experiment for the operations and the budget (`against`) of an objective.

    Of a repeated fault the worst repeat is returned, with all of them in `repeats`.
    """
    windows = repeats(record, experiment) or ((-inf, _load_end(record)),)
    found = tuple(recover_one(record, experiment, objective, window) for window in windows)
    return found[0] if len(found) == 1 else replace(max(found, key=_badness), repeats=found)


def recover_one(record: Record, experiment: str, objective: Objective, window: Window) -> Recovery:
    """Analyse one repeat of an experiment, watched in this window."""
    sight = seen(record, experiment, window)
    if sight.t0 is None:
        return _unseen(record, experiment, objective, sight)
    against = objective.against
    if against is None:
        raise ValueError(f"objective {objective.id!r} names no other to recover against")
    operations = record.manifest.select(objective.operations)
    counters = record.counters
    rows = counters.rows(operations)
    calm = Scope(record=record, windows=steady_windows(record))
    bad, valid = bad_and_valid(replace(against, operations=objective.operations), calm)
    budget = budget_of(against)
    usual = float(valid[rows].sum(axis=0)[calm.columns].mean()) if calm.columns.size else 0.0
    traffic = Traffic(
        start=counters.start,
        valid=valid[rows].sum(axis=0),
        bad=bad[rows].sum(axis=0),
        ok=counters.ok[rows].sum(axis=0),
        planned=np.maximum(counters.planned, valid)[rows].sum(axis=0),
        usual=usual if record.manifest.closed else 0.0,
        settled=None if record.state == "complete" else counters.seconds - ceil(record.manifest.timeout_s),
    )
    found = recovery.analyse(
        traffic,
        t0=sight.t0,
        t_end=sight.t_end,
        horizon=window[1],
        budget=budget,
        deff=calm.design_effect(bad, valid, rows, budget) if calm.columns.size else 1.0,
        scale=record.manifest.time_scale,
    )
    until = counters.within(sight.t0 - 1, _over(found, sight, window[1], record.manifest.time_scale))
    spent = float(traffic.bad[until].sum()) / (budget * usual * MONTH_S) if usual else None
    return replace(
        found, experiment=experiment, operations=operations, api_start=sight.api_start, budget_share=spent
    )


def _over(found: Recovery, sight: Seen, horizon: float, scale: float) -> float:
    """Until when bad arrivals are put down to the fault: those long after a fault without impact are not."""
    if found.t2 is not None or found.state == CENSORED or sight.t0 is None:
        return found.t2 or horizon
    return min((sight.t_end or sight.t0) + HOLD_S * scale, horizon)


def _unseen(record: Record, experiment: str, objective: Objective, sight: Seen) -> Recovery:
    operations = record.manifest.select(objective.operations)
    return Recovery(
        experiment=experiment, state=NOT_OBSERVED, operations=operations, api_start=sight.api_start
    )


def _badness(found: Recovery) -> tuple[int, float]:
    rank = {NOT_OBSERVED: 2, UNSURE: 1, CENSORED: 1}.get(found.state, 0)
    return rank, found.absorption[0] if found.absorption else 0.0


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
    """How long an experiment can be watched: its last repeat's horizon, or the end of the load."""
    return max((end for _, end in repeats(record, experiment)), default=_load_end(record))


def _load_end(record: Record) -> float:
    ends = [float(e["t"]) for e in record.of_kind("load", edge="end")]
    return min([*ends, float(record.counters.end)])


def recovered_windows(record: Record, since: Since) -> tuple[Window, ...]:
    """The recovered phases, each from the later of its start and the t2 of its own fault.

    `since` has the t2 of each experiment, of all its repeats where it was repeated. A recovered phase takes
    the latest of them that came after its fault began and, if there is a later repeat, before that.
    """
    windows = []
    for phase in record.phases:
        if phase.name == "recovered":
            begun = max(phase.start, _well_again(record, phase, since))
            if begun < phase.end:
                windows.append((begun, phase.end))
    return tuple(windows)


def _well_again(record: Record, recovered: Phase, since: Since) -> float:
    """The t2 of the fault that a recovered phase follows; the phase's own start when it has none."""
    experiment = _experiment_of(record, recovered)
    known = since.get(experiment or "", ())
    times = [known] if isinstance(known, int | float) else list(known)
    own = [window for window in repeats(record, experiment or "") if window[0] <= recovered.start]
    if own:
        times = [t for t in times if own[-1][0] <= t <= own[-1][1]]
    return max(times, default=recovered.start)


def _experiment_of(record: Record, recovered: Phase) -> str | None:
    if recovered.experiment is not None:
        return recovered.experiment
    before = [phase for phase in record.phases if phase.name == "fault" and phase.start < recovered.start]
    return before[-1].experiment if before else None
