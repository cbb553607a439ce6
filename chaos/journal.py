"""The journal of open faults: written before a fault starts, closed when it is proven gone.

One JSON line per event, each forced to the disk before the driver goes on:
`{"event": "open", "entry": id, "t", ...facts}`, then `note` lines with later facts, then `close`. What was
opened and not closed is what `gameday abort` (and the next start) must see to. The file is `journal.jsonl` in
`$GAMEDAY_STATE`, or in `.gameday/` of the checkout.
"""

from __future__ import annotations

import json
import os
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chaos import myself
from chaos.errors import JournalError

FILE_NAME = "journal.jsonl"
_CHECKOUT = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One open fault: its id, when it was opened (epoch seconds) and every fact noted since."""

    id: str
    t: float
    facts: Mapping[str, Any]

    @property
    def orphaned(self) -> bool:
        """Whether the process that opened it is gone (a recycled process id does not count as alive)."""
        return myself.gone(self.facts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Journal:
    """The journal at `path`; made with its folder when the first entry is opened."""

    path: Path

    def open(self, **facts: Any) -> Entry:
        """Write an entry before its fault starts; `facts` must say how to undo it.

        Raises:
            JournalError: the disk refuses; then the fault must not be started.
        """
        entry = Entry(id=uuid.uuid4().hex, t=time.time(), facts={**myself.process(), **facts})
        self._append({"event": "open", "entry": entry.id, "t": entry.t, **entry.facts})
        return entry

    def note(self, entry_id: str, **facts: Any) -> None:
        """Add facts learned later (the experiment's id).

        Raises:
            JournalError: the disk refuses.
        """
        self._append({"event": "note", "entry": entry_id, "t": time.time(), **facts})

    def close(self, entry_id: str, detail: str) -> None:
        """Close an entry whose fault is proven gone; closing it twice does no harm.

        Raises:
            JournalError: the disk refuses.
        """
        self._append({"event": "close", "entry": entry_id, "t": time.time(), "detail": detail})

    def open_entries(self) -> list[Entry]:
        """What was opened and not closed, oldest first.

        Raises:
            JournalError: a line in the middle cannot be read. A torn last line is what a crash leaves behind
                and is skipped: an entry that never got to the disk never let its fault start.
        """
        found: dict[str, Entry] = {}
        for line in self._lines():
            event, entry_id, t = line.pop("event"), line.pop("entry"), line.pop("t")
            if event == "open":
                found[entry_id] = Entry(id=entry_id, t=t, facts=line)
            elif event == "note" and entry_id in found:
                before = found[entry_id]
                found[entry_id] = Entry(id=entry_id, t=before.t, facts={**before.facts, **line})
            elif event == "close":
                found.pop(entry_id, None)
        return list(found.values())

    def _lines(self) -> list[dict[str, Any]]:
        try:
            texts = self.path.read_bytes().splitlines()
        except FileNotFoundError:
            return []
        except OSError as error:
            raise JournalError(f"{self.path} cannot be read: {error}; open faults are unknown") from error
        lines: list[dict[str, Any]] = []
        for number, text in enumerate(texts, 1):
            try:
                line = json.loads(text)
                lines.append({"event": line["event"], "entry": line["entry"], "t": line["t"], **line})
            except (ValueError, KeyError, TypeError) as error:
                torn = number == len(texts) or not text.endswith(b"}")
                if not torn:
                    raise JournalError(
                        f"{self.path}:{number} cannot be read; see FIS for open faults (tag gameday-suite)"
                    ) from error
        return lines

    def _append(self, line: Mapping[str, Any]) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                size = os.fstat(handle).st_size
                torn = size > 0 and os.pread(handle, 1, size - 1) != b"\n"
                text = json.dumps(line, separators=(",", ":")).encode() + b"\n"
                os.write(handle, b"\n" + text if torn else text)
                os.fsync(handle)
            finally:
                os.close(handle)
            _sync_folder(self.path.parent)
        except OSError as error:
            raise JournalError(
                f"{self.path} cannot be written: {error}; no fault is started without it"
            ) from error


def default() -> Journal:
    """The journal of this checkout, or the one in `$GAMEDAY_STATE`."""
    folder = os.environ.get("GAMEDAY_STATE")
    return Journal(path=(Path(folder) if folder else _CHECKOUT / ".gameday") / FILE_NAME)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
