"""An alarm under a fault: in ALARM within a limit of the first effect, and OK again before the watch ends.

`dimensions` names the alarm. With `against` (and `operations`), as for a recovery, a fault that customers
did not feel puts no alarm to the test. An alarm that has not rung yet fails at once if it never can: when its
metric got no data in the whole run while others of the same name, with other dimensions, did.
"""

from dataclasses import replace

from slo import faults, series
from slo.clocks import censored, repeated, within
from slo.finding import FAIL, INCONCLUSIVE, Finding, no_data, spoken
from slo.kind import Shape
from slo.objective import Objective
from slo.recovery import CENSORED, NO_IMPACT, UNSURE, Recovery
from slo.scope import Scope, Window
from slo.series import ALARM, OK, States

SHAPE = Shape(
    forms=(("max", "s"),),
    phases=("fault",),
    operations=False,
    needs=frozenset({"dimensions"}),
    takes=frozenset({"against", "operations"}),
    load=False,
    aftermath=True,
    side="below",
)


def judge(objective: Objective, scope: Scope) -> Finding:
    """Judge the time from the first effect to ALARM, each repeat of the fault by itself."""
    record, experiment = scope.record, scope.experiment
    name = series.alarm_of(objective)
    if experiment is None:
        return no_data(objective.expr, "no fault belongs to this objective")
    states = series.states(record, name)
    if not states.t:
        return no_data(objective.expr, f"no state of alarm {name} is known")
    windows = faults.repeats(record, experiment.name)
    return repeated(objective.expr, [_judged(objective, scope, states, window) for window in windows])


def _judged(objective: Objective, scope: Scope, states: States, window: Window) -> Finding:
    record, expr = scope.record, objective.expr
    assert scope.experiment is not None, "asked before"
    sight = faults.seen(record, scope.experiment.name, window)
    if sight.t0 is None:
        return _open(objective, "fault not observed: no probe saw it begin")
    if states.at(sight.t0) == ALARM:
        return _open(objective, f"{states.name} was in ALARM already when the fault began")
    felt = None
    if objective.against is not None:
        felt = faults.recover_one(record, scope.experiment.name, objective, window)
    fired = states.first(ALARM, sight.t0, window[1])
    if fired is None:
        return _silent(objective, scope, states, felt, window[1] - sight.t0)
    delay = fired - sight.t0
    found = within(expr, (delay, delay), f"{states.name} in ALARM {spoken(delay, 's')} after it began", n=1)
    if found.verdict == FAIL:
        return found
    return _cleared(
        objective, found, states, well=felt.t2 if felt else sight.t_end, watched=(fired, window[1])
    )


def _cleared(
    objective: Objective, found: Finding, states: States, *, well: float | None, watched: Window
) -> Finding:
    """It rang in time; was it quiet again at the end, or had it no time to be?"""
    fired, end = watched
    if states.at(end) == OK:
        return replace(
            found, reason=f"{found.reason}; OK again {spoken(states.since(end) - fired, 's')} later"
        )
    if well is None:
        return _open(objective, f"{found.reason}; not OK again, but nothing shows that the fault was over")
    story = f"{found.reason}; not OK again {spoken(end - well, 's')} after all was well"
    return censored(objective.expr, end - well, story, n=1)


def _silent(
    objective: Objective, scope: Scope, states: States, felt: Recovery | None, watched: float
) -> Finding:
    """It did not ring."""
    if felt is not None and (felt.state == NO_IMPACT or (felt.state == CENSORED and felt.t1 is None)):
        return _open(objective, f"customers did not feel the fault, so {states.name} was not put to the test")
    if felt is not None and felt.state == UNSURE:
        few = "bad arrivals, too few or too clustered to time"
        return _open(objective, f"{few}: whether customers felt the fault is not known")
    own, elsewhere = series.alarm_input(scope.record, states.name)
    if own == 0 and elsewhere:
        return Finding(
            verdict=FAIL,
            reason=(
                f"{states.name} can never ring: its metric got no data in this run, while {elsewhere:.0f} "
                "values of that name came with other dimensions; dimensions match exactly"
            ),
            unit=objective.expr.unit,
            n=1,
        )
    story = f"{states.name} did not go to ALARM in the {spoken(watched, 's')} that were watched"
    return censored(objective.expr, watched, story, n=1)


def _open(objective: Objective, reason: str) -> Finding:
    return replace(no_data(objective.expr, reason), verdict=INCONCLUSIVE)
