"""A worker's books on their way to the master: gathered, sent in numbered parcels, entered in one run folder.

Lines of counters add up and histograms merge exactly when the folder is read, so the master only appends. It
reads along for two things: which writes were accepted (for the read-back), and how many arrivals of each
second every worker accounted for (should it get lost).
"""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import gevent
from locust.exception import RPCError

from scenarios.load.ledger import Ledger
from scenarios.load.sink import Sink, lines

FILES = frozenset({"counters.jsonl", "latency.hlog", "events.jsonl", "ledger.jsonl"})
GATHER_S = 0.2
Line = tuple[str, str]


@dataclass(slots=True)
class Shipper:
    """A sink that sends what is appended a moment later; ``send`` takes a parcel; RPCError keeps it.

    A parcel is ``{"number", "lines": [[file, text], ...]}``; numbers count up from 1: a lost one shows.
    """

    send: Callable[[dict[str, Any]], None]
    number: int = 0
    _gathered: list[Line] = field(default_factory=list)
    _courier: gevent.Greenlet | None = None

    def append(self, name: str, text: str) -> None:
        """Keep the lines for the next parcel."""
        if not text:
            return
        self._gathered.append((name, text))
        if self._courier is None:
            self._courier = gevent.spawn_later(GATHER_S, self.ship)

    def ship(self) -> None:
        """Send what has gathered; what could not be sent goes with the next parcel."""
        self._courier = None
        gathered, self._gathered = self._gathered, []
        if not gathered:
            return
        try:
            self.send({"number": self.number + 1, "lines": [list(line) for line in gathered]})
        except RPCError:
            self._gathered = gathered + self._gathered
            return
        self.number += 1


@dataclass(slots=True, kw_only=True)
class Account:
    """What the master holds of one worker: parcels so far, and operations due by second and slug."""

    parcels: int = 0
    intended: Counter[tuple[int, str]] = field(default_factory=Counter)
    totals: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True, kw_only=True)
class Intake:
    """Enters workers' parcels into the run's books, and accepted writes into the master's ``ledger``."""

    sink: Sink
    ledger: Ledger
    _headed: bool = False

    def enter(self, account: Account, parcel: dict[str, Any]) -> str:
        """Append a parcel's lines; what is wrong with it, or an empty text."""
        account.parcels += 1
        expected, account.parcels = account.parcels, int(parcel["number"])
        for name, text in parcel["lines"]:
            if name not in FILES:
                return f"sent lines for {name!r}, which is no file of a run"
            self._append(account, name, text)
        if account.parcels != expected:
            return f"parcel {expected} of its books did not arrive"
        return ""

    def event(self, event: dict[str, Any]) -> None:
        """One event of the master's own."""
        self.sink.append("events.jsonl", lines([event]))

    def counters(self, counted: Sequence[dict[str, Any]]) -> None:
        """Counters of the master's own."""
        self.sink.append("counters.jsonl", lines(counted))

    def _append(self, account: Account, name: str, text: str) -> None:
        if name == "latency.hlog":
            text = self._headless(text)
        elif name == "ledger.jsonl":
            self._follow_writes(text)
        elif name == "counters.jsonl":
            _follow_counters(account, text)
        self.sink.append(name, text)

    def _headless(self, text: str) -> str:
        """All workers' logs begin at the same second: one heading is enough."""
        if not self._headed:
            self._headed = True
            return text
        return "".join(line for line in text.splitlines(keepends=True) if line.startswith("Tag="))

    def _follow_writes(self, text: str) -> None:
        for line in map(json.loads, text.splitlines()):
            if line["kind"] != "write":
                continue
            name = line["set"]
            self.ledger.attempted[name] = self.ledger.attempted.get(name, 0) + 1
            if line["outcome"] == "ok":
                self.ledger.accepted.setdefault(name, set()).add(line["id"])


def _follow_counters(account: Account, text: str) -> None:
    for line in map(json.loads, text.splitlines()):
        account.intended[int(line["t"]), line["op"]] += line["intended"]
        account.totals["intended"] += line["intended"]
        account.totals["bad"] += sum(line["bad"].values())
