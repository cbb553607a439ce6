"""Queues, after Jepsen's total-queue checker: every acknowledged message comes out, or is dead-lettered.

    lost         acknowledged, neither delivered nor in the dead-letter queue; known once the queue is drained
    duplicated   delivered more than once, or more than once in the dead-letter queue
    recovered    unknown, and delivered or dead-lettered
    unexpected   delivered or dead-lettered, and nobody ever sent it

At-least-once forbids the first, exactly-once the second and the last as well. A message that was delivered
and then dead-lettered too has come out once.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from slo.ledger.account import SHOWN
from slo.ledger.books import Book, Ledger

UNSAID = "the read-back does not say that the queue was drained"
UNDRAINED = "the queue was not drained when it was read back"


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """One queue. `doubt` says why nothing can be concluded from silence; empty when it can."""

    set: str
    attempted: int
    ok: int
    delivered: int
    dead: int
    lost: int
    duplicated: int
    recovered: int
    unexpected: int
    doubt: str
    lost_ids: tuple[str, ...]
    duplicated_ids: tuple[str, ...]


def queue(ledger: Ledger, name: str, windows: Iterable[tuple[float, float]] | None = None) -> Queue:
    """Account for one queue; with windows, only for messages sent inside one of them."""
    book = ledger.books.get(name, Book())
    writes, doubt = book.sent_in(windows), _doubt(book)
    acknowledged = {key for key, write in writes.items() if write.outcome == "ok"}
    unknown = {key for key, write in writes.items() if write.outcome == "unknown"}
    out = {key for key, found in book.reads.items() if found.count > 0 or found.dead > 0}
    lost = [] if doubt else sorted(acknowledged - out)
    doubled = sorted(k for k in out & writes.keys() if max(book.reads[k].count, book.reads[k].dead) > 1)
    own = out & writes.keys()
    return Queue(
        set=name,
        attempted=len(writes),
        ok=len(acknowledged),
        delivered=sum(book.reads[key].count > 0 for key in own),
        dead=sum(book.reads[key].dead > 0 for key in own),
        lost=len(lost),
        duplicated=len(doubled),
        recovered=len(unknown & out),
        unexpected=len(out - book.writes.keys()),
        doubt=doubt,
        lost_ids=tuple(lost[:SHOWN]),
        duplicated_ids=tuple(doubled[:SHOWN]),
    )


def queues(
    ledger: Ledger, names: Iterable[str], windows: Iterable[tuple[float, float]] | None = None
) -> list[Queue]:
    """Accounts of several queues; one that was neither written nor read in this run is left out."""
    spans = None if windows is None else tuple(windows)
    return [queue(ledger, name, spans) for name in ledger.touched(names)]


def _doubt(book: Book) -> str:
    if not book.readback.complete:
        return f"the read-back is incomplete ({book.readback.reason})"
    if book.readback.drained is None:
        return UNSAID
    return "" if book.readback.drained else UNDRAINED
