"""The master: leads workers through one load, enters their books in one folder, and notices who is lost.

Locust carries it: its master and workers, heartbeats, custom messages and the spawning of users. What is
added: every worker performs its share of one schedule from one common instant, and none of it is given to
others when a worker is lost, for then the run is invalid and says so.
"""

import functools
import math
import signal
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import gevent
from gevent.event import Event
from locust.runners import STATE_MISSING

from scenarios.errors import AllLostError, PrepareError, WorkerError
from scenarios.load import assembly
from scenarios.load.arrivals import Stripe
from scenarios.load.assembly import Parts
from scenarios.load.distributed import local_workers, offset
from scenarios.load.distributed.intake import Intake
from scenarios.load.distributed.member import PREFIX, PROTOCOL, TO_MASTER, Member
from scenarios.load.distributed.missing import missing
from scenarios.load.distributed.shares import FixedShares
from scenarios.load.ledger import Ledger
from scenarios.load.sink import NullSink, Sink
from scenarios.load.vitals import Clock

LEAD_S = 0.5
AFTER_THE_SECOND_S = 0.0005
LOOK_S = 0.1
GRACE_S = 10.0
PROGRESS_S = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Crew:
    """How many workers there are and where they find the master; ``port`` 0 is a free one."""

    local: int
    remote: int = 0
    bind: str = "127.0.0.1"
    port: int = 0
    wait_s: float = 60.0

    @property
    def size(self) -> int:
        """All workers."""
        return self.local + self.remote


class Master:
    """``lead`` once. ``manifest`` goes to every worker as it stands: it holds no secret."""

    def __init__(
        self, *, parts: Parts, manifest: Mapping[str, Any], crew: Crew, sink: Sink, quiet: bool = True
    ) -> None:
        self._parts, self._manifest, self._crew, self._quiet = parts, manifest, crew, quiet
        self.ledger = Ledger(run_id=parts.plan.run_id, sink=sink)
        self._intake = Intake(sink=sink, ledger=self.ledger)
        self._clock = Clock.anchored()
        self._environment = assembly.environment(parts)
        self._members: dict[str, Member] = {}
        self._processes: list[local_workers.Process] = []
        self._changed = Event()
        self._failures: list[str] = []
        self._broken: Exception | None = None
        self._begin = 0.0
        self._stops = 0
        self._told = 0

    @property
    def broken_flows(self) -> int:
        """Flows that raised what no flow may raise, over all workers."""
        return sum(member.broken_flows for member in self._members.values())

    def stop(self) -> None:
        """No arrival begins any more; a second call also gives up on what is in flight."""
        self._stops += 1
        self._changed.set()

    def lead(self) -> bool:
        """Drive the whole load; whether somebody asked to stop.

        Raises:
            WorkerError: the workers did not gather, or (AllLostError) none is left.
            PrepareError: a worker could not open its sessions.
        """
        if self._parts.plan.sessions < self._crew.size:
            raise WorkerError(
                f"{self._parts.plan.sessions} sessions for {self._crew.size} workers; "
                "expected at least one session each: take fewer workers"
            )
        self._runner = local_workers.bound(self._environment, self._crew.bind, self._crew.port)
        try:
            for word in TO_MASTER:
                self._runner.register_message(PREFIX + word, self._hear)
            self._say_where()
            self._processes = local_workers.start(self._crew.local, self._crew.bind, self._runner.server.port)
            self._gather()
            if not self._stops and self._open():
                self._run()
                self._finish()
        finally:
            self._runner.quit()
            local_workers.end(self._processes)
        if self._broken is not None:
            raise WorkerError(f"the load could not be recorded: {self._broken}") from self._broken
        if self._members and all(member.lost for member in self._members.values()):
            raise AllLostError("every worker was lost; the run cannot go on")
        return bool(self._stops)

    # gathering

    def _say_where(self) -> None:
        if self._crew.remote and not self._stops:
            self._print(
                f"waiting up to {self._crew.wait_s:g} s for {self._crew.remote} workers at "
                f"{self._crew.bind}:{self._runner.server.port}"
            )

    def _gather(self) -> None:
        deadline = time.monotonic() + self._crew.wait_s
        self._until(lambda: len(self._members) == self._crew.size, deadline, self._who_came)
        for index, member in enumerate(self._members.values()):
            self._send("manifest", member, manifest=self._manifest, index=index, of=self._crew.size)
        self._until(lambda: all(m.prepared for m in self._members.values()), deadline, self._who_came)

    def _who_came(self) -> str:
        came = ", ".join(f"{m.title}{'' if m.prepared else ', not prepared'}" for m in self._members.values())
        return (
            f"only {len(self._members)} of {self._crew.size} workers were there within "
            f"{self._crew.wait_s:g} s: {came or 'none'}"
        )

    def _open(self) -> bool:
        """Have Locust spawn the sessions and wait until all are open; False when stopped first."""
        plan, of = self._parts.plan, self._crew.size
        shares = {
            member.id: assembly.share(plan.sessions, Stripe(index=index, of=of))
            for index, member in enumerate(self._members.values())
        }
        self._environment.dispatcher_class = functools.partial(FixedShares, shares=shares)
        self._runner.start(plan.sessions, spawn_rate=plan.sessions)
        within = assembly.open_within(max(shares.values())) + GRACE_S
        self._until(
            lambda: all(member.opened for member in self._members.values()),
            time.monotonic() + within,
            lambda: f"not all sessions were open within {within:g} s",
        )
        return not self._stops

    def _until(self, done: Callable[[], bool], deadline: float, problem: Callable[[], str]) -> None:
        """Wait before the start, where every failure is the end."""
        while not done() and not self._stops:
            for process in self._processes:
                if process.poll() is not None:
                    self._failures.append(
                        f"a worker on this machine ended with code {process.returncode}; its words are above"
                    )
            if self._failures:
                raise PrepareError(self._failures[0])
            if time.monotonic() > deadline:
                raise WorkerError(problem())
            self._pause()

    # the load

    def _run(self) -> None:
        second = math.ceil(self._clock.epoch(time.monotonic()) + LEAD_S)
        self._begin = second + AFTER_THE_SECOND_S
        for member in self._members.values():
            self._send("begin", member, begin=self._begin)
        self._intake.event({"t": second, "kind": "load", "edge": "start"})
        patience = self._parts.plan.timeout_s + 1.0 + GRACE_S
        deadline = self._begin + self._parts.plan.for_s + patience
        shown = self._begin
        while not all(member.settled for member in self._members.values()):
            now = self._clock.epoch(time.monotonic())
            if self._told < self._stops:
                self._pass_stop()
                deadline = min(deadline, now + patience)
            self._look(now, late=now > deadline)
            if not self._quiet and now - shown >= PROGRESS_S:
                shown += PROGRESS_S
                self._progress(shown - self._begin)
            self._pause()

    def _look(self, now: float, *, late: bool) -> None:
        """Notice whoever is gone, silent, or not finished in time."""
        for member in self._members.values():
            if member.settled:
                continue
            node = self._runner.clients.get(member.id)
            if member.process is not None and member.process.poll() is not None:
                self._lose(member, now, _ending(member.process.returncode))
            elif node is not None and node.state == STATE_MISSING:
                self._lose(member, now, "no sign of life: it hangs, or the network between is down")
            elif node is None:
                self._lose(member, now, "it left")
            elif late:
                self._lose(member, now, "it had not drained in time")

    def _lose(self, member: Member, now: float, reason: str) -> None:
        """Say so at once; it is sent home, for it may come back and go on."""
        member.lost = reason
        self._intake.event(
            {
                "t": now,
                "kind": "worker_lost",
                "worker": member.name,
                "host": member.host,
                "pid": member.pid,
                "reason": reason,
            }
        )
        self._print(f"worker {member.title} was lost: {reason}; the run is invalid")
        self._send("stop", member, now=True)
        self._runner.clients.pop(member.id, None)
        if member.process is not None:
            member.process.kill()

    def _pass_stop(self) -> None:
        self._told = self._stops
        for member in self._members.values():
            if not member.settled:
                self._send("stop", member, now=self._stops > 1)

    def _finish(self) -> None:
        now = self._clock.epoch(time.monotonic())
        members = self._members.values()
        planned_end = self._begin + self._parts.plan.for_s
        end = max((m.ended for m in members if m.done), default=min(now, planned_end))
        if any(member.lost for member in members):
            self._count_missing(min(end, planned_end))
        self._intake.event({"t": end, "kind": "load", "edge": "end"})
        drained = max((m.done for m in members if m.done), default=now)
        self._intake.event({"t": max(end, drained), "kind": "load", "edge": "drained"})

    def _count_missing(self, until: float) -> None:
        """What lost workers still owed: arrivals that were intended and never came.

        Nobody knows that of closed models: when a user would have gone on depends on the answers.
        """
        if self._parts.plan.closed:
            return
        for index, member in enumerate(self._members.values()):
            if not member.lost:
                continue
            whole = assembly.engine(self._parts, sink=NullSink())
            stripe = Stripe(index=index, of=self._crew.size)
            owed = missing(
                stripe.take(whole.schedule()),
                self._parts.flows,
                begin=self._begin,
                until=until,
                seen=member.account.intended,
            )
            self._intake.counters(owed)

    # messages

    def _hear(self, environment: Any, msg: Any) -> None:  # noqa: ARG002 - Locust passes both by name
        """Everything workers say; Locust would log what goes wrong here, and go on."""
        try:
            self._answer(msg.type.removeprefix(PREFIX), msg.node_id, msg.data)
        except Exception as error:  # noqa: BLE001 - raised again once the workers have been stopped
            self._broken = self._broken or error
            self.stop()
        self._changed.set()

    def _answer(self, word: str, node: str, data: dict[str, Any]) -> None:
        if word == "time":
            there = self._clock.epoch(time.monotonic())
            back = {"sent": data["sent"], "there": there, "left": self._clock.epoch(time.monotonic())}
            self._runner.send_message(PREFIX + "time", back, client_id=node)
            return
        member = self._members.get(node)
        if word == "hello":
            self._welcome(node, data)
        elif member is not None:
            getattr(self, f"_on_{word}")(member, data)

    def _welcome(self, node: str, data: dict[str, Any]) -> None:
        if data["protocol"] != PROTOCOL:
            self._failures.append(
                f"a worker on {data['host']} speaks protocol {data['protocol']}, this master {PROTOCOL}: "
                "check out the same commit on both"
            )
        elif node not in self._members and len(self._members) < self._crew.size:
            name = f"w{len(self._members) + 1}"
            process = local_workers.find(self._processes, data["host"], data["pid"])
            self._members[node] = Member(
                id=node, name=name, host=data["host"], pid=data["pid"], process=process
            )
        elif node not in self._members:
            self._print(f"one worker too many, sent home: pid {data['pid']} on {data['host']}")
            self._runner.send_message("quit", client_id=node)

    def _on_prepared(self, member: Member, data: dict[str, Any]) -> None:
        if data["digest"] != self._parts.digest:
            self._failures.append(
                f"worker {member.title} has other flows of {self._parts.plan.system} than the master: "
                "check out the same commit on both"
            )
        member.prepared = True

    def _on_opened(self, member: Member, data: dict[str, Any]) -> None:
        member.opened, member.rtt = True, float(data["rtt"])
        if not offset.well_known(member.rtt):
            self._print(
                f"the clock of worker {member.title} is known to +-{member.rtt * 500:.1f} ms only: "
                "its arrivals may be off by that against the others'"
            )

    def _on_books(self, member: Member, data: dict[str, Any]) -> None:
        problem = self._intake.enter(member.account, data)
        if problem and not member.lost:
            self._lose(member, self._clock.epoch(time.monotonic()), problem)

    def _on_final(self, member: Member, data: dict[str, Any]) -> None:
        member.broken_flows = int(data["broken_flows"])
        if member.lost:
            return
        now = self._clock.epoch(time.monotonic())
        if data["parcels"] != member.account.parcels:
            missed = int(data["parcels"]) - member.account.parcels
            self._lose(member, now, f"the last {missed} parcels of its books did not arrive")
        elif data["interrupted"] and not self._stops:
            self._lose(member, now, "it was stopped before its time")
        else:
            member.ended, member.done = float(data["ended"]), float(data["drained"])

    def _on_failed(self, member: Member, data: dict[str, Any]) -> None:
        if self._begin and not member.settled:
            self._lose(member, self._clock.epoch(time.monotonic()), str(data["reason"]))
        self._failures.append(f"worker {member.title}: {data['reason']}")

    def _send(self, word: str, member: Member, **data: Any) -> None:
        self._runner.send_message(PREFIX + word, data, client_id=member.id)

    def _pause(self) -> None:
        self._changed.wait(timeout=LOOK_S)
        self._changed.clear()
        gevent.sleep(0)

    def _progress(self, seconds: float) -> None:
        totals = [member.account.totals for member in self._members.values()]
        intended, bad = (sum(each[name] for each in totals) for name in ("intended", "bad"))
        self._print(f"{seconds:5.0f} s  {intended / seconds:7.1f} requests/s  {bad} bad")

    @staticmethod
    def _print(line: str) -> None:
        print(line, file=sys.stderr, flush=True)  # noqa: T201 - whoever watches must know


def _ending(code: int) -> str:
    if code >= 0:
        return f"its process ended with code {code}"
    return f"its process was ended by {signal.Signals(-code).name}"
