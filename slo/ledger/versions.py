"""Overwritten keys: the last acknowledged write of each is the one that is read, or an unknown newer one.

Of two acknowledged writes the one with the higher version is the later; where the system gives no versions,
the one that was sent after the other had been acknowledged. Writes that overlapped may have come in any
order. A write of unknown outcome may have come at any time after it was sent, or never.

    lost         acknowledged, later than what is read; or acknowledged with the same version as another write
                 to the key, which it or the other one has overwritten unseen
    recovered    keys that show a write of unknown outcome
    unexpected   keys that show a write nobody asked for
    untold       keys with acknowledged writes of which nothing says whether they are later than what is read
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from slo.ledger.account import SHOWN
from slo.ledger.books import Book, Held, Ledger, Write


@dataclass(frozen=True, slots=True, kw_only=True)
class Versions:
    """The overwritten keys of one set; `doubt` says why silence proves nothing, and is empty when it does."""

    set: str
    keys: int
    ok: int
    lost: int
    recovered: int
    unexpected: int
    untold: int
    doubt: str
    lost_ids: tuple[str, ...]
    unexpected_keys: tuple[str, ...]


def versions(ledger: Ledger, name: str, windows: Iterable[tuple[float, float]] | None = None) -> Versions:
    """Account for one set; with windows, only for lost writes that were sent inside one of them."""
    book = ledger.books.get(name, Book())
    chosen = book.sent_in(windows)
    by_key = _by_key(book)
    known = book.readback.complete and book.readback.keys is not None
    lost: set[str] = set()
    untold, recovered, strange = 0, 0, []
    for key, writes in by_key.items():
        held = book.held.get(key)
        acknowledged = [write for write in writes if write.outcome == "ok"]
        lost |= {one.id for one in _overwritten_unseen(acknowledged, held)}
        if held is None:
            lost |= {one.id for one in acknowledged} if known else set()
            continue
        shown = book.writes.get(held.last)
        later = _later(acknowledged, held, shown)
        untold += later is None
        lost |= {one.id for one in later or ()}
        recovered += shown is not None and shown.outcome == "unknown"
        if held.last and (shown is None or shown.key != key):
            strange.append(key)
    missing = sorted(lost & chosen.keys())
    return Versions(
        set=name,
        keys=len(by_key),
        ok=sum(write.outcome == "ok" and bool(write.key) for write in chosen.values()),
        lost=len(missing),
        recovered=recovered,
        unexpected=len(strange),
        untold=untold,
        doubt=_doubt(book, untold),
        lost_ids=tuple(missing[:SHOWN]),
        unexpected_keys=tuple(sorted(strange)[:SHOWN]),
    )


def all_versions(
    ledger: Ledger, names: Iterable[str], windows: Iterable[tuple[float, float]] | None = None
) -> list[Versions]:
    """Accounts of several sets; one that was neither written nor read in this run is left out."""
    spans = None if windows is None else tuple(windows)
    return [versions(ledger, name, spans) for name in ledger.touched(names)]


def _by_key(book: Book) -> Mapping[str, Sequence[Write]]:
    found: dict[str, list[Write]] = defaultdict(list)
    for write in book.writes.values():
        if write.key:
            found[write.key].append(write)
    return found


def _later(acknowledged: Sequence[Write], held: Held, shown: Write | None) -> list[Write] | None:
    """Acknowledged writes later than what is read; None where nothing tells."""
    if shown is not None and shown.outcome == "ok":
        return [one for one in acknowledged if _follows(one, shown)]
    # An attempt without an answer may have come last, but not under a version that is too old for it.
    told = shown is not None or not acknowledged
    later = []
    if held.version is not None:
        told = told or all(one.version is not None for one in acknowledged)
        later = [one for one in acknowledged if one.version is not None and one.version > held.version]
    return later if later or told else None


def _follows(one: Write, other: Write) -> bool:
    if one.version is not None and other.version is not None:
        return one.version > other.version
    return other.acknowledged is not None and one.sent >= other.acknowledged and one.id != other.id


def _overwritten_unseen(acknowledged: Sequence[Write], held: Held | None) -> list[Write]:
    """Of writes acknowledged with the same version, all but the one that is read (or else the last sent)."""
    groups: dict[int, list[Write]] = defaultdict(list)
    for write in acknowledged:
        if write.version is not None:
            groups[write.version].append(write)
    last = held.last if held is not None else ""
    found = []
    for version, group in groups.items():
        kept = max(group, key=lambda write: (write.id == last, write.sent)).id
        if held is not None and held.version == version and last and last not in {one.id for one in group}:
            kept = ""  # somebody else's write bears the version that these were acknowledged with
        found += [write for write in group if write.id != kept]
    return found


def _doubt(book: Book, untold: int) -> str:
    if not book.readback.complete:
        return f"the read-back is incomplete ({book.readback.reason})"
    if book.readback.keys is None:
        return "the overwritten keys were not read back"
    return f"nothing tells which write {untold} keys show" if untold else ""
