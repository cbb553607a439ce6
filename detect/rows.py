"""What a step found: rows of the table, and the document a step leaves behind."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

CAUGHT, QUIET, AS_ARGUED, SHOWN = "caught", "quiet", "explained", "shown"
MISSED, FALSE_ALARM = "MISSED", "FALSE ALARM"
WRONG = (MISSED, FALSE_ALARM)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table: what was planted or asked, what had to come of it, and what came."""

    part: str
    run: str
    what: str
    expected: str
    found: str
    result: str

    @property
    def wrong(self) -> bool:
        """Whether this line alone makes the whole a failure."""
        return self.result in WRONG


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A step that is over: its rows, figures for results.json, and how long it took.

    `commit` is what was checked out, with a plus where files differed from it.
    """

    name: str
    part: str
    minutes: float
    quick: bool
    commit: str
    when: str
    rows: tuple[Row, ...]
    about: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """As it is kept."""
        return asdict(self)


def write(folder: Path, done: Done) -> None:
    """Keep a step, so that a later command need not repeat it."""
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f".{done.name}.json"
    draft.write_text(json.dumps(done.to_json(), indent=1, allow_nan=False) + "\n", "utf-8")
    draft.replace(folder / f"{done.name}.json")


def read(folder: Path, name: str, *, quick: bool) -> Done | None:
    """A step that was kept, if one of the same kind was."""
    path = folder / f"{name}.json"
    if not path.is_file():
        return None
    table = json.loads(path.read_text("utf-8"))
    done = Done(**{**table, "rows": tuple(Row(**row) for row in table["rows"])})
    return done if done.quick == quick else None


def wrong(rows: Sequence[Row]) -> list[Row]:
    """Misses and false alarms."""
    return [row for row in rows if row.wrong]
