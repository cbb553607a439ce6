"""Recovery from a fault, on one of three clocks: from its first effect, its last, or from when it was begun.

On the start clock all of a restore counts, though it is felt only when it ends.

`against` names the objective whose budget tells trouble from health: with the error rate, the absorption
clock is the RTO. On the removal clock, `backlog` names queue series that must be back at what they were in
the steady phase (dead-letter queues aside: nothing drains them by itself). Of a fault that was repeated, the
longest and the median time are told, and the worst repeat decides.
"""

from collections import defaultdict
from dataclasses import replace
from itertools import pairwise

from slo import faults
from slo.clocks import censored, repeated, within
from slo.finding import INCONCLUSIVE, Finding, no_data, spoken
from slo.kind import Shape
from slo.objective import Objective
from slo.record import Record
from slo.recovery import CENSORED, LEAD_S, LEAST_ARRIVALS, NO_IMPACT, NOT_OBSERVED, UNSURE, Recovery
from slo.scope import Scope

SHAPE = Shape(
    forms=(("recovery", "s"),),
    phases=("fault",),
    needs=frozenset({"against"}),
    takes=frozenset({"clock", "backlog"}),
    side="below",
)

LEAST_CALM = 2
_NO_CLOCK = {
    "absorption": "the fault was not timed",
    "removal": "no probe saw the fault end, so the removal clock did not start",
    "start": "nothing says when the fault was asked for, or no probe saw its end",
}
_SINCE = {
    "absorption": "after the fault's first effect",
    "removal": "after its removal",
    "start": "after it was begun",
}


def judge(objective: Objective, scope: Scope) -> Finding:
    """Judge the clock's [x - 1 s, x + 5 s]: pass if all of it is below the limit, fail if none of it is."""
    found = scope.recovery
    if not isinstance(found, Recovery):
        return no_data(objective.expr, "no fault belongs to this objective")
    every = found.repeats or (found,)
    return repeated(objective.expr, [_judged(objective, scope, one) for one in every])


def _judged(objective: Objective, scope: Scope, found: Recovery) -> Finding:
    if why := _unknown(objective, scope, found):
        return _open(objective, found, why)
    pair = _pair(found, objective.clock)
    if pair is None:
        return _open(objective, found, _NO_CLOCK[objective.clock])
    low, high = pair
    if objective.clock == "removal" and objective.backlog and found.t_end is not None:
        drained = drained_at(scope.record, objective.backlog, found.t_end)
        if drained is None:
            return _open(objective, found, f"nothing shows that {', '.join(objective.backlog)} drained")
        late = max(drained - found.t_end, 0.0)
        low, high = max(low, late), None if high is None else max(high, late + LEAD_S)
    if found.state == CENSORED or high is None:
        return censored(objective.expr, low, _so_far(found, objective.clock, low), n=found.arrivals)
    return within(objective.expr, (low, high), _story(found, objective.clock, (low, high)), n=found.arrivals)


def _pair(found: Recovery, clock: str) -> tuple[float, float | None] | None:
    """The time on this clock, [x, y]; None where it did not run."""
    if clock != "start":
        return found.absorption if clock == "absorption" else found.after_removal
    if found.absorption is None or found.t0 is None or found.api_start is None:
        return None
    low, high = found.absorption
    if found.state == NO_IMPACT:
        if found.t_end is None:
            return None
        low, high = found.t_end - found.t0, found.t_end - found.t0 + high
    before = max(found.t0 - found.api_start, 0.0)
    return low + before, high + before


def _unknown(objective: Objective, scope: Scope, found: Recovery) -> str:
    """Why nothing can be said of when it was over; empty if something can."""
    if found.state == NOT_OBSERVED:
        return "fault not observed: no probe saw it begin"
    if found.state == UNSURE:
        of = f"{found.bad} of {found.arrivals} while the fault was seen"
        return f"bad arrivals, too few or too clustered to time ({of})"
    if found.state != NO_IMPACT:
        return ""
    if found.arrivals < max(objective.min_samples, LEAST_ARRIVALS):
        return f"only {found.arrivals} arrivals during the fault: impact would not have shown"
    calm = Scope(record=scope.record, windows=faults.steady_windows(scope.record))
    if len(calm.blocks()) < LEAST_CALM:
        return "the steady phase is too short to tell impact from noise"
    return ""


def _so_far(found: Recovery, clock: str, least: float) -> str:
    """What is known of a fault that was not over when the record ended."""
    if found.t1 is None:
        return f"no impact yet on {found.arrivals} arrivals, and the record ends too soon after it to tell"
    return f"not recovered {spoken(least, 's')} {_since(clock)}, when the record ended"


def _story(found: Recovery, clock: str, pair: tuple[float, float]) -> str:
    if found.state == NO_IMPACT:
        some = f", {found.bad} of them bad, but not two windows of {LEAD_S:g} s in a row" if found.bad else ""
        story = f"no impact on {found.arrivals} arrivals during the fault{some}"
        what = "over" if clock == "start" else "backlog drained"
        return story if pair[0] == 0 else f"{story}; {what} {spoken(pair[0], 's')} {_since(clock)}"
    story = f"recovered {spoken(pair[0], 's')} to {spoken(pair[1], 's')} {_since(clock)}"
    if found.relapses:
        story += f", with {len(found.relapses)} relapses later"
    if found.budget_share is not None:
        story += f"; it took {spoken(found.budget_share, 'ratio')} of the 30-day budget"
    return story


def _since(clock: str) -> str:
    return _SINCE[clock]


def _open(objective: Objective, found: Recovery, reason: str) -> Finding:
    return replace(no_data(objective.expr, reason), verdict=INCONCLUSIVE, n=found.arrivals)


def drained_at(record: Record, names: tuple[str, ...], since: float) -> float | None:
    """When the queues were first back at their greatest steady depth and stayed; None if never or unknown.

    A time counts where every queue that the steady phase knew has a value; staying is two of them in a row.
    """
    depths: dict[float, dict[object, float]] = defaultdict(dict)
    ends: dict[float, float] = {}
    for point in record.metrics:
        if point.series in names and not any(value.endswith("dlq") for _, value in point.dimensions):
            depths[point.t][point.series, point.dimensions, point.stat] = point.value
            ends[point.t] = point.t + point.period
    calm = [phase for phase in record.phases if phase.name == "steady"]
    steady = {t for t in depths if any(phase.start <= t < phase.end for phase in calm)}
    queues = {queue for t in steady for queue in depths[t]}
    depth = {t: sum(depths[t].values()) for t in sorted(depths) if queues <= depths[t].keys()}
    usual = max((value for t, value in depth.items() if t in steady), default=None)
    if usual is None:
        return None
    later = [t for t in depth if ends[t] >= since]
    back = (ends[t] for t, following in pairwise(later) if max(depth[t], depth[following]) <= usual)
    return next(back, None)
