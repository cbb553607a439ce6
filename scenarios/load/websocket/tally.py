"""What happened to messages beside the operations, summed up over all sessions once a second.

Lines of events.jsonl: ``{"t", "kind": "websocket", "op", "lost", "reordered", "duplicated", "late",
"undecodable", "overflown", "reconnects", "sessions", "worst", "detail"}``: counts since the line before,
those that are not 0; how many sessions they belong to, and the ones with the most; one instance.
"""

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

import gevent

from scenarios.load.engine import Engine

EVERY_S = 1.0
WORST = 5


@dataclass(slots=True)
class _Bucket:
    counts: Counter[str] = field(default_factory=Counter)
    sessions: Counter[str] = field(default_factory=Counter)
    detail: str = ""


@dataclass(slots=True, eq=False)
class Tally:
    """Sums of one engine's sessions; ``name`` says which conversation of the scenario."""

    engine: Engine
    open: int = 0
    _buckets: dict[str, _Bucket] = field(default_factory=dict)
    _due: Any = None

    def count(self, name: str, session: str, what: str, number: int, detail: str) -> None:
        """So many messages of this session were lost, late and so on."""
        bucket = self._buckets.setdefault(name, _Bucket())
        bucket.counts[what] += number
        bucket.sessions[session] += number
        bucket.detail = bucket.detail or f"session {session}: {what}: {detail}"[:300]
        if self._due is None:
            self._due = gevent.spawn_later(EVERY_S, self.flush)

    def flush(self) -> None:
        """Hand what has gathered to the recorder, which writes it with its next flush."""
        if self._due is not None and self._due is not gevent.getcurrent():
            self._due.kill(block=False)
        self._due = None
        buckets, self._buckets = self._buckets, {}
        for name, bucket in buckets.items():
            line: dict[str, Any] = {"t": self.engine.clock.epoch(time.monotonic()), "kind": "websocket"}
            line |= {"op": name, **bucket.counts, "sessions": len(bucket.sessions)}
            line |= {"worst": dict(bucket.sessions.most_common(WORST)), "detail": bucket.detail}
            self.engine.recorder.event(line)


_TALLIES: "WeakKeyDictionary[Engine, Tally]" = WeakKeyDictionary()


def tally_of(engine: Engine) -> Tally:
    """The one tally of this engine."""
    found = _TALLIES.get(engine)
    if found is None:
        found = _TALLIES[engine] = Tally(engine)
    return found
