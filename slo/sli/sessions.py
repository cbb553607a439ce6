"""Sessions open at once, from the generator's own account: the fewest in any second of the phase."""

from collections import defaultdict

from slo.finding import Finding, compare, no_data
from slo.kind import Shape
from slo.objective import Objective
from slo.scope import Scope

SHAPE = Shape(forms=(("value", "count"),), operations=False, side="above")

COVERAGE = 0.9


def judge(objective: Objective, scope: Scope) -> Finding:
    """Compare the target with each worker's fewest sessions, added up: at no moment were there fewer."""
    open_: dict[str, dict[int, int]] = defaultdict(dict)
    for event in scope.record.of_kind("generator"):
        if "sessions_open" in event and any(start <= event["t"] < end for start, end in scope.windows):
            open_[str(event.get("worker", ""))][int(event["t"])] = int(event["sessions_open"])
    known = min((len(seconds) for seconds in open_.values()), default=0)
    if known < COVERAGE * scope.seconds or not known:
        return no_data(objective.expr, f"open sessions are known for {known} of {scope.seconds:.0f} s")
    fewest = sum(min(seconds.values()) for seconds in open_.values())
    return compare(objective.expr, float(fewest), f"at least {fewest} sessions were open", n=known)
