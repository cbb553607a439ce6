"""The second's book-keeping: what was recorded is written, in steps that no arrival has to wait for."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import gevent
from gevent.event import Event

from scenarios.load.plan import SESSIONS

if TYPE_CHECKING:
    from scenarios.load.engine import Engine

PROGRESS_S = 10
_STEP_S = 0.001  # sleep(0) would come back before the hub has looked at its timers: arrivals would wait
_WORKED_S = 0.0004
_COUNTED = 500


class Keeper:
    """Keeps the books of an engine; a line on stderr every PROGRESS_S unless ``quiet``."""

    def __init__(self, engine: Engine, *, quiet: bool) -> None:
        self._engine = engine
        self._quiet = quiet

    def run(self, closing: Event) -> None:
        """Keep them until ``closing`` is set."""
        engine, seconds = self._engine, 0
        while True:
            seconds += 1
            due = engine.begin + seconds
            if closing.wait(timeout=max(0.0, due - time.monotonic())):
                return
            self.report(**self._held())
            engine.ledger.flush()
            worked = time.monotonic()
            for _ in engine.recorder.flush(engine.clock.epoch(worked)):
                if time.monotonic() - worked > _WORKED_S:
                    gevent.sleep(_STEP_S)
                    worked = time.monotonic()
            engine.vitals.answered(engine.recorder.services)
            if seconds % PROGRESS_S == 0 and not self._quiet:
                self._progress(seconds)

    def _held(self) -> dict[str, int]:
        """How many of the held sessions are connected; where they do not tell, counted in small steps."""
        if self._engine.plan.model != SESSIONS:
            return {}
        count = 0
        members = self._engine.members
        if members and getattr(members[0], "tallied", False) and not self._engine.ended:
            return {"sessions_open": self._engine.connected.open}
        for start in range(0, len(members), _COUNTED):
            count += sum(getattr(each, "connected", True) for each in members[start : start + _COUNTED])
            gevent.sleep(_STEP_S)
        return {} if self._engine.ended else {"sessions_open": count}  # they are being closed

    def report(self, **more: int) -> None:
        """The generator's account of the second, with ``more``."""
        engine = self._engine
        line = engine.vitals.report(in_flight=engine.waiting, retried=engine.retried)
        engine.recorder.event({"t": engine.clock.epoch(time.monotonic()), **line, **more})
        engine.retried = 0

    def _progress(self, seconds: int) -> None:
        engine = self._engine
        totals = engine.recorder.totals()
        bad = sum(totals.bad.values())
        p99 = engine.recorder.recent_p99()
        print(  # noqa: T201 - the one line a person watching needs
            f"{seconds:5d} s  {totals.intended / seconds:7.1f} requests/s  {bad} bad"
            f"  p99 {p99 * 1e3:.1f} ms  {engine.waiting} in flight  cpu {engine.vitals.cpu:.0%}",
            file=sys.stderr,
            flush=True,
        )
