"""Messages of a session that a reader received out of order, again, or not at all between two others."""

from slo.finding import Finding
from slo.kind import PROMISED
from slo.ledger.order import orders
from slo.objective import Objective
from slo.promises import counted, some, windows_of
from slo.scope import Scope

SHAPE = PROMISED


def judge(objective: Objective, scope: Scope) -> Finding:
    """Count what is wrong in all streams (what one reader received of one session)."""
    found = orders(scope.record.ledger, objective.sets, windows_of(objective, scope))
    wrong, moved, missing, again, strange, n, streams = (
        sum(getattr(one, name) for one in found)
        for name in ("wrong", "moved", "missing", "duplicated", "unexpected", "received", "streams")
    )
    ids = [key for one in found for key in one.ids]
    return counted(
        objective,
        wrong=wrong,
        n=n,
        of="received messages",
        reason=f"of {n} messages in {streams} streams {moved} are out of order, {missing} are missing, "
        f"{again} came again, {strange} nobody sent{some(ids)}",
        doubts=[f"{one.set}: {one.doubt}" for one in found if one.doubt],
    )
