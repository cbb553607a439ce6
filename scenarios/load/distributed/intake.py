"""All workers' books, entered in one run folder.

Lines of counters add up and histograms merge exactly when the folder is read, so the master only appends. It
reads along for two things: which writes were accepted (for the read-back), and how many arrivals of each
second every worker accounted for (should it get lost).
"""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from scenarios.load.ledger import Ledger
from scenarios.load.sink import Sink, lines

FILES = frozenset({"counters.jsonl", "latency.hlog", "events.jsonl", "ledger.jsonl"})


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
