"""Who is in the crew: workers as they join, what they say, and who of them is lost."""

import signal
import sys
import time
from typing import Any

import gevent
from gevent.event import Event
from locust.runners import STATE_MISSING

from scenarios.load.assembly import Parts
from scenarios.load.distributed import local_workers, offset
from scenarios.load.distributed.intake import Intake
from scenarios.load.distributed.member import PREFIX, PROTOCOL, TO_MASTER, Member
from scenarios.load.vitals import Clock

LOOK_S = 0.1


class Roster:
    """Listens to ``size`` workers on Locust's master ``runner`` and enters their books.

    ``failures`` are causes why the load cannot start, ``broken`` is why it cannot go on; ``stops`` counts how
    often somebody asked to stop. ``begin`` is the epoch second of the first arrival once it is known.
    """

    def __init__(self, *, parts: Parts, size: int, intake: Intake, clock: Clock) -> None:
        self._parts, self._size, self._intake, self._clock = parts, size, intake, clock
        self._nodes: dict[str, Member] = {}
        self._changed = Event()
        self.processes: list[local_workers.Process] = []
        self.failures: list[str] = []
        self.broken: Exception | None = None
        self.begin = 0.0
        self.stops = 0

    @property
    def members(self) -> list[Member]:
        """Everybody who joined, in the order of their shares."""
        return list(self._nodes.values())

    def listen(self, runner: Any) -> None:
        """Take what workers say to this master from now on."""
        self._runner = runner
        for word in TO_MASTER:
            runner.register_message(PREFIX + word, self._hear)

    def stop(self) -> None:
        """Somebody wants the load to stop."""
        self.stops += 1
        self._changed.set()

    def now(self) -> float:
        """Epoch seconds by the clock of the run."""
        return self._clock.epoch(time.monotonic())

    def send(self, word: str, member: Member, **data: Any) -> None:
        """Tell one worker."""
        self._runner.send_message(PREFIX + word, data, client_id=member.id)

    def pause(self) -> None:
        """Wait until somebody said something, for a moment at most."""
        self._changed.wait(timeout=LOOK_S)
        self._changed.clear()
        gevent.sleep(0)

    def look(self, *, late: bool) -> None:
        """Notice whoever is gone, silent, or not finished in time."""
        for member in self.members:
            if member.settled:
                continue
            node = self._runner.clients.get(member.id)
            if member.process is not None and member.process.poll() is not None:
                self._lose(member, _ending(member.process.returncode))
            elif node is not None and node.state == STATE_MISSING:
                self._lose(member, "no sign of life: it hangs, or the network between is down")
            elif node is None:
                self._lose(member, "it left")
            elif late:
                self._lose(member, "it had not drained in time")

    def _lose(self, member: Member, reason: str) -> None:
        """Say so at once; it is sent home, for it may come back and go on."""
        member.lost = reason
        self._intake.event(
            {
                "t": self.now(),
                "kind": "worker_lost",
                "worker": member.name,
                "host": member.host,
                "pid": member.pid,
                "reason": reason,
            }
        )
        say(f"worker {member.title} was lost: {reason}; the run is invalid")
        self.send("stop", member, now=True)
        self._runner.clients.pop(member.id, None)
        if member.process is not None:
            member.process.kill()

    def _hear(self, environment: Any, msg: Any) -> None:  # noqa: ARG002 - Locust passes both by name
        """Everything workers say; Locust would log what goes wrong here, and go on."""
        try:
            self._answer(msg.type.removeprefix(PREFIX), msg.node_id, msg.data)
        except Exception as error:  # noqa: BLE001 - raised again once the workers have been stopped
            self.broken = self.broken or error
            self.stop()
        self._changed.set()

    def _answer(self, word: str, node: str, data: dict[str, Any]) -> None:
        if word == "time":
            there = self.now()
            back = {"sent": data["sent"], "there": there, "left": self.now()}
            self._runner.send_message(PREFIX + "time", back, client_id=node)
            return
        member = self._nodes.get(node)
        if word == "hello":
            self._welcome(node, data)
        elif member is not None:
            getattr(self, f"_on_{word}")(member, data)

    def _welcome(self, node: str, data: dict[str, Any]) -> None:
        if data["protocol"] != PROTOCOL:
            self.failures.append(
                f"a worker on {data['host']} speaks protocol {data['protocol']}, this master {PROTOCOL}: "
                "check out the same commit on both"
            )
        elif node not in self._nodes and len(self._nodes) < self._size:
            name = f"w{len(self._nodes) + 1}"
            process = local_workers.find(self.processes, data["host"], data["pid"])
            self._nodes[node] = Member(
                id=node, name=name, host=data["host"], pid=data["pid"], process=process
            )
        elif node not in self._nodes:
            say(f"one worker too many, sent home: pid {data['pid']} on {data['host']}")
            self._runner.send_message("quit", client_id=node)

    def _on_prepared(self, member: Member, data: dict[str, Any]) -> None:
        if data["digest"] != self._parts.digest:
            self.failures.append(
                f"worker {member.title} has other flows of {self._parts.plan.system} than the master: "
                "check out the same commit on both"
            )
        member.prepared = True

    def _on_opened(self, member: Member, data: dict[str, Any]) -> None:
        member.opened, member.rtt = True, float(data["rtt"])
        if not offset.well_known(member.rtt):
            say(
                f"the clock of worker {member.title} is known to +-{member.rtt * 500:.1f} ms only: "
                "its arrivals may be off by that against the others'"
            )

    def _on_books(self, member: Member, data: dict[str, Any]) -> None:
        problem = self._intake.enter(member.account, data)
        if problem and not member.lost:
            self._lose(member, problem)

    def _on_final(self, member: Member, data: dict[str, Any]) -> None:
        member.broken_flows = int(data["broken_flows"])
        if member.lost:
            return
        if data["parcels"] != member.account.parcels:
            missed = int(data["parcels"]) - member.account.parcels
            self._lose(member, f"the last {missed} parcels of its books did not arrive")
        elif data["interrupted"] and not self.stops:
            self._lose(member, "it was stopped before its time")
        else:
            member.ended, member.done = float(data["ended"]), float(data["drained"])

    def _on_failed(self, member: Member, data: dict[str, Any]) -> None:
        if self.begin and not member.settled:
            self._lose(member, str(data["reason"]))
        self.failures.append(f"worker {member.title}: {data['reason']}")


def say(line: str) -> None:
    """For whoever watches."""
    print(line, file=sys.stderr, flush=True)  # noqa: T201 - whoever watches must know


def _ending(code: int) -> str:
    if code >= 0:
        return f"its process ended with code {code}"
    return f"its process was ended by {signal.Signals(-code).name}"
