"""Every write the system was asked for, what it promised, and what a read-back found.

Accounting after Jepsen's set and total-queue checkers: a write is ``ok`` (acknowledged), ``refused`` (an
answer that promises nothing was done, or never sent) or ``unknown`` (no answer: it may have happened). After
the load the sets are read back completely; the judge compares. Knows no clock, no network and no gevent.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from scenarios.errors import CallError
from scenarios.load.arrivals import ALONE, Stripe
from scenarios.load.operation import LedgerSet
from scenarios.load.sink import Sink, lines

_NOTHING_DONE = frozenset({503})
_MAYBE_DONE = frozenset({408, 499})
Page = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """One write about to be sent: ``id`` is what the system stores it under."""

    set: str
    id: str
    seq: int
    session: str = ""


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
    _lines: list[dict[str, Any]] = field(default_factory=list)

    def begin(self, set_: str, session: str = "") -> Write:
        """A new write with the next number of its set: ``<run id>/<set>/<seq>``, unique among the workers.

        ``session`` names whose writes it follows, where their order counts.
        """
        done = self.attempted.get(set_, 0)
        self.attempted[set_] = done + 1
        seq = done * self.stripe.of + self.stripe.index + 1
        return Write(set=set_, id=f"{self.run_id}/{set_}/{seq}", seq=seq, session=session)

    def end(
        self, write: Write, op: str, *, outcome: str, t_send: float, t_ack: float | None, reason: str = ""
    ) -> None:
        """What the client knows of the write: outcome ok, refused or unknown; epoch seconds."""
        if outcome == "ok":
            self.accepted.setdefault(write.set, set()).add(write.id)
        line = {"kind": "write", "set": write.set, "id": write.id, "op": op, "seq": write.seq}
        line |= {"t_send": t_send, "t_ack": t_ack if outcome == "ok" else None, "outcome": outcome}
        more = {"session": write.session, "reason": reason}
        self._lines.append(line | {name: value for name, value in more.items() if value})

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """Bounds of a read-back, seconds: in all, without any change, between two looks, for one failing page."""

    settle_s: float = 45.0
    unchanged_s: float = 15.0
    every_s: float = 1.0
    retry_s: float = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadBack:
    """Reads the sets back through ``fetch(set, after) -> page``; a page is {items, next}.

    ``fetch`` raises CallError while the system cannot answer; it is asked again within ``patience.retry_s``.
    """

    fetch: Callable[[str, str | None], Page]
    patience: Patience = Patience()
    now: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep

    def run(self, kind: LedgerSet, accepted: set[str]) -> list[dict[str, Any]]:
        """Lines for ledger.jsonl: one per id read, count 0 for accepted jobs not found, and the last word."""
        items, reason = self._settled(kind, accepted)
        lines = [_read_line(kind.name, item) for item in items.values()]
        if kind.finishes and not reason:
            missing = sorted(accepted - items.keys())
            lines += [{"kind": "read", "set": kind.name, "id": key, "count": 0} for key in missing]
        done = {"kind": "readback", "set": kind.name, "complete": not reason, "once": kind.once}
        return [*lines, done | {"read": len(items), "t": self.now(), "reason": reason}]

    def _settled(self, kind: LedgerSet, accepted: set[str]) -> tuple[dict[str, Page], str]:
        begun = changed = self.now()
        seen: dict[str, Page] = {}
        while True:
            try:
                items = self._all(kind.name)
            except (CallError, LookupError, TypeError) as error:
                return seen, f"reading back {kind.name} failed: {error}"
            if items != seen:
                seen, changed = items, self.now()
            unfinished = [key for key in accepted if not _finished(kind, items.get(key))]
            if not kind.finishes or not unfinished or self.now() - changed >= self.patience.unchanged_s:
                return items, ""
            if self.now() - begun >= self.patience.settle_s:
                return (
                    items,
                    f"{len(unfinished)} accepted still unfinished after {self.patience.settle_s:g} s",
                )
            self.sleep(self.patience.every_s)

    def _all(self, name: str) -> dict[str, Page]:
        """Every item of the set by id; an id listed twice was written twice, so its counts add up."""
        items: dict[str, Page] = {}
        after: str | None = None
        while True:
            page = self._page(name, after)
            for item in page["items"]:
                earlier = items.get(item["id"], {}).get("count", 0)
                items[item["id"]] = {**item, "count": item["count"] + earlier}
            previous, after = after, page["next"]
            if after is None:
                return items
            if after == previous:
                raise LookupError(f"the audit of {name} does not move past {after!r}")

    def _page(self, name: str, after: str | None) -> Page:
        begun = self.now()
        while True:
            try:
                return self.fetch(name, after)
            except CallError:
                if self.now() - begun >= self.patience.retry_s:
                    raise
            self.sleep(self.patience.every_s)


def _finished(kind: LedgerSet, item: Page | None) -> bool:
    return item is not None and (item["count"] > 0 or item.get("state") in kind.ended)


def _read_line(name: str, item: Page) -> dict[str, Any]:
    line = {"kind": "read", "set": name, "id": item["id"], "count": item["count"]}
    return line | {
        key: item[key] for key in ("state", "requested_at", "done_at") if item.get(key) is not None
    }


def unread(sets: Sequence[LedgerSet], *, reason: str, now: float) -> list[dict[str, Any]]:
    """Lines that say no set was read back, and why."""
    return [
        {
            "kind": "readback",
            "set": each.name,
            "complete": False,
            "once": each.once,
            "read": 0,
            "t": now,
            "reason": reason,
        }
        for each in sets
    ]
