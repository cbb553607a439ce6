"""``python -m bench.engine_alone FOLDER RATE SECONDS``: what an arrival costs when its request costs nothing.

The whole path of a session - schedule, dispatch, flow, books, files - with a client that answers from memory
at once, so that what is left is the engine and its recorder. Prints CPU microseconds per arrival.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

from scenarios.load import assembly, catalog
from scenarios.load.answer import Answer
from scenarios.load.operation import flow, operation
from scenarios.load.plan import LoadPlan
from scenarios.load.sink import FolderSink
from scenarios.load.users import FlowUser

SESSIONS = 50
PATIENCE_S = 60.0  # an arrival later than this would be dropped, and drops are cheap
NOTHING = operation("nothing", "GET /nothing")
ADDRESS = "http://127.0.0.1:9"  # nothing is sent there


class Memory:
    """A sender that has every answer already."""

    connected = True
    retries = 0

    def __init__(self) -> None:
        self._answer = Answer(200, b"{}", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n")

    def perform(self, _prepared: object) -> Answer:
        """The same answer for everything."""
        return self._answer

    def close(self) -> None:
        """Nothing is open."""


class Idle(FlowUser):
    """A session whose request is over before it began."""

    operations = (NOTHING,)

    def prepare(self) -> None:
        """Take the memory in place of the network."""
        memory: Any = Memory()
        self.session = self.client.sender = memory

    @flow(weight=1, operations=(NOTHING,))
    def nothing(self) -> None:
        """One request."""
        self.call(NOTHING, prepared=b"")


def cpu_us(folder: Path, rate: float, seconds: float) -> float:
    """CPU microseconds of this process per arrival, from the first to the last."""
    plan = LoadPlan(
        run_id="alone",
        system="alone",
        urls={"api": ADDRESS},
        allow_hosts=("127.0.0.1",),
        rate=rate,
        for_s=seconds,
        sessions=SESSIONS,
        timeout_s=PATIENCE_S,
    )
    scenario = catalog.of_user("alone", Idle)
    parts = assembly.Parts(plan=plan, scenario=scenario, flows=scenario.flows)
    engine = assembly.engine(parts, sink=FolderSink(folder))
    environment = assembly.environment(parts)
    environment.gameday = engine
    runner = environment.create_local_runner()
    runner.start(plan.sessions, spawn_rate=plan.sessions)
    try:
        engine.await_sessions(plan.sessions, within_s=10.0)
        assembly.settle_memory()
        before = time.process_time()
        engine.start()
        engine.run_out()
        spent = time.process_time() - before
    finally:
        runner.quit()
        engine.close()
    return spent / engine.recorder.totals().ok * 1e6


if __name__ == "__main__":
    sys.stdout.write(f"{cpu_us(Path(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])):.3f}\n")
