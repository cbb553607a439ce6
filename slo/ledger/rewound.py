"""What a restore to a point in time took back: no longer promised, though it was acknowledged.

From the restore on the system shows its state of the point. A write that was acknowledged after the point may
be there or not - some of what it did may lie outside the restored database - so its outcome is unknown again.
So is that of a job which was accepted up to `UNDER_WAY_S` before the point and is not finished: it was under
way in queues that are not restored with the database, and whether it was done nobody can tell any more. Both
are kept in `Ledger.taken`, for those who count what the restore cost.
"""

from collections.abc import Sequence
from dataclasses import replace

from slo.ledger.books import Book, Ledger, Write

UNDER_WAY_S = 30.0

Span = tuple[float, float]


def rewound(ledger: Ledger, spans: Sequence[Span]) -> Ledger:
    """The ledger after restores; a span is (the point in time, when its state began to be served)."""
    if not spans:
        return ledger
    taken = {name: _taken(book, spans) for name, book in ledger.books.items()}
    books = {name: _without(book, taken[name]) for name, book in ledger.books.items()}
    return Ledger(books=books, taken={name: writes for name, writes in taken.items() if writes})


def _taken(book: Book, spans: Sequence[Span]) -> dict[str, Write]:
    return {
        key: write
        for key, write in book.writes.items()
        if write.acknowledged is not None
        and any(_is_taken(book, key, write.acknowledged, span) for span in spans)
    }


def _is_taken(book: Book, key: str, acknowledged: float, span: Span) -> bool:
    point, until = span
    if point < acknowledged <= until:
        return True
    found = book.reads.get(key)
    return point - UNDER_WAY_S < acknowledged <= point and (found is None or found.count < 1)


def _without(book: Book, taken: dict[str, Write]) -> Book:
    unknown = {
        key: write._replace(outcome="unknown", acknowledged=None, version=None)
        for key, write in taken.items()
    }
    return replace(book, writes={**book.writes, **unknown})
