"""The generator's own condition: one clock for everything it records, and whether it keeps up.

A run whose generator was the bottleneck must be told apart from a slow system, so each second says how late
arrivals started, how much of one core the process used and whether the wall clock jumped.
"""

from __future__ import annotations  # array takes no subscript at run time before Python 3.12

import math
import time
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenarios.load.host import Host

LATE_S = 0.1
BUSY = 0.9
SHORTEST_LOOK_S = 0.25
STALL_FACTOR = 2.0
TAIL_FACTOR = 1.5
TAIL = 0.02
LEAST_ANSWERS = 20
SLOW_S = 1.0
SYSTEM, GENERATOR = "dropped_system", "dropped_generator"


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """Monotonic time expressed as epoch seconds, anchored once: a stepped wall clock cannot reorder a run."""

    wall: float
    mono: float

    @classmethod
    def anchored(cls) -> Clock:
        """Anchored at this moment."""
        return cls(wall=time.time(), mono=time.monotonic())

    @property
    def ahead(self) -> float:
        """What is added to time.monotonic()."""
        return self.wall - self.mono

    def epoch(self, mono: float) -> float:
        """Epoch seconds of a moment of time.monotonic()."""
        return self.wall + (mono - self.mono)


@dataclass(slots=True, kw_only=True)
class Vitals:
    """Start lag, CPU, drops and clock steps since the last ``report``; the clocks are arguments for tests.

    ``usual`` is the longest that a healthy system takes to answer, as far as this run has seen (seconds),
    ``slow_s`` what counts as slow whatever is usual: the slowest answer that an objective allows.
    """

    cpu_time: Callable[[], float] = time.process_time
    wall: Callable[[], float] = time.time
    mono: Callable[[], float] = time.monotonic
    slow_s: float = SLOW_S
    usual: float = math.inf
    cpu: float = 0.0
    host: Host = field(default_factory=Host)
    lags: array[float] = field(default_factory=lambda: array("d"))
    dropped: dict[str, int] = field(default_factory=dict)
    _last: tuple[float, float, float] | None = None
    _stalled: float = 0.0

    def drop_cause(self, *, lag: float, ages: Sequence[float], sessions: int) -> str:
        """Why an arrival that is ``lag`` seconds late found no idle session among ``sessions``.

        ``ages`` are the seconds for which sessions have been waiting for an answer. The generator, when it is
        late or out of CPU, or when fewer than half of its sessions wait for the system at all. Else the
        question is what would have been: had every answer come in the usual time, would a session be idle?
        If some have waited longer (and more of them than a tail of slow answers makes), the system is to
        blame; if none has, there are too few sessions for this rate.
        """
        if lag > LATE_S or self._stalled > LATE_S or self._cpu_now() > BUSY or len(ages) * 2 < sessions:
            return GENERATOR
        usual = 0.0 if math.isinf(self.usual) else self.usual
        patience = max(
            min(usual, self.slow_s), STALL_FACTOR * max(self._stalled, max(self.lags, default=0.0))
        )
        waiting_on = sum(age > patience for age in ages)
        return SYSTEM if waiting_on > TAIL * len(ages) else GENERATOR

    def answered(self, services: NDArray[np.float64]) -> None:
        """Service times of a second's good answers: what is usual is the best second's tail."""
        if len(services) >= LEAST_ANSWERS:
            self.usual = min(self.usual, TAIL_FACTOR * float(np.quantile(services, 0.99)))

    def drop(self, cause: str) -> None:
        """Count an arrival that was not sent."""
        self.dropped[cause] = self.dropped.get(cause, 0) + 1

    def report(self, *, in_flight: int, retried: int) -> dict[str, Any]:
        """The second's line for events.jsonl without its time; starts the next second."""
        used, step = self._advance()
        lags, self.lags = np.sort(np.frombuffer(self.lags)), array("d")
        self._stalled = float(lags[-1]) if lags.size else 0.0
        dropped, self.dropped = self.dropped, {}
        return {
            "kind": "generator",
            "cpu": round(self.cpu, 4),
            "cpu_s": round(used, 6),
            "lag_p50": percentile(lags, 0.5),
            "lag_p99": percentile(lags, 0.99),
            "lag_max": self._stalled,
            "in_flight": in_flight,
            SYSTEM: dropped.get(SYSTEM, 0),
            GENERATOR: dropped.get(GENERATOR, 0),
            "clock_step": step,
            "starts": int(lags.size),
            "retried": retried,
            **self.host.report(),
        }

    def _cpu_now(self) -> float:
        """The share of a core used since the last report, or in the second before it if that was just now."""
        if self._last is None or (elapsed := self.mono() - self._last[0]) < SHORTEST_LOOK_S:
            return self.cpu
        return (self.cpu_time() - self._last[1]) / elapsed

    def _advance(self) -> tuple[float, float]:
        """Update the CPU share; CPU seconds used, and how far the wall clock moved more than the other."""
        now = (self.mono(), self.cpu_time(), self.wall())
        before, self._last = self._last, now
        if before is None or now[0] <= before[0]:
            return 0.0, 0.0
        elapsed = now[0] - before[0]
        used = now[1] - before[1]
        self.cpu = used / elapsed
        return used, round(now[2] - before[2] - elapsed, 6)


def percentile(ordered: Sequence[float] | NDArray[np.float64], q: float) -> float:
    """Nearest rank; 0 for nothing."""
    return float(ordered[max(0, math.ceil(q * len(ordered)) - 1)]) if len(ordered) else 0.0
