"""Writes that are there more than once where once was promised, or that nobody asked for."""

from dataclasses import replace

from slo import ledger
from slo.finding import FAIL, Finding, compare, no_data
from slo.kind import BOOKS
from slo.objective import Objective
from slo.scope import Scope

SHAPE = replace(BOOKS, integrity=True)


def judge(objective: Objective, scope: Scope) -> Finding:
    """Count them; an incomplete read-back may show enough to fail, never enough to pass."""
    windows = None if objective.phase == "all" else scope.windows
    accounts = ledger.accounts(scope.record.ledger, objective.sets, windows)
    loose = [one.set for one in accounts if not one.once]
    doubled = sum(one.duplicated for one in accounts)
    strangers = sum(one.unexpected for one in accounts)
    tried = sum(one.attempted for one in accounts)
    ids = [key for one in accounts for key in one.duplicated_ids]
    reason = f"of {tried} writes {doubled} are doubled, {strangers} that nobody asked for are there"
    found = compare(
        objective.expr,
        float(doubled + strangers),
        reason + (f" ({', '.join(ids[:5])})" if ids else ""),
        n=tried,
    )
    if found.verdict == FAIL:
        return replace(found, k=doubled + strangers)
    if loose:
        return no_data(objective.expr, f"the read-back of {', '.join(loose)} does not promise once")
    open_ = [f"{one.set}: {one.reason}" for one in accounts if not one.complete]
    if open_:
        return no_data(objective.expr, f"the read-back is incomplete ({'; '.join(open_)})")
    if tried < objective.min_samples:
        return no_data(objective.expr, f"{tried} writes of the {objective.min_samples} it asks for")
    return replace(found, k=0)
