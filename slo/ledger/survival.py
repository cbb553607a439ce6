"""What a fault took: acknowledged writes that did not survive it, and how old the oldest of them is."""

from collections.abc import Iterable
from dataclasses import dataclass

from slo.ledger.books import Book, Ledger


@dataclass(frozen=True, slots=True, kw_only=True)
class Survival:
    """Of writes acknowledged up to the end of a window; times are epoch seconds.

    `ok` and `lost` count those acknowledged inside it, `earlier` those lost that were acknowledged before.
    `oldest` is when the oldest of all lost ones was acknowledged, `oldest_since` the same of those after
    another fault. `bottomless`: nothing older survived either, so the loss may reach back further than the
    ledger does.
    """

    ok: int
    lost: int
    earlier: int
    oldest: float | None
    oldest_since: float | None
    bottomless: bool
    lost_ids: tuple[str, ...]


def survival(ledger: Ledger, names: Iterable[str], *, start: float, end: float, since: float) -> Survival:
    """Look at the sets over [start, end]; `since` is when another fault before this one was over."""
    found = sorted(
        (write.acknowledged, not _is_there(book, key), key)
        for book in ledger.touched(names).values()
        for key, write in book.writes.items()
        if write.acknowledged is not None and write.acknowledged <= end
    )
    lost = [(t, key) for t, gone, key in found if gone]
    inside = [(t, key) for t, key in lost if t >= start]
    oldest = lost[0][0] if lost else None
    return Survival(
        ok=sum(t >= start for t, _, _ in found),
        lost=len(inside),
        earlier=len(lost) - len(inside),
        oldest=oldest,
        oldest_since=next((t for t, _ in lost if t >= since), None),
        bottomless=bool(lost) and found[0][1],
        lost_ids=tuple(key for _, key in lost[:3]),
    )


def _is_there(book: Book, key: str) -> bool:
    found = book.reads.get(key)
    return found is not None and found.there
