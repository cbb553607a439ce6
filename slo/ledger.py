"""Accounting for writes, after Jepsen's set and total-queue checkers.

Every write was answered (ok), refused (the system said that nothing was done) or is unknown (timeout,
reset). After the load a read-back lists what is there.

    lost         answered, but not there
    duplicated   there more than once in a set that promises once
    recovered    unknown, and there
    unexpected   there, but nobody ever asked for it
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

Lines = Sequence[Mapping[str, Any]]

SHOWN = 20
RANK = {"refused": 0, "unknown": 1, "ok": 2}


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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Write:
    outcome: str
    sent: float
    acknowledged: float | None


def sets(ledger: Lines) -> tuple[str, ...]:
    """Names of the sets, in the order they appear."""
    return tuple(dict.fromkeys(str(line["set"]) for line in ledger if "set" in line))


def account(ledger: Lines, name: str, windows: Iterable[tuple[float, float]] | None = None) -> Account:
    """Account for one set; with windows, only for writes sent inside one of them."""
    writes, reads, readback = _parts(ledger, name)
    everything = set(writes)
    if windows is not None:
        spans = tuple(windows)
        writes = {key: write for key, write in writes.items() if any(a <= write.sent < b for a, b in spans)}
    by_outcome = {
        outcome: {key for key, write in writes.items() if write.outcome == outcome} for outcome in RANK
    }
    there = {key for key, line in reads.items() if _is_there(line)}
    once = bool(readback.get("once", True))
    lost = sorted(by_outcome["ok"] - there)
    doubled = sorted(key for key in there & set(writes) if once and int(reads[key].get("count", 1)) > 1)
    unfinished = sorted(key for key in by_outcome["ok"] & there if int(reads[key].get("count", 1)) < 1)
    times = [t for key in lost if (t := writes[key].acknowledged) is not None]
    complete = readback.get("complete") is True
    return Account(
        set=name,
        attempted=len(writes),
        ok=len(by_outcome["ok"]),
        refused=len(by_outcome["refused"]),
        unknown=len(by_outcome["unknown"]),
        read=len(there if windows is None else there & set(writes)),
        lost=len(lost) if complete else 0,
        recovered=len(by_outcome["unknown"] & there),
        duplicated=len(doubled),
        unexpected=len(there - everything),
        unfinished=len(unfinished),
        once=once,
        complete=complete,
        reason=str(readback.get("reason", "")) or ("" if complete else "there was no complete read-back"),
        lost_ids=tuple(lost[:SHOWN]) if complete else (),
        unfinished_ids=tuple(unfinished[:SHOWN]),
        duplicated_ids=tuple(doubled[:SHOWN]),
        lost_between=(min(times), max(times)) if times and complete else None,
    )


def shown(ledger: Lines, name: str) -> Account:
    """The account for a report: of a set whose lines make no sense, an empty one that says so."""
    try:
        return account(ledger, name)
    except (KeyError, TypeError, ValueError) as error:
        reason = f"its lines make no sense: {type(error).__name__}: {error}"
        readback = {"kind": "readback", "set": name, "complete": False, "reason": reason}
        return account((readback,), name)


def accounts(
    ledger: Lines, names: Iterable[str], windows: Sequence[tuple[float, float]] | None = None
) -> list[Account]:
    """Accounts of several sets; one that was neither written nor read in this run is left out."""
    touched = set(sets(ledger))
    return [account(ledger, name, windows) for name in names if name in touched]


def jobs(ledger: Lines, name: str) -> list[Job]:
    """Accepted jobs of a set, with what the read-back says of them."""
    writes, reads, _ = _parts(ledger, name)
    found = []
    for key, write in writes.items():
        if write.outcome == "ok" and write.acknowledged is not None:
            line = reads.get(key, {})
            finished = float(line["done_at"]) if int(line.get("count", 0)) > 0 else None
            found.append(
                Job(
                    id=key,
                    accepted=write.acknowledged,
                    done=finished,
                    state=str(line.get("state", "missing")),
                )
            )
    return found


def _parts(
    ledger: Lines, name: str
) -> tuple[dict[str, _Write], dict[str, Mapping[str, Any]], Mapping[str, Any]]:
    writes: dict[str, _Write] = {}
    reads: dict[str, Mapping[str, Any]] = {}
    readback: Mapping[str, Any] = {}
    for line in ledger:
        if line.get("set") != name:
            continue
        if line["kind"] == "write":
            write = _Write(
                outcome=str(line["outcome"]), sent=float(line["t_send"]), acknowledged=line.get("t_ack")
            )
            if write.outcome not in RANK:
                raise ValueError(
                    f"ledger: outcome {write.outcome!r} of {line['id']!r}; expected ok, refused or unknown"
                )
            known = writes.get(line["id"])
            writes[line["id"]] = write if known is None else _merged(known, write)
        elif line["kind"] == "read":
            known_read = reads.get(line["id"])
            # An id that is listed twice is there twice.
            more = 0 if known_read is None else int(known_read.get("count", 1))
            reads[line["id"]] = {**line, "count": int(line.get("count", 1)) + more}
        elif line["kind"] == "readback":
            readback = line
    return writes, reads, readback


def _merged(one: _Write, other: _Write) -> _Write:
    """Two attempts under one id are one write: acknowledged if either was, refused only if both were."""
    better = max(one, other, key=lambda write: RANK[write.outcome])
    return replace(better, sent=min(one.sent, other.sent))


def _is_there(line: Mapping[str, Any]) -> bool:
    """A count of zero with a state was accepted and is not finished; without a state it is nothing."""
    return int(line.get("count", 1)) > 0 or bool(line.get("state"))
