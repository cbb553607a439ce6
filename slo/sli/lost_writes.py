"""Acknowledged writes that a complete read-back does not find. One is too many."""

from datetime import UTC, datetime

from slo import ledger
from slo.finding import Finding
from slo.kind import PROMISED
from slo.objective import Objective
from slo.promises import counted, some, windows_of
from slo.scope import Scope

SHAPE = PROMISED


def judge(objective: Objective, scope: Scope) -> Finding:
    """Count lost writes; in phase fault, those sent during the experiment's fault and recovery."""
    accounts = ledger.accounts(scope.record.ledger, objective.sets, windows_of(objective, scope))
    lost, ok = sum(one.lost for one in accounts), sum(one.ok for one in accounts)
    return counted(
        objective,
        wrong=lost,
        n=ok,
        of="acknowledged writes",
        reason=f"{lost} of {ok} acknowledged writes are lost{_which(accounts)}",
        doubts=ledger.unread(accounts),
    )


def _which(accounts: list[ledger.Account]) -> str:
    """When the lost ones were acknowledged, and the ids of some."""
    times = [t for one in accounts for t in one.lost_between or ()]
    if not times:
        return ""
    first, last = (_clock(t) for t in (min(times), max(times)))
    ids = some([key for one in accounts for key in one.lost_ids])
    return f", acknowledged between {first} and {last} UTC{ids}"


def _clock(t: float) -> str:
    return datetime.fromtimestamp(t, UTC).isoformat(timespec="milliseconds")[:23].replace("T", " ")
