"""Acknowledged writes that a complete read-back does not find. One is too many."""

from dataclasses import replace
from datetime import UTC, datetime

from slo import ledger
from slo.finding import Finding, compare, no_data
from slo.kind import BOOKS
from slo.objective import Objective
from slo.scope import Scope

SHAPE = replace(BOOKS, integrity=True)


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
    reason = f"{lost} of {ok} acknowledged writes are lost{_which(accounts)}"
    return replace(compare(objective.expr, float(lost), reason, n=ok), k=lost)


def _which(accounts: list[ledger.Account]) -> str:
    """When the lost ones were acknowledged, and the ids of some."""
    times = [t for one in accounts for t in one.lost_between or ()]
    ids = [key for one in accounts for key in one.lost_ids]
    if not times:
        return ""
    first, last = (_clock(t) for t in (min(times), max(times)))
    return f", acknowledged between {first} and {last} UTC ({', '.join(ids[:3])} ...)"


def _clock(t: float) -> str:
    return datetime.fromtimestamp(t, UTC).isoformat(timespec="milliseconds")[:23].replace("T", " ")
