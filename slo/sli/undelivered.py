"""Queues, at least once: acknowledged messages neither delivered nor dead-lettered once it is drained."""

from slo.finding import Finding
from slo.kind import PROMISED
from slo.ledger.queues import queues
from slo.objective import Objective
from slo.promises import counted, some, windows_of
from slo.scope import Scope

SHAPE = PROMISED


def judge(objective: Objective, scope: Scope) -> Finding:
    """Count lost messages; a queue that was not drained proves nothing."""
    found = queues(scope.record.ledger, objective.sets, windows_of(objective, scope))
    lost, sent, dead = (sum(getattr(one, name) for one in found) for name in ("lost", "ok", "dead"))
    ids = [key for one in found for key in one.lost_ids]
    return counted(
        objective,
        wrong=lost,
        n=sent,
        of="acknowledged messages",
        reason=f"of {sent} acknowledged messages {lost} are nowhere{some(ids)}, {dead} are dead letters",
        doubts=[f"{one.set}: {one.doubt}" for one in found if one.doubt],
    )
