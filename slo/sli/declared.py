"""What the environment declares about itself, such as the size of its data: reached, or not applicable."""

from dataclasses import replace

from slo.finding import NOT_APPLICABLE, PASS, Finding, compare, no_data
from slo.kind import Shape
from slo.objective import Objective
from slo.scope import Scope

SHAPE = Shape(
    forms=(("value", "count"),), phases=("all",), operations=False, needs=frozenset({"parameter"}), load=False
)


def judge(objective: Objective, scope: Scope) -> Finding:
    """Pass where the environment is big enough; a smaller one says nothing about the target."""
    value = scope.record.manifest.environment.get(objective.parameter)
    if not isinstance(value, int | float):
        return no_data(objective.expr, f"the environment declares no {objective.parameter}")
    found = compare(objective.expr, float(value), f"the environment has {value:,} {objective.parameter}", n=1)
    if found.verdict == PASS:
        return found
    return replace(found, verdict=NOT_APPLICABLE, reason=f"not applicable: {found.reason}")
