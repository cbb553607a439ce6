"""Acknowledged writes that a complete read-back does not find. One is too many."""

from dataclasses import replace

from slo import ledger
from slo.finding import Finding, compare, no_data
from slo.kind import Shape
from slo.objective import Objective
from slo.scope import Scope

SHAPE = Shape(
    forms=(("count", "count"),),
    phases=("fault", "all"),
    operations=False,
    needs=frozenset({"sets"}),
    integrity=True,
    load=False,
    aftermath=True,
)


def judge(objective: Objective, scope: Scope) -> Finding:
    """Count lost writes; in phase fault, those sent during the experiment's fault and recovery."""
    windows = None if objective.phase == "all" else scope.windows
    accounts = ledger.accounts(scope.record.ledger, objective.sets, windows)
    open_ = [f"{one.set}: {one.reason}" for one in accounts if not one.complete]
    lost = sum(one.lost for one in accounts)
    ok = sum(one.ok for one in accounts)
    if open_ and not lost:
        return no_data(objective.expr, f"the read-back is incomplete ({'; '.join(open_)})")
    if ok < objective.min_samples:
        return no_data(objective.expr, f"{ok} acknowledged writes of the {objective.min_samples} it asks for")
    ids = [key for one in accounts for key in one.lost_ids]
    reason = f"{lost} of {ok} acknowledged writes are lost" + (f" ({', '.join(ids[:5])} ...)" if ids else "")
    return replace(compare(objective.expr, float(lost), reason, n=ok), k=lost)
