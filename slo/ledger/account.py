"""Sets, after Jepsen's set checker: what was acknowledged is there, and once where once is promised.

    lost          acknowledged, and not there
    duplicated    there more than once in a set that promises once
    recovered     unknown, and there
    unexpected    there, and nobody ever asked for it
    contradicted  there although its refusal promised that nothing was done: for reading, judged by nobody

A write of unknown outcome may be there or not: neither is an error.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from slo.ledger.books import RANK, Book, Ledger, Read, Write

SHOWN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One set. `lost_between` are the first and last time a lost write was acknowledged."""

    set: str
    attempted: int
    ok: int
    refused: int
    unknown: int
    read: int
    lost: int
    recovered: int
    duplicated: int
    unexpected: int
    contradicted: int
    unfinished: int
    once: bool
    complete: bool
    reason: str
    lost_ids: tuple[str, ...]
    unfinished_ids: tuple[str, ...]
    duplicated_ids: tuple[str, ...]
    lost_between: tuple[float, float] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """An accepted job: when it was acknowledged, and when it was done or None."""

    id: str
    accepted: float
    done: float | None
    state: str


def sets(ledger: Ledger) -> tuple[str, ...]:
    """Names of the sets, in the order they appear."""
    return tuple(ledger.books)


def account(ledger: Ledger, name: str, windows: Iterable[tuple[float, float]] | None = None) -> Account:
    """Account for one set; with windows, only for writes sent inside one of them."""
    book = ledger.books.get(name, Book())
    writes, word = book.sent_in(windows), book.readback
    tried: dict[str, int] = dict.fromkeys(RANK, 0)
    there: dict[str, int] = dict.fromkeys(RANK, 0)
    lost, unfinished, doubled = [], [], []
    for key, write in writes.items():
        tried[write.outcome] += 1
        found = book.reads.get(key)
        if found is None or not found.there:
            lost += [key] if write.outcome == "ok" else []
            continue
        there[write.outcome] += 1
        if found.count > 1 and word.once:
            doubled.append(key)
        elif found.count < 1 and write.outcome == "ok":
            unfinished.append(key)
    lost = sorted(lost) if word.complete else []
    strangers = sum(found.there and key not in book.writes for key, found in book.reads.items())
    times = [t for key in lost if (t := writes[key].acknowledged) is not None]
    return Account(
        set=name,
        attempted=len(writes),
        ok=tried["ok"],
        refused=tried["refused"],
        unknown=tried["unknown"],
        read=sum(there.values()) + (strangers if windows is None else 0),
        lost=len(lost),
        recovered=there["unknown"],
        duplicated=len(doubled),
        unexpected=strangers,
        contradicted=there["refused"],
        unfinished=len(unfinished),
        once=word.once,
        complete=word.complete,
        reason=word.reason,
        lost_ids=tuple(lost[:SHOWN]),
        unfinished_ids=tuple(sorted(unfinished)[:SHOWN]),
        duplicated_ids=tuple(sorted(doubled)[:SHOWN]),
        lost_between=(min(times), max(times)) if times else None,
    )


def unread(accounts: Iterable[Account]) -> list[str]:
    """What keeps silence from proving anything: the incomplete read-backs, in one text; none without."""
    open_ = [f"{one.set}: {one.reason}" for one in accounts if not one.complete]
    return [f"the read-back is incomplete ({'; '.join(open_)})"] if open_ else []


def shown(ledger: Ledger, name: str) -> Account:
    """The account of a whole set, as reports show it."""
    return account(ledger, name)


def accounts(
    ledger: Ledger, names: Iterable[str], windows: Sequence[tuple[float, float]] | None = None
) -> list[Account]:
    """Accounts of several sets; one that was neither written nor read in this run is left out."""
    return [account(ledger, name, windows) for name in ledger.touched(names)]


def jobs(ledger: Ledger, name: str) -> list[Job]:
    """Accepted jobs of a set, with what the read-back says of them.

    Raises:
        ValueError: a job is done, and nothing says when.
    """
    book = ledger.books.get(name, Book())
    return [
        _job(book, write, write.acknowledged)
        for write in book.writes.values()
        if write.acknowledged is not None
    ]


def _job(book: Book, write: Write, accepted: float) -> Job:
    found = book.reads.get(write.id, Read(count=0))
    if found.count > 0 and found.done is None:
        raise ValueError(f"job {write.id!r} is done; expected a field 'done_at' that says when")
    return Job(
        id=write.id,
        accepted=accepted,
        done=found.done if found.count > 0 else None,
        state=found.state or "missing",
    )
