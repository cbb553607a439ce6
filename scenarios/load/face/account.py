"""What one load test of plain Locust was, in the process that tells about it: alone, or the master."""

import time
from dataclasses import dataclass, field
from typing import Any

from scenarios.load.face import summary
from scenarios.load.face.folder import Folder
from scenarios.load.face.headed import Fan
from scenarios.load.sink import Sink


@dataclass(slots=True, kw_only=True)
class Account:
    """Adds up what is recorded, and keeps it in a run folder if there is one.

    ``named`` maps slugs to operation names, ``closed`` has the slugs of closed users; ``reason`` says why
    the figures are incomplete.
    """

    folder: Folder | None
    named: dict[str, str] = field(default_factory=dict)
    closed: set[str] = field(default_factory=set)
    tally: summary.Tally = field(default_factory=summary.Tally)
    reason: str = ""
    told: bool = False
    _ended: bool = False

    def __post_init__(self) -> None:
        """The load begins."""
        if self.folder is not None:
            self.folder.begin(time.time())

    @property
    def sink(self) -> Sink:
        """Where everything goes that is recorded."""
        return self.tally if self.folder is None else Fan((self.tally, self.folder.sink))

    def end(self) -> None:
        """No arrival begins any more."""
        if self.folder is not None and not self._ended:
            self.folder.end(time.time())
        self._ended = True

    def close(self) -> None:
        """Everything has been recorded."""
        self.end()
        if self.folder is not None:
            seen = {slug: name for slug, name in self.named.items() if slug in self.tally.rows}
            self.folder.close(seen, frozenset(self.closed & seen.keys()), reason=self.reason)

    def text(self) -> str:
        """The summary, and where the run folder is."""
        parts = [summary.text(self.tally, self.named, closed=frozenset(self.closed))]
        if self.reason:
            parts.append(f"incomplete: {self.reason}")
        if self.folder is not None:
            parts.append(f"run folder: {self.folder.path}")
        return "\n".join(parts)

    def take(self, data: dict[str, Any]) -> None:
        """Lines from a worker, with the names it has found."""
        self.named |= data["named"]
        self.closed.update(data["closed"])
        self.sink.append(data["name"], data["text"])
