"""A run folder as it lies on disk: whole, cut short, torn or half empty.

Judging refuses a record it cannot trust; printing shows what is there and says what is not, so this reader
raises only when there is no folder at all. Every missing file and unreadable line is a sentence in `trouble`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from reports.errors import FolderError
from reports.fields import NOTHING, Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """The parts of one run as parsed JSON; a part that is missing is empty, and `trouble` says so."""

    path: Path
    manifest: Json
    verdicts: Json
    counters: tuple[Json, ...]
    events: tuple[Json, ...]
    metrics: tuple[Json, ...]
    ledger: tuple[Json, ...]
    trouble: tuple[str, ...]

    @property
    def latency_log(self) -> Path:
        """Where the histograms are, whether or not they are there."""
        return self.path / "latency.hlog"

    def of_kind(self, kind: str) -> list[Json]:
        """The events of one kind, in the order they were written."""
        return [event for event in self.events if event.get("kind") == kind]


def read(path: Path) -> Folder:
    """Read what there is.

    Raises:
        FolderError: `path` is no folder.
    """
    if not path.is_dir():
        raise FolderError(
            f"{path}: no run folder here; name a folder written by `gameday run`, as in runs/<run id>"
        )
    trouble: list[str] = []
    say = trouble.append
    if not (path / "latency.hlog").is_file():
        say("latency.hlog is missing")
    return Folder(
        path=path,
        manifest=_document(path / "manifest.json", say),
        verdicts=_document(path / "verdicts.json", say),
        counters=_lines(path / "counters.jsonl", say),
        events=_lines(path / "events.jsonl", say),
        metrics=_lines(path / "metrics.jsonl", say),
        ledger=_lines(path / "ledger.jsonl", say),
        trouble=tuple(trouble),  # last: the readers above fill it
    )


def _document(path: Path, say: Callable[[str], None]) -> Json:
    try:
        value = json.loads(path.read_text(encoding="utf-8", errors="replace"))
    except FileNotFoundError:
        say(f"{path.name} is missing")
        return NOTHING
    except (ValueError, RecursionError, OSError) as error:
        say(f"{path.name} cannot be read: {error}")
        return NOTHING
    if not isinstance(value, dict):
        say(f"{path.name} holds {type(value).__name__}, expected an object")
        return NOTHING
    return value


def _lines(path: Path, say: Callable[[str], None]) -> tuple[Json, ...]:
    if not path.is_file():
        say(f"{path.name} is missing")
        return ()
    kept: list[Json] = []
    broken: list[int] = []
    with path.open(encoding="utf-8", errors="replace") as file:
        for i, line in enumerate(file, start=1):
            value = _parsed(line)
            if isinstance(value, dict):
                kept.append(value)
            elif line.strip():
                broken.append(i)
    if broken:
        say(f"{path.name}: {len(broken)} unreadable line(s) left out, the first is line {broken[0]}")
    return tuple(kept)


def _parsed(line: str) -> object:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None
