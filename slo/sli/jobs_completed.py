"""Accepted jobs that were not completed by the time of the read-back."""

from dataclasses import replace

from slo import ledger
from slo.finding import Finding, compare, no_data
from slo.kind import BOOKS
from slo.objective import Objective
from slo.scope import Scope

SHAPE = BOOKS


def judge(objective: Objective, scope: Scope) -> Finding:
    """Count accepted jobs that are missing or unfinished."""
    windows = None if objective.phase == "all" else scope.windows
    accounts = ledger.accounts(scope.record.ledger, objective.sets, windows)
    open_ = [f"{one.set}: {one.reason}" for one in accounts if not one.complete]
    if open_:
        return no_data(objective.expr, f"the read-back is incomplete ({'; '.join(open_)})")
    accepted = sum(one.ok for one in accounts)
    if accepted < objective.min_samples:
        return no_data(objective.expr, f"{accepted} accepted jobs of the {objective.min_samples} it asks for")
    lost, unfinished = sum(one.lost for one in accounts), sum(one.unfinished for one in accounts)
    ids = [key for one in accounts for key in (*one.lost_ids, *one.unfinished_ids)]
    reason = f"of {accepted} accepted jobs {lost} are missing and {unfinished} unfinished"
    found = compare(
        objective.expr,
        float(lost + unfinished),
        reason + (f" ({', '.join(ids[:5])})" if ids else ""),
        n=accepted,
    )
    return replace(found, k=lost + unfinished)
