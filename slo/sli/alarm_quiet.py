"""An alarm that must not ring: how often it was or went to ALARM in the phase.

`dimensions` names the alarm. One that had no data throughout watches nothing, and its silence says nothing.
"""

from slo import series
from slo.finding import Finding, compare, no_data
from slo.kind import Shape
from slo.objective import Objective
from slo.scope import Scope
from slo.series import ALARM, INSUFFICIENT

SHAPE = Shape(
    forms=(("count", "count"),),
    phases=("steady", "recovered", "all"),
    operations=False,
    needs=frozenset({"dimensions"}),
    load=False,
    side="below",
)


def judge(objective: Objective, scope: Scope) -> Finding:
    """Count the times it was in ALARM at the beginning of a window or went there inside one."""
    name = series.alarm_of(objective)
    states = series.states(scope.record, name)
    if not scope.windows:
        return no_data(objective.expr, "there was no such phase")
    rung, seeing = 0, False
    for start, end in scope.windows:
        begun = states.at(start)
        if begun is None:
            return no_data(objective.expr, f"no state of alarm {name} is known at the phase's beginning")
        levels = [begun, *states.between(start, end)]
        rung += sum(level == ALARM for level in levels)
        seeing = seeing or any(level != INSUFFICIENT for level in levels)
    if not seeing:
        return no_data(objective.expr, f"{name} had no data throughout: it watched nothing")
    return compare(objective.expr, float(rung), f"{name} was in ALARM {rung} times", n=len(scope.windows))
