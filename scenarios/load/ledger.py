"""Every write the system was asked for, what it promised, and what readers received.

Accounting after Jepsen's checkers: a write is ``ok`` (acknowledged), ``refused`` (an answer that promises
nothing was done, or never sent) or ``unknown`` (no answer: it may have happened). After the load the sets are
read back completely (audit.py); the judge compares. Knows no clock, no network and no gevent.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from scenarios.load.arrivals import ALONE, Stripe
from scenarios.load.sink import Sink, lines

_NOTHING_DONE = frozenset({503})
_MAYBE_DONE = frozenset({408, 499})


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """One write about to be sent: ``id`` is what the system stores it under.

    ``also`` are further sets in which it must leave its mark, ``key`` is what it overwrites.
    """

    set: str
    id: str
    seq: int
    session: str = ""
    key: str = ""
    also: tuple[str, ...] = ()


@dataclass(slots=True)
class Ledger:
    """Numbers the run's writes and keeps their outcomes until the next ``flush`` to ledger.jsonl.

    ``accepted`` and ``attempted`` map a set to the ids the read-back must account for.
    """

    run_id: str
    sink: Sink
    stripe: Stripe = ALONE
    accepted: dict[str, set[str]] = field(default_factory=dict)
    attempted: dict[str, int] = field(default_factory=dict)
    _received: dict[tuple[str, str], int] = field(default_factory=dict)
    _lines: list[dict[str, Any]] = field(default_factory=list)

    def begin(self, set_: str, session: str = "", *, key: str = "", also: tuple[str, ...] = ()) -> Write:
        """A new write with the next number of its set: ``<run id>/<set>/<seq>``, unique among the workers.

        ``session`` names whose writes it follows, where their order counts; ``key`` what it overwrites, where
        only the last write stands.
        """
        done = self.attempted.get(set_, 0)
        for name in (set_, *also):
            self.attempted[name] = self.attempted.get(name, 0) + 1
        seq = done * self.stripe.of + self.stripe.index + 1
        return Write(set=set_, id=f"{self.run_id}/{set_}/{seq}", seq=seq, session=session, key=key, also=also)

    def end(
        self, write: Write, op: str, *, outcome: str, t_send: float, t_ack: float | None, reason: str = ""
    ) -> None:
        """What the client knows of the write: outcome ok, refused or unknown; epoch seconds."""
        more = {"session": write.session, "key": write.key, "reason": reason}
        for name in (write.set, *write.also):
            if outcome == "ok":
                self.accepted.setdefault(name, set()).add(write.id)
            line = {"kind": "write", "set": name, "id": write.id, "op": op, "seq": write.seq}
            line |= {"t_send": t_send, "t_ack": t_ack if outcome == "ok" else None, "outcome": outcome}
            self._lines.append(line | {name: value for name, value in more.items() if value})

    def versioned(self, write: Write, version: int) -> None:
        """The version that the system gave an acknowledged write to its key."""
        self._lines.append({"kind": "version", "set": write.set, "id": write.id, "version": version})

    def received(self, set_: str, *, reader: str, id_: str, t: float) -> None:
        """A reader got the message of this id, after all that it got before (``t`` is for reading only).

        ``reader`` is somebody who gets each message of a session once, as a session of another user does.
        """
        number = self._received[set_, reader] = self._received.get((set_, reader), 0) + 1
        self._lines.append(
            {"kind": "received", "set": set_, "reader": reader, "n": number, "id": id_, "t": t}
        )

    def add(self, lines: Iterable[dict[str, Any]]) -> None:
        """Lines of a read-back."""
        self._lines.extend(lines)

    def flush(self) -> None:
        """Append what has gathered."""
        gathered, self._lines = self._lines, []
        self.sink.append("ledger.jsonl", lines(gathered))


def outcome_of(status: int) -> str:
    """What a complete answer promises about a write.

    4xx and 503 (nobody to do it) mean that nothing was done; any other 5xx, and a request the server gave up
    on (408, 499), may hide a finished write.
    """
    if 200 <= status < 300:
        return "ok"
    if status in _NOTHING_DONE or (status < 500 and status not in _MAYBE_DONE):
        return "refused"
    return "unknown"


def outcome_of_failure(kind: str) -> str:
    """What a failed transport means for a write: an unopened connection carried nothing."""
    return "refused" if kind == "connect" else "unknown"
