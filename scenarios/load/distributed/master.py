"""The master: leads workers through one load and enters their books in one folder.

Locust carries it: its master and workers, heartbeats, custom messages and the spawning of users. What is
added: every worker performs its share of one schedule from one common instant, and none of it is given to
others when a worker is lost, for then the run is invalid and says so.
"""

import functools
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from scenarios.errors import AllLostError, PrepareError, WorkerError
from scenarios.load import assembly
from scenarios.load.arrivals import Stripe
from scenarios.load.assembly import Parts
from scenarios.load.distributed import local_workers
from scenarios.load.distributed.intake import Intake
from scenarios.load.distributed.missing import missing
from scenarios.load.distributed.roster import Roster, say
from scenarios.load.distributed.shares import FixedShares
from scenarios.load.ledger import Ledger
from scenarios.load.sink import NullSink, Sink
from scenarios.load.vitals import Clock

LEAD_S = 0.5
AFTER_THE_SECOND_S = 0.0005
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
        self._roster = Roster(parts=parts, size=crew.size, intake=self._intake, clock=Clock.anchored())
        self._environment = assembly.environment(parts)
        self._told = 0

    @property
    def broken_flows(self) -> int:
        """Flows that raised what no flow may raise, over all workers."""
        return sum(member.broken_flows for member in self._roster.members)

    def stop(self) -> None:
        """No arrival begins any more; a second call also gives up on what is in flight."""
        self._roster.stop()

    def lead(self) -> bool:
        """Drive the whole load; whether somebody asked to stop.

        Raises:
            WorkerError: the workers did not gather, or (AllLostError) none is left.
            PrepareError: a worker could not open its sessions.
        """
        roster, crew = self._roster, self._crew
        if self._parts.plan.sessions < crew.size:
            raise WorkerError(
                f"{self._parts.plan.sessions} sessions for {crew.size} workers; "
                "expected at least one session each: take fewer workers"
            )
        self._runner = local_workers.bound(self._environment, crew.bind, crew.port)
        try:
            roster.listen(self._runner)
            if crew.remote:
                where = f"{crew.bind}:{self._runner.server.port}"
                say(f"waiting up to {crew.wait_s:g} s for {crew.remote} workers at {where}")
            roster.processes = local_workers.start(crew.local, crew.bind, self._runner.server.port)
            self._gather()
            self._open()
            if not roster.stops:
                self._run()
                self._finish()
        finally:
            self._runner.quit()
            local_workers.end(roster.processes)
        if roster.broken is not None:
            raise WorkerError(f"the load could not be recorded: {roster.broken}") from roster.broken
        if roster.members and all(member.lost for member in roster.members):
            raise AllLostError("every worker was lost; the run cannot go on")
        return bool(roster.stops)

    def _gather(self) -> None:
        """Wait for everybody, hand out the shares, and wait until everybody has understood."""
        deadline = time.monotonic() + self._crew.wait_s
        self._until(lambda: len(self._roster.members) == self._crew.size, deadline, self._who_came)
        if self._roster.stops:
            return
        for index, member in enumerate(self._roster.members):
            self._roster.send("manifest", member, manifest=self._manifest, index=index, of=self._crew.size)
        self._until(lambda: all(m.prepared for m in self._roster.members), deadline, self._who_came)

    def _who_came(self) -> str:
        came = [f"{m.title}{'' if m.prepared else ', not prepared'}" for m in self._roster.members]
        return (
            f"only {len(came)} of {self._crew.size} workers were there within "
            f"{self._crew.wait_s:g} s: {', '.join(came) or 'none'}"
        )

    def _open(self) -> None:
        """Have Locust spawn the sessions and wait until all are open."""
        if self._roster.stops:
            return
        plan, of = self._parts.plan, self._crew.size
        shares = {
            member.id: assembly.share(plan.sessions, Stripe(index=index, of=of))
            for index, member in enumerate(self._roster.members)
        }
        self._environment.dispatcher_class = functools.partial(FixedShares, shares=shares)
        self._runner.start(plan.sessions, spawn_rate=plan.sessions)
        within = assembly.open_within(max(shares.values())) + GRACE_S
        self._until(
            lambda: all(member.opened for member in self._roster.members),
            time.monotonic() + within,
            lambda: f"not all sessions were open within {within:g} s",
        )

    def _until(self, done: Callable[[], bool], deadline: float, problem: Callable[[], str]) -> None:
        """Wait before the start, where every failure is the end."""
        roster = self._roster
        while not done() and not roster.stops:
            codes = [process.returncode for process in roster.processes if process.poll() is not None]
            if codes:
                ended = f"a worker on this machine ended with code {codes[0]}; its words are above"
                roster.failures.append(ended)
            if roster.failures:
                raise PrepareError(roster.failures[0])
            if time.monotonic() > deadline:
                raise WorkerError(problem())
            roster.pause()

    def _run(self) -> None:
        """Begin together, and stay until everybody has drained, is lost, or should have drained."""
        roster = self._roster
        second = math.ceil(roster.now() + LEAD_S)
        roster.begin = shown = second + AFTER_THE_SECOND_S
        for member in roster.members:
            roster.send("begin", member, begin=roster.begin)
        self._intake.event({"t": second, "kind": "load", "edge": "start"})
        patience = self._parts.plan.timeout_s + 1.0 + GRACE_S
        deadline = roster.begin + self._parts.plan.for_s + patience
        while not all(member.settled for member in roster.members):
            now = roster.now()
            if self._told < roster.stops:
                self._pass_stop()
                deadline = min(deadline, now + patience)
            roster.look(late=now > deadline)
            if not self._quiet and now - shown >= PROGRESS_S:
                shown += PROGRESS_S
                self._progress(shown - roster.begin)
            roster.pause()

    def _pass_stop(self) -> None:
        self._told = self._roster.stops
        for member in self._roster.members:
            if not member.settled:
                self._roster.send("stop", member, now=self._told > 1)

    def _finish(self) -> None:
        """Close the books of the load."""
        now, members = self._roster.now(), self._roster.members
        planned_end = self._roster.begin + self._parts.plan.for_s
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
        for index, member in enumerate(self._roster.members):
            if not member.lost:
                continue
            whole = assembly.engine(self._parts, sink=NullSink())
            owed = missing(
                Stripe(index=index, of=self._crew.size).take(whole.schedule()),
                self._parts.flows,
                begin=self._roster.begin,
                until=until,
                seen=member.account.intended,
            )
            self._intake.counters(owed)

    def _progress(self, seconds: float) -> None:
        totals = [member.account.totals for member in self._roster.members]
        intended, bad = (sum(each[name] for each in totals) for name in ("intended", "bad"))
        say(f"{seconds:5.0f} s  {intended / seconds:7.1f} requests/s  {bad} bad")
