"""Lines of ledger.jsonl become books; a line that makes no sense is refused with its number."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NoReturn

from slo import jsonl
from slo.errors import RecordError
from slo.ledger.books import RANK, UNREAD, Book, Held, Ledger, Read, ReadBack, Write

Line = Mapping[str, Any]

LATEST_S = 1e11  # the year 5138: what is beyond is in other units than seconds
LONGEST = 80
ONCE = Read(count=1)  # what nearly every line of a read-back says
BARE = len(("kind", "set", "id", "count"))


@dataclass(slots=True, kw_only=True)
class _Draft:
    """A book while it is being written."""

    writes: dict[str, Write] = field(default_factory=dict)
    reads: dict[str, Read] = field(default_factory=dict)
    held: dict[str, Held] = field(default_factory=dict)
    received: dict[str, dict[int, str]] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)
    readback: ReadBack = UNREAD

    def book(self) -> Book:
        for key in self.versions.keys() & self.writes.keys():
            self.writes[key] = self.writes[key]._replace(version=self.versions[key])
        return Book(
            writes=self.writes,
            reads=self.reads,
            held=self.held,
            received=self.received,
            readback=self.checked(),
        )

    def checked(self) -> ReadBack:
        """The last word, unless lines are missing or were added: then nothing is complete."""
        word = self.readback
        there = sum(found.there for found in self.reads.values())
        for said, found, what in ((word.read, there, "ids"), (word.keys, len(self.held), "keys")):
            if word.complete and said is not None and said != found:
                reason = f"it says that {said} {what} were read, the ledger lists {found}"
                word = replace(word, complete=False, reason=reason)
        return word


def read(path: Path) -> Ledger:
    """Read a ledger; an empty one where there is no file.

    Raises:
        RecordError: a line is not one of a ledger; names file and line, and what was expected.
    """
    drafts: dict[str, _Draft] = {}
    for numbers, lines in jsonl.parts(path, missing_ok=True):
        for number, line in zip(numbers, lines, strict=True):
            try:
                _enter(drafts, line)
            except ValueError as error:
                raise RecordError(f"{path}:{number}: not a line of a ledger: {error}") from error
    return _bound(drafts)


def of_lines(lines: Iterable[Line]) -> Ledger:
    """A ledger from lines at hand; ValueError says what is wrong with one, and what was expected."""
    drafts: dict[str, _Draft] = {}
    for line in lines:
        _enter(drafts, line)
    return _bound(drafts)


def _bound(drafts: Mapping[str, _Draft]) -> Ledger:
    return Ledger(books={name: draft.book() for name, draft in drafts.items()})


def _enter(drafts: dict[str, _Draft], line: Line) -> None:
    kind = line.get("kind")
    enter = _KINDS.get(kind) if isinstance(kind, str) else None
    if enter is None:
        raise ValueError(f"kind is {_short(kind)}; expected one of {', '.join(_KINDS)}")
    name = _text(line, "set")
    draft = drafts.get(name)
    if draft is None:
        draft = drafts[name] = _Draft()
    enter(draft, line)


def _write(draft: _Draft, line: Line) -> None:
    key, outcome = _text(line, "id"), line.get("outcome")
    if not isinstance(outcome, str) or outcome not in RANK:
        raise ValueError(f"outcome of {key!r} is {_short(outcome)}; expected ok, refused or unknown")
    write = Write(
        key,
        outcome,
        _time(line, "t_send"),
        _time(line, "t_ack") if outcome == "ok" else None,
        _words(line, "session"),
        _whole(line, "seq", default=0),
        _words(line, "key"),
    )
    earlier = draft.writes.get(key)
    draft.writes[key] = write if earlier is None else _merged(earlier, write)


def _merged(one: Write, other: Write) -> Write:
    """Two attempts under one id are one write: acknowledged if either was, refused only if both were."""
    better = max(one, other, key=lambda write: RANK[write.outcome])
    return better._replace(sent=min(one.sent, other.sent))


def _read(draft: _Draft, line: Line) -> None:
    key = _text(line, "id")
    found = _found(line)
    known = draft.writes.get(key)
    if known is not None:
        key = known.id  # the same text: of most ids there need not be two in memory
    if earlier := draft.reads.get(key):  # an id that is listed twice is there twice
        found = replace(found, count=found.count + earlier.count, dead=found.dead + earlier.dead)
    draft.reads[key] = found


def _found(line: Line) -> Read:
    count = _whole(line, "count", default=1)
    if count == 1 and len(line) == BARE:
        return ONCE
    return Read(
        count=count,
        dead=_whole(line, "dead", default=0),
        state=_words(line, "state"),
        done=_time(line, "done_at") if line.get("done_at") is not None else None,
    )


def _held(draft: _Draft, line: Line) -> None:
    key, last = _text(line, "key"), _words(line, "last")
    version = _whole(line, "version") if line.get("version") is not None else None
    if version is None and not last:
        raise ValueError(f"key {key!r} has neither 'version' nor 'last'; expected one of them at least")
    if key in draft.held:
        raise ValueError(f"key {key!r} was read back before; expected each key once")
    draft.held[key] = Held(version=version, last=last)


def _version(draft: _Draft, line: Line) -> None:
    draft.versions[_text(line, "id")] = _whole(line, "version")


def _received(draft: _Draft, line: Line) -> None:
    reader, number = _text(line, "reader"), _whole(line, "n")
    messages = draft.received.setdefault(reader, {})
    if number < 1 or number in messages:
        raise ValueError(f"message {number} of reader {reader!r}; expected numbers from 1 on, each once")
    messages[number] = _text(line, "id")


def _readback(draft: _Draft, line: Line) -> None:
    complete = _flag(line, "complete")
    draft.readback = ReadBack(
        complete=complete,
        once=_flag(line, "once", default=True),
        drained=_flag(line, "drained") if line.get("drained") is not None else None,
        read=_whole(line, "read") if line.get("read") is not None else None,
        keys=_whole(line, "keys") if line.get("keys") is not None else None,
        reason=_words(line, "reason") or ("" if complete else UNREAD.reason),
    )


_KINDS = {
    "write": _write,
    "read": _read,
    "readback": _readback,
    "version": _version,
    "key": _held,
    "received": _received,
}


# JSON makes values of exactly these types, and true is no number: `type` says so, faster than isinstance.


def _text(line: Line, name: str) -> str:
    value = line.get(name)
    if type(value) is str and value:
        return value
    return _refuse(line, name, "a text that is not empty")


def _words(line: Line, name: str) -> str:
    """A text that may be empty or missing."""
    value = line.get(name)
    if value is None:
        return ""
    if type(value) is str:
        return value
    return _refuse(line, name, "a text")


def _whole(line: Line, name: str, default: int | None = None) -> int:
    value = line.get(name, default)
    if type(value) is int and value >= 0:
        return value
    return _refuse(line, name, "a whole number that is not negative")


def _time(line: Line, name: str) -> float:
    value = line.get(name)
    if type(value) is float and 0 <= value <= LATEST_S:
        return value
    if type(value) is int and 0 <= value <= LATEST_S:
        return float(value)
    return _refuse(line, name, "seconds since the epoch")


def _flag(line: Line, name: str, *, default: bool | None = None) -> bool:
    value = line.get(name, default)
    if type(value) is bool:
        return value
    return _refuse(line, name, "true or false")


def _refuse(line: Line, name: str, expected: str) -> NoReturn:
    if name not in line:
        raise ValueError(f"no {name!r} in a line of kind {line['kind']!r}; expected {expected}")
    raise ValueError(f"{name} is {_short(line[name])}; expected {expected}")


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} ..."
