"""Queues, exactly once: messages that were delivered more than once, or that nobody ever sent."""

from slo.finding import Finding
from slo.kind import PROMISED
from slo.ledger.queues import queues
from slo.objective import Objective
from slo.promises import counted, some, windows_of
from slo.scope import Scope

SHAPE = PROMISED


def judge(objective: Objective, scope: Scope) -> Finding:
    """Count them; what a queue still holds may be delivered again, so it must be drained to pass."""
    found = queues(scope.record.ledger, objective.sets, windows_of(objective, scope))
    again, strange = sum(one.duplicated for one in found), sum(one.unexpected for one in found)
    sent = sum(one.attempted for one in found)
    ids = [key for one in found for key in one.duplicated_ids]
    return counted(
        objective,
        wrong=again + strange,
        n=sent,
        of="messages",
        reason=f"of {sent} messages {again} came more than once{some(ids)}, {strange} that nobody sent came",
        doubts=[f"{one.set}: {one.doubt}" for one in found if one.doubt],
    )
