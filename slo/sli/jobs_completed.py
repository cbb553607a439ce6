"""Accepted jobs that were not completed by the time of the read-back."""

from slo import ledger
from slo.finding import Finding, no_data
from slo.kind import BOOKS
from slo.objective import Objective
from slo.promises import counted, some, windows_of
from slo.scope import Scope

SHAPE = BOOKS


def judge(objective: Objective, scope: Scope) -> Finding:
    """Count accepted jobs that are missing or unfinished; while some still move, nothing can be said."""
    accounts = ledger.accounts(scope.record.ledger, objective.sets, windows_of(objective, scope))
    if open_ := ledger.unread(accounts):
        return no_data(objective.expr, "; ".join(open_))
    accepted = sum(one.ok for one in accounts)
    lost, unfinished = sum(one.lost for one in accounts), sum(one.unfinished for one in accounts)
    ids = [key for one in accounts for key in (*one.lost_ids, *one.unfinished_ids)]
    return counted(
        objective,
        wrong=lost + unfinished,
        n=accepted,
        of="accepted jobs",
        reason=f"of {accepted} accepted jobs {lost} are missing and {unfinished} unfinished{some(ids)}",
    )
