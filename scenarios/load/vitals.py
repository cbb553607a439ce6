"""The generator's own condition: one clock for everything it records, and whether it keeps up.

A run whose generator was the bottleneck must be told apart from a slow system, so each second says how late
arrivals started, how much of one core the process used and whether the wall clock jumped.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

LATE_S = 0.1
BUSY = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """Monotonic time expressed as epoch seconds, anchored once: a stepped wall clock cannot reorder a run."""

    wall: float
    mono: float

    @classmethod
    def anchored(cls) -> "Clock":
        """Anchored at this moment."""
        return cls(wall=time.time(), mono=time.monotonic())

    def epoch(self, mono: float) -> float:
        """Epoch seconds of a moment of time.monotonic()."""
        return self.wall + (mono - self.mono)


@dataclass(slots=True, kw_only=True)
class Vitals:
    """Start lag, CPU, drops and clock steps since the last ``report``; the clocks are arguments for tests."""

    cpu_time: Callable[[], float] = time.process_time
    wall: Callable[[], float] = time.time
    mono: Callable[[], float] = time.monotonic
    cpu: float = 0.0
    lags: list[float] = field(default_factory=list)
    dropped: dict[str, int] = field(default_factory=dict)
    _last: tuple[float, float, float] | None = None

    def drop_cause(self, *, lag: float, waiting: int, sessions: int) -> str:
        """Why no session was idle: the system, when on time and most sessions wait for its answers."""
        if lag > LATE_S or self.cpu > BUSY or waiting * 2 < sessions:
            return "dropped_generator"
        return "dropped_system"

    def drop(self, cause: str) -> None:
        """Count an arrival that was not sent."""
        self.dropped[cause] = self.dropped.get(cause, 0) + 1

    def report(self, *, in_flight: int, retried: int) -> dict[str, Any]:
        """The second's line for events.jsonl without its time; starts the next second."""
        step = self._advance()
        lags, self.lags = sorted(self.lags), []
        dropped, self.dropped = self.dropped, {}
        return {
            "kind": "generator",
            "cpu": round(self.cpu, 4),
            "lag_p50": percentile(lags, 0.5),
            "lag_p99": percentile(lags, 0.99),
            "lag_max": lags[-1] if lags else 0.0,
            "in_flight": in_flight,
            "dropped_system": dropped.get("dropped_system", 0),
            "dropped_generator": dropped.get("dropped_generator", 0),
            "clock_step": step,
            "starts": len(lags),
            "retried": retried,
        }

    def _advance(self) -> float:
        """Update the CPU share (of one core); seconds the wall clock moved more than the monotonic one."""
        now = (self.mono(), self.cpu_time(), self.wall())
        before, self._last = self._last, now
        if before is None or now[0] <= before[0]:
            return 0.0
        elapsed = now[0] - before[0]
        self.cpu = (now[1] - before[1]) / elapsed
        return round(now[2] - before[2] - elapsed, 6)


def percentile(ordered: list[float], q: float) -> float:
    """Nearest rank; 0 for nothing."""
    return ordered[max(0, math.ceil(q * len(ordered)) - 1)] if ordered else 0.0
