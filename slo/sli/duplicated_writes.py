"""Writes that are there more than once where once was promised, or that nobody asked for."""

from slo import ledger
from slo.finding import Finding
from slo.kind import PROMISED
from slo.objective import Objective
from slo.promises import counted, some, windows_of
from slo.scope import Scope

SHAPE = PROMISED


def judge(objective: Objective, scope: Scope) -> Finding:
    """Count them; an incomplete read-back may show enough to fail, never enough to pass."""
    accounts = ledger.accounts(scope.record.ledger, objective.sets, windows_of(objective, scope))
    doubled = sum(one.duplicated for one in accounts)
    strangers = sum(one.unexpected for one in accounts)
    tried = sum(one.attempted for one in accounts)
    loose = [one.set for one in accounts if not one.once]
    ids = [key for one in accounts for key in one.duplicated_ids]
    return counted(
        objective,
        wrong=doubled + strangers,
        n=tried,
        of="writes",
        reason=f"of {tried} writes {doubled} are doubled, {strangers} that nobody asked for are there"
        + some(ids),
        doubts=[
            *([f"the read-back of {', '.join(loose)} does not promise once"] if loose else []),
            *ledger.unread(accounts),
        ],
    )
