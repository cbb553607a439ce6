"""Sessions open at once, from the generator's own account: the fewest in any second of the phase."""

from collections import defaultdict

from slo.finding import Finding, compare, no_data
from slo.kind import Shape
from slo.objective import Objective
from slo.scope import Scope

SHAPE = Shape(forms=(("value", "count"),), phases=("steady", "fault", "recovered", "all"), operations=False)

COVERAGE = 0.9


def judge(objective: Objective, scope: Scope) -> Finding:
    """Compare the fewest sessions of a second, summed over workers, with the target."""
    open_: dict[int, float] = defaultdict(float)
    for event in scope.record.of_kind("generator"):
        if "sessions" in event and any(start <= event["t"] < end for start, end in scope.windows):
            open_[int(event["t"])] += float(event["sessions"])
    if len(open_) < COVERAGE * scope.seconds or not open_:
        return no_data(objective.expr, f"open sessions are known for {len(open_)} of {scope.seconds:.0f} s")
    fewest = min(open_.values())
    return compare(objective.expr, fewest, f"at least {fewest:.0f} sessions were open", n=len(open_))
