"""Every write that was promised, and what the read-back found of it."""

from __future__ import annotations

import math
from collections import Counter, defaultdict

from reports import formats
from reports.fields import Json, flag, number, pair, rows, text, texts
from reports.folder import Folder
from reports.table import NOT_APPLICABLE, Row, Table, numeric

COUNTS = (
    "attempted",
    "ok",
    "refused",
    "unknown",
    "read",
    "lost",
    "recovered",
    "duplicated",
    "unexpected",
    "unfinished",
)
UNJUDGED = ("attempted", "ok", "refused", "unknown")


def describe(folder: Folder) -> Table:
    """One row for each set of writes; without verdicts only what the client knows."""
    judged = rows(folder.verdicts, "ledger") or _counted(folder)
    delays = _delays(folder)
    return Table(
        caption="Ledger of writes",
        columns=("Set", *COUNTS, "done after p50, p99", "complete"),
        rows=tuple(_row(entry, delays.get(text(entry, "set"), NOT_APPLICABLE)) for entry in judged),
        numeric=numeric(1, len(COUNTS) + 2),
        notes=tuple(note for entry in judged for note in _notes(entry)),
        empty="No write was recorded.",
    )


def _row(entry: Json, delay: str) -> Row:
    complete = flag(entry, "complete")
    state = NOT_APPLICABLE if complete is None else "yes" if complete else "no"
    lost = number(entry, "lost") or number(entry, "unexpected")
    doubled = flag(entry, "once") and number(entry, "duplicated")
    return Row(
        cells=(text(entry, "set"), *(_count(entry, name) for name in COUNTS), delay, state),
        tone="fail" if lost or doubled or complete is False else "",
    )


def _count(entry: Json, name: str) -> str:
    written = formats.number(number(entry, name))
    if name == "duplicated" and flag(entry, "once") is False and number(entry, name):
        return f"{written} (allowed)"
    return written


def _notes(entry: Json) -> list[str]:
    """Which writes the counts are about, as far as their ids were kept."""
    name, said = text(entry, "set"), []
    between = pair(entry, "lost_between")
    when = f", acknowledged {formats.clock(between[0])} to {formats.clock(between[1])}" if between else ""
    for kind, more in (("lost", when), ("duplicated", ""), ("unfinished", "")):
        if ids := texts(entry, f"{kind}_ids"):
            others = round(number(entry, kind) or 0) - len(ids)
            said.append(
                f"{name}: {kind} {', '.join(ids)}{f' and {others} more' if others > 0 else ''}{more}."
            )
    if reason := text(entry, "reason"):
        said.append(f"{name}: {reason}")
    return said


def _counted(folder: Folder) -> list[Json]:
    """What ledger.jsonl alone says: attempts and their outcomes."""
    outcomes: dict[str, Counter[str]] = defaultdict(Counter)
    for line in folder.ledger:
        if text(line, "kind") == "write":
            outcomes[text(line, "set")].update(["attempted", text(line, "outcome")])
    return [
        {"set": name, "reason": "not judged"} | {count: outcomes[name][count] for count in UNJUDGED}
        for name in sorted(outcomes)
    ]


def _delays(folder: Folder) -> dict[str, str]:
    """Set -> "p50, p99" from sending a write to its completion, where the system tells when that was."""
    sent: dict[tuple[str, str], float] = {}
    for line in folder.ledger:
        t = number(line, "t_send")
        if text(line, "kind") == "write" and t is not None:
            sent.setdefault((text(line, "set"), text(line, "id")), t)
    waits: dict[str, list[float]] = defaultdict(list)
    for line in folder.ledger:
        done, key = number(line, "done_at"), (text(line, "set"), text(line, "id"))
        if text(line, "kind") == "read" and done is not None and key in sent:
            waits[key[0]].append(max(0.0, done - sent[key]))
    return {
        name: ", ".join(formats.latency(_nearest(values, q)) for q in (0.5, 0.99))
        for name, values in waits.items()
    }


def _nearest(values: list[float], q: float) -> float:
    return sorted(values)[max(0, math.ceil(q * len(values)) - 1)]
