"""What a load did, summed up for a console: counts, drops, start lag, percentiles from exact histograms.

``Tally`` is a sink: it adds up the very lines that a run folder would hold, whichever process they come from.
Histograms are merged, percentiles never averaged.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from slo import histogram

QUANTILES = (("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999), ("max", 1.0))
DROPS = ("dropped_system", "dropped_generator")
CLOSED_NOTE = (
    "closed: users wait for an answer before they send again (Locust's own pacing), so an outage is hardly"
    " sampled; do not judge by it"
)


@dataclass(slots=True)
class Row:
    """One operation: exact counts, and latencies (s) of the good answers by bucket of slo.histogram."""

    planned: int = 0
    intended: int = 0
    sent: int = 0
    ok: int = 0
    bad: Counter[str] = field(default_factory=Counter)
    latency: Counter[int] = field(default_factory=Counter)
    service: Counter[int] = field(default_factory=Counter)

    def add(self, other: "Row") -> None:
        """Add another row's counts."""
        self.planned += other.planned
        self.intended += other.intended
        self.sent += other.sent
        self.ok += other.ok
        self.bad.update(other.bad)
        self.latency.update(other.latency)
        self.service.update(other.service)


@dataclass(slots=True)
class Tally:
    """Adds up the lines of counters.jsonl, latency.hlog and events.jsonl as they are written.

    ``lag_p99`` is the start lag's p99 in the worst second, ``lag_max`` the longest (s); ``seconds`` are those
    in which something was intended.
    """

    rows: dict[str, Row] = field(default_factory=dict)
    starts: int = 0
    lag_p99: float = 0.0
    lag_max: float = 0.0
    first: int = 0
    last: int = 0

    def append(self, name: str, text: str) -> None:
        """Take whole lines of this file; the ledger's are not summed up."""
        if name == "counters.jsonl":
            for line in text.splitlines():
                self._count(json.loads(line))
        elif name == "latency.hlog":
            for line in text.splitlines():
                self._measure(line)
        elif name == "events.jsonl":
            for line in text.splitlines():
                self._watch(json.loads(line))

    @property
    def seconds(self) -> int:
        """From the first second something was intended in to the last one, both included."""
        return self.last - self.first + 1 if self.rows else 0

    def total(self, slugs: Iterable[str]) -> Row:
        """One row for all of these."""
        total = Row()
        for slug in slugs:
            total.add(self.rows[slug])
        return total

    def _row(self, slug: str) -> Row:
        return self.rows.setdefault(slug, Row())

    def _count(self, line: Mapping[str, Any]) -> None:
        second = int(line["t"])
        self.first = min(self.first or second, second)
        self.last = max(self.last, second)
        counts = {key: line[key] for key in ("planned", "intended", "sent", "ok")}
        self._row(line["op"]).add(Row(**counts, bad=Counter(line["bad"])))

    def _measure(self, line: str) -> None:
        if not line.startswith("Tag="):
            return  # the log's opening lines
        tag, *_, text = line.split(",")
        slug, _, kind = tag.removeprefix("Tag=").partition(".")
        if kind not in ("ok", "ok.service"):
            return
        places, values = histogram.Interval(where=tag, text=text).sparse()
        row = self._row(slug)
        counts = row.latency if kind == "ok" else row.service
        for place, value in zip(places.tolist(), values.tolist(), strict=True):
            counts[place] += value

    def _watch(self, line: Mapping[str, Any]) -> None:
        if line.get("kind") != "generator":
            return
        self.starts += int(line.get("starts", 0))
        self.lag_p99 = max(self.lag_p99, float(line["lag_p99"]))
        self.lag_max = max(self.lag_max, float(line["lag_max"]))


def quantile(counts: Mapping[int, int], q: float) -> float | None:
    """Seconds that the share q of the values does not exceed; None without any."""
    if not counts:
        return None
    full = histogram.empty()
    full[np.fromiter(counts.keys(), dtype=np.int64)] = np.fromiter(counts.values(), dtype=np.int64)
    return histogram.quantile(full, q)


def text(tally: Tally, names: Mapping[str, str], *, closed: frozenset[str] = frozenset()) -> str:
    """The summary: ``names`` maps slugs to operation names, ``closed`` has the slugs of closed users."""
    slugs = sorted((slug for slug, row in tally.rows.items() if row.planned), key=lambda s: names.get(s, s))
    if not slugs:
        return "Gameday: nothing was sent"
    rows = [(_named(slug, names, closed), tally.rows[slug]) for slug in slugs]
    if len(rows) > 1:
        rows.append(("all", tally.total(slugs)))
    columns = ["operation", "intended", "sent", "ok", "bad", *(name for name, _ in QUANTILES), "service p50"]
    table = [columns, *(_cells(name, row) for name, row in rows)]
    head = f"Gameday, {tally.seconds} s: good answers' latency in ms, {_from_where(slugs, closed)}"
    return "\n".join([head, *_aligned(table), *_notes(tally, rows), *([CLOSED_NOTE] if closed else [])])


def _named(slug: str, names: Mapping[str, str], closed: frozenset[str]) -> str:
    return names.get(slug, slug) + (" [closed]" if slug in closed else "")


def _from_where(slugs: Iterable[str], closed: frozenset[str]) -> str:
    if closed.issuperset(slugs):
        return "from the moment a user sent the request"
    return "from the intended start"


def _cells(name: str, row: Row) -> list[str]:
    counts = (row.intended, row.sent, row.ok, row.bad.total())
    times = [quantile(row.latency, q) for _, q in QUANTILES] + [quantile(row.service, 0.5)]
    return [name, *(str(count) for count in counts), *(_ms(time) for time in times)]


def _ms(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds * 1e3:.1f}"


def _aligned(table: list[list[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return [
        "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]).rstrip() for row in table
    ]


def _notes(tally: Tally, rows: list[tuple[str, Row]]) -> list[str]:
    """What the table has no room for: bad answers by class, drops by cause, what never came to be, lag."""
    every = rows[-1][1]
    notes = [
        f"bad: {name}: {', '.join(f'{kind} {count}' for kind, count in sorted(row.bad.items()))}"
        for name, row in rows
        if row.bad and (name != "all" or len(rows) == 1)
    ]
    dropped = ", ".join(f"{every.bad[kind]} {kind}" for kind in DROPS if every.bad[kind])
    if dropped:
        notes.append(f"drops: {dropped}: due, and no session was free to send them")
    if missing := every.planned - every.intended:
        notes.append(f"never came to be, since the flow had failed or ended before: {missing}")
    if tally.starts:
        lag = f"{tally.lag_p99 * 1e3:.1f} ms at the worst second's p99, {tally.lag_max * 1e3:.1f} ms at most"
        notes.append(f"start lag of {tally.starts} starts: {lag}")
    return notes
