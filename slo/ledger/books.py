"""What ledger.jsonl says, set by set. Times are epoch seconds."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

RANK = {"refused": 0, "unknown": 1, "ok": 2}
Windows = Iterable[tuple[float, float]] | None


class Write(NamedTuple):
    """One write, over all attempts under its id; `acknowledged` only where the outcome is ok.

    `session` and `seq` stand where order counts, `key` where later writes overwrite earlier ones; `version`
    is the number that the system gave it. (A tuple because a run has a million of them.)
    """

    id: str
    outcome: str
    sent: float
    acknowledged: float | None = None
    session: str = ""
    seq: int = 0
    key: str = ""
    version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What the read-back found under one id: effects, copies in the dead-letter queue, a job's state."""

    count: int
    dead: int = 0
    state: str = ""
    done: float | None = None

    @property
    def there(self) -> bool:
        """A count of zero with a state was accepted and is not finished; without a state it is nothing."""
        return self.count > 0 or self.dead > 0 or bool(self.state)


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What the read-back found under an overwritten key: its version, and the id of the write it shows."""

    version: int | None
    last: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadBack:
    """The last word on a set: `read` ids and `keys` were found; None where it does not say."""

    complete: bool
    once: bool = True
    drained: bool | None = None
    read: int | None = None
    keys: int | None = None
    reason: str = ""


UNREAD = ReadBack(complete=False, reason="there was no complete read-back")


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """One set: writes and reads by id, overwritten keys, and by reader the ids received by their number."""

    writes: Mapping[str, Write] = field(default_factory=dict)
    reads: Mapping[str, Read] = field(default_factory=dict)
    held: Mapping[str, Held] = field(default_factory=dict)
    received: Mapping[str, Mapping[int, str]] = field(default_factory=dict)
    readback: ReadBack = UNREAD

    def sent_in(self, windows: Windows) -> Mapping[str, Write]:
        """The writes sent inside one of the windows [start, end); without windows all."""
        if windows is None:
            return self.writes
        spans = tuple(windows)
        return {k: w for k, w in self.writes.items() if any(start <= w.sent < end for start, end in spans)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """All sets of a run by name, in the order in which they appear.

    `taken` are the writes, as they were acknowledged, that a restore took back (rewound.py).
    """

    books: Mapping[str, Book] = field(default_factory=dict)
    taken: Mapping[str, Mapping[str, Write]] = field(default_factory=dict)

    def touched(self, names: Iterable[str]) -> dict[str, Book]:
        """Those of the named sets that were written or read in this run."""
        return {name: self.books[name] for name in names if name in self.books}
