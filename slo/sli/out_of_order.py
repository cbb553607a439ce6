"""Messages of a session that a reader received out of order, again, or not at all between two others.

What readers received is the readers' own account and needs no read-back; one that was begun must be complete.
"""

from slo import ledger
from slo.finding import Finding
from slo.kind import PROMISED
from slo.ledger.books import UNREAD
from slo.ledger.order import orders
from slo.objective import Objective
from slo.promises import counted, some, windows_of
from slo.scope import Scope

SHAPE = PROMISED


def judge(objective: Objective, scope: Scope) -> Finding:
    """Count what is wrong in all streams (what one reader received of one session)."""
    books = scope.record.ledger
    found = orders(books, objective.sets, windows_of(objective, scope))
    begun = [name for name, book in books.touched(objective.sets).items() if book.readback is not UNREAD]
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
        doubts=[
            *(f"{one.set}: {one.doubt}" for one in found if one.doubt),
            *ledger.unread(ledger.accounts(books, begun)),
        ],
    )
