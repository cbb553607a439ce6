"""``python -m scenarios.load.distributed.worker --master-host H --master-port P``: one worker among several.

Needs this checkout and a way to the master, no run folder: the master sends the manifest, the worker sends
its books. Secrets come from its own environment, never with the manifest. One run per process. SIGINT or
SIGTERM end its arrivals before their time, which makes the run invalid. It ends by itself when the master
has not been heard for 8 s, and, with GAMEDAY_TIED set, when the process that started it is gone. Exit 0, or
5 with the cause on stderr.
"""

import argparse
import logging
import math
import os
import signal
import socket
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gevent
from gevent.event import Event
from locust.env import Environment
from locust.exception import RPCError

from scenarios.errors import ScenarioError, WorkerError
from scenarios.load import assembly
from scenarios.load import plan as plans
from scenarios.load.arrivals import Stripe
from scenarios.load.distributed import offset
from scenarios.load.distributed.member import PREFIX, PROTOCOL, TO_WORKER
from scenarios.load.distributed.shipping import Shipper
from scenarios.load.engine import Engine
from scenarios.load.sink import lines

EXIT_OK, EXIT_BROKEN = 0, 5
MASTER_SILENT_S = 8.0
LOOK_S = 0.25
TRIPS = 16
TRIP_S = 1.0
FAREWELL_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sync:
    """The clock of the run: ``ahead`` is added to this monotonic clock, half of ``rtt`` bounds its error."""

    ahead: float
    rtt: float

    def epoch(self) -> float:
        """What the master's clock says now."""
        return time.monotonic() + self.ahead


class Worker:
    """Takes one manifest from the master, performs its share, ships the books; ``work`` once."""

    def __init__(self, environment: Environment, runner: Any) -> None:
        self._environment, self._runner = environment, runner
        self._heard: dict[str, dict[str, Any]] = {}
        self._changed = Event()
        self._silent_since = time.monotonic()
        self._gone = ""
        self._stopped_at = math.inf
        self._engine: Engine | None = None
        self._name = ""
        self._shipper = Shipper(
            send=lambda parcel: self._say("books", **parcel), later=gevent.spawn_later, unsent=RPCError
        )
        environment.events.heartbeat_received.add_listener(self._beat)
        for word in TO_WORKER:
            runner.register_message(PREFIX + word, self._hear)

    def stop(self) -> None:
        """End the arrivals; a second call also gives up on what is in flight."""
        self._stopped_at = min(self._stopped_at, time.monotonic())
        self._changed.set()
        if self._engine is not None:
            self._engine.stop()

    def work(self) -> None:
        """From the first word to the last; WorkerError when the master is gone."""
        guard = gevent.spawn(self._guard, os.getppid() if os.environ.get("GAMEDAY_TIED") else 0)
        try:
            self._say("hello", protocol=PROTOCOL, host=socket.gethostname(), pid=os.getpid())
            self._perform(self._await("manifest"))
        except Exception as error:
            if self._sent_home and not self._gone:
                return
            if not self._gone:
                self._say("failed", reason=str(error) or type(error).__name__)
                self._runner.greenlet.join(timeout=FAREWELL_S)
            raise
        finally:
            guard.kill()

    def _perform(self, task: dict[str, Any]) -> None:
        stripe = Stripe(index=int(task["index"]), of=int(task["of"]))
        self._name = f"w{stripe.index + 1}"
        plan = plans.from_manifest(task["manifest"], path=Path("the master's manifest"))
        parts = assembly.parts(plan, "the master's manifest")
        engine = assembly.engine(parts, sink=self._shipper, stripe=stripe, worker=self._name)
        assembly.make_room(engine.plan.sessions)
        self._engine = self._environment.gameday = engine
        self._environment.user_classes = [parts.scenario.user]
        self._environment.tags = list(plan.only) or None
        self._say("prepared", digest=parts.digest)
        engine.await_sessions(
            engine.plan.sessions, within_s=self._crew_wait(task) + assembly.open_within(engine.plan.sessions)
        )
        if self._stopped:
            raise WorkerError(self._gone or "stopped before the start")
        assembly.settle_memory()
        first = self._measure()
        self._tell_clock(first, "start")
        self._shipper.ship()
        self._say("opened", rtt=first.rtt)
        begin = float(self._await("begin")["begin"])
        engine.start(begin - first.ahead, epoch=begin)
        try:
            interrupted = engine.run_out()
        finally:
            self._runner.stop()
            engine.close()
        if self._gone:
            raise WorkerError(self._gone)
        last = self._measure()
        self._tell_clock(last, "end", drift=last.ahead - first.ahead)
        self._shipper.ship()
        self._say(
            "final",
            parcels=self._shipper.number,
            ended=min(begin + plan.for_s, first.ahead + min(self._stopped_at, time.monotonic())),
            drained=first.epoch(),
            interrupted=interrupted,
            broken_flows=engine.broken_flows,
        )
        self._runner.greenlet.join(timeout=FAREWELL_S)

    @staticmethod
    def _crew_wait(task: dict[str, Any]) -> float:
        """How long the others may take to come before anybody opens a session."""
        return float(task["manifest"].get("distribution", {}).get("wait_s", 0.0))

    # clocks

    def _measure(self) -> Sync:
        trips = [trip for _ in range(TRIPS) if (trip := self._trip()) is not None]
        if not trips:
            raise WorkerError(f"the master answered none of {TRIPS} questions for its time")
        fastest = offset.best(trips)
        return Sync(ahead=fastest.ahead, rtt=fastest.rtt)

    def _trip(self) -> offset.Trip | None:
        """One round trip; None when the answer did not come in time."""
        self._heard.pop("time", None)
        sent = time.monotonic()
        self._say("time", sent=sent)
        deadline = sent + TRIP_S
        while (answer := self._heard.get("time")) is None or answer["sent"] != sent:
            self._changed.clear()
            if self._gone or not self._changed.wait(timeout=max(0.0, deadline - time.monotonic())):
                return None
        return offset.Trip(sent=sent, there=answer["there"], left=answer["left"], back=answer["back"])

    def _tell_clock(self, sync: Sync, edge: str, **more: float) -> None:
        event = {"t": sync.epoch(), "kind": "clock", "worker": self._name, "edge": edge}
        event |= {"offset": sync.epoch() - time.time(), "rtt": sync.rtt, **more}
        self._shipper.append("events.jsonl", lines([event | {"sure": offset.well_known(sync.rtt)}]))

    # messages

    def _say(self, word: str, **data: Any) -> None:
        self._runner.send_message(PREFIX + word, data)

    def _hear(self, environment: Any, msg: Any) -> None:  # noqa: ARG002 - Locust passes both by name
        word = msg.type.removeprefix(PREFIX)
        self._heard[word] = dict(msg.data) | ({"back": time.monotonic()} if word == "time" else {})
        if word == "stop":
            self.stop()
            if msg.data["now"]:
                self.stop()
        self._changed.set()

    def _beat(self, **_: Any) -> None:
        self._silent_since = time.monotonic()

    @property
    def _stopped(self) -> bool:
        return self._stopped_at < math.inf

    @property
    def _sent_home(self) -> bool:
        """Whether the master has told Locust to quit."""
        return len(self._runner.greenlet) == 0

    def _await(self, word: str) -> dict[str, Any]:
        """The master's word; WorkerError when it will not come."""
        while word not in self._heard:
            if self._gone or self._stopped or self._sent_home:
                raise WorkerError(self._gone or f"ended before the master's {word!r} came")
            self._changed.wait(timeout=LOOK_S)
            self._changed.clear()
        return self._heard[word]

    def _guard(self, parent: int) -> None:
        """Give the load up when whoever leads it is gone."""
        while not self._gone and not self._sent_home:
            gevent.sleep(LOOK_S)
            if parent and os.getppid() != parent:
                self._gone = "the process that started this worker is gone"
            elif time.monotonic() - self._silent_since > MASTER_SILENT_S:
                self._gone = f"the master has not been heard for {MASTER_SILENT_S:g} s"
        self.stop()
        self.stop()


def serve(host: str, port: int) -> None:
    """Work for the master at this address until it is over."""
    environment = Environment(stop_timeout=0)
    try:
        runner = environment.create_worker_runner(host, port)
    except ConnectionError as error:
        raise WorkerError(
            f"no master answered at {host}:{port}; is it up, and is the way to it open?"
        ) from error
    worker = Worker(environment, runner)
    for number in (signal.SIGINT, signal.SIGTERM):
        gevent.signal_handler(number, worker.stop)
    worker.work()


def main(arguments: Sequence[str] | None = None) -> int:
    """Work and say what went wrong; the exit code."""
    logging.basicConfig(level=logging.ERROR, stream=sys.stderr, format="%(name)s: %(message)s")
    parser = argparse.ArgumentParser(
        prog="scenarios.load.distributed.worker", description="One worker of a distributed load."
    )
    parser.add_argument("--master-host", default="127.0.0.1", metavar="HOST")
    parser.add_argument("--master-port", type=int, default=5557, metavar="PORT")
    parser.add_argument("--worker", action="store_true", help="Ignored; what starts Locust workers adds it.")
    options = parser.parse_args(arguments)
    try:
        serve(options.master_host, options.master_port)
    except (ScenarioError, OSError, RPCError) as error:
        sys.stderr.write(f"worker {os.getpid()}: {error}\n")
        return EXIT_BROKEN
    return EXIT_OK


if __name__ == "__main__":
    sys.exit(main())
