"""Order within a session: what a reader received of it is in the order of sending, whole, and once.

A stream is what one reader received of one session. Its writes are in order by their `seq`.

    moved        the fewest messages that would have to be moved to put a stream in order
    missing      acknowledged, sent between the first and the last message that the stream shows, not received
    duplicated   further receipts of a message
    unexpected   received, and nobody ever sent it

What came before a reader's first or after its last message is no gap: it may not have been listening (the
accounts of the set and of the queue tell whether it is lost).
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from slo.ledger.account import SHOWN
from slo.ledger.books import Book, Ledger, Write


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What all readers of one set received; `doubt` is empty when silence proves order."""

    set: str
    streams: int
    received: int
    moved: int
    missing: int
    duplicated: int
    unexpected: int
    doubt: str
    ids: tuple[str, ...]

    @property
    def wrong(self) -> int:
        """Everything that must not be."""
        return self.moved + self.missing + self.duplicated + self.unexpected


@dataclass(slots=True, kw_only=True)
class _Count:
    streams: int = 0
    moved: int = 0
    missing: int = 0
    duplicated: int = 0


def order(ledger: Ledger, name: str, windows: Iterable[tuple[float, float]] | None = None) -> Order:
    """Account for one set; with windows, only for messages sent inside one of them."""
    book = ledger.books.get(name, Book())
    chosen = book.sent_in(windows)
    sessions = _sessions(chosen)
    count, received, wrong = _Count(), 0, []
    strangers = [key for one in book.received.values() for key in one.values() if key not in book.writes]
    partial = []
    for reader, messages in book.received.items():
        whole = max(messages) == len(messages)
        partial += [] if whole else [reader]
        ids = [messages[number] for number in sorted(messages)]
        received += len(ids)
        for session, own in _streams(chosen, ids).items():
            wrong += _follow(count, own, sessions.get(session, ()) if whole else ())
    return Order(
        set=name,
        streams=count.streams,
        received=received,
        moved=count.moved,
        missing=count.missing,
        duplicated=count.duplicated,
        unexpected=len(strangers),
        doubt=f"not all that {', '.join(partial[:3])} received is in the ledger" if partial else "",
        ids=tuple((*strangers, *wrong)[:SHOWN]),
    )


def orders(
    ledger: Ledger, names: Iterable[str], windows: Iterable[tuple[float, float]] | None = None
) -> list[Order]:
    """Accounts of several sets; one that was neither written nor read in this run is left out."""
    spans = None if windows is None else tuple(windows)
    return [order(ledger, name, spans) for name in ledger.touched(names)]


def moves(numbers: Sequence[int]) -> int:
    """The fewest elements to move to put distinct numbers in order: all but the longest ascending rest."""
    ends: list[int] = []  # ends[i] is the least end of an ascending choice of i + 1 elements
    for number in numbers:
        place = bisect_left(ends, number)
        ends[place : place + 1] = [number]
    return len(numbers) - len(ends)


def _sessions(writes: Mapping[str, Write]) -> Mapping[str, Sequence[Write]]:
    """Acknowledged writes of each session, in the order of sending."""
    found: dict[str, list[Write]] = defaultdict(list)
    for write in writes.values():
        if write.outcome == "ok" and write.session:
            found[write.session].append(write)
    for session in found.values():
        session.sort(key=lambda write: write.seq)
    return found


def _streams(writes: Mapping[str, Write], ids: Sequence[str]) -> Mapping[str, Sequence[Write]]:
    """What one reader received, by the session that wrote it, as it came."""
    found: dict[str, list[Write]] = defaultdict(list)
    for key in ids:
        write = writes.get(key)
        if write is not None and write.session:
            found[write.session].append(write)
    return found


def _follow(count: _Count, stream: Sequence[Write], acknowledged: Sequence[Write]) -> list[str]:
    """Count what is wrong with one stream; the ids of what is missing or came again."""
    first: dict[str, Write] = {}
    again = []
    for write in stream:
        if write.id in first:
            again.append(write.id)
        first.setdefault(write.id, write)
    numbers = [write.seq for write in first.values()]
    low, high = min(numbers), max(numbers)
    gaps = [one.id for one in acknowledged if low < one.seq < high and one.id not in first]
    count.streams += 1
    count.moved += moves(numbers)
    count.missing += len(gaps)
    count.duplicated += len(again)
    return [*gaps, *again]
