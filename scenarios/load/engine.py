"""Drives arrivals into a pool of sessions: the schedule never waits for the system.

The sessions are Locust users (`users.py`). A dispatcher greenlet hands every due arrival to an idle session;
when there is none the arrival is a drop, which counts as a violation and names its cause. A second greenlet
writes what was recorded once a second.
"""

import itertools
import math
import sys
import time
import traceback
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

import gevent
from gevent.event import Event
from gevent.lock import BoundedSemaphore

from scenarios.errors import PrepareError
from scenarios.load import arrivals
from scenarios.load.answer import AllowList, Answer
from scenarios.load.arrivals import ALONE, Due, Stripe
from scenarios.load.client import Request
from scenarios.load.ledger import Ledger
from scenarios.load.operation import Flow, Operation
from scenarios.load.plan import LoadPlan
from scenarios.load.recorder import Recorder
from scenarios.load.sink import NullSink, Sink, lines
from scenarios.load.vitals import Clock, Vitals

LOGINS_AT_ONCE = 16
LEAD_S = 0.2
PROGRESS_S = 10
_BURST = 16
_STEP_S = 0.001  # sleep(0) would come back before the hub has looked at its timers: arrivals would wait


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """One flow that is due: ``at`` on the monotonic clock, ``argument`` what a replayed one is to do."""

    flow: Flow
    at: float
    argument: object = None


class IdleSession(Protocol):
    """What the dispatcher needs of a session."""

    def arrive(self, arrival: Arrival) -> None:
        """Begin this flow; returns at once."""


class Observer(Protocol):
    """Told about every finished operation besides the recorder (Locust's own statistics)."""

    def __call__(
        self, request: Request, latency: float, answer: Answer | None, error: Exception | None
    ) -> None:
        """``latency`` in seconds from the intended start."""


def unobserved(request: Request, latency: float, answer: Answer | None, error: Exception | None) -> None:
    """Nobody else watches."""


class Engine:
    """One process's load, recorded to ``sink`` (a NullSink for plain Locust runs).

    ``schedule`` replaces the plan's own arrivals; of either, ``stripe`` is this process's share. ``worker``
    names this process where there are several: the ends of the load are then told by whoever leads them.
    """

    def __init__(
        self,
        *,
        plan: LoadPlan,
        flows: Mapping[str, Flow],
        operations: Mapping[str, Operation],
        sink: Sink | None = None,
        quiet: bool = True,
        stripe: Stripe = ALONE,
        schedule: Iterator[Due] | None = None,
        worker: str = "",
    ) -> None:
        self.plan = plan
        self.flows = dict(flows)
        self.operations = dict(operations)
        self.allow = AllowList(plan.allow_hosts)
        self.opening = BoundedSemaphore(LOGINS_AT_ONCE)
        self.stripe = stripe
        self.ledger = Ledger(run_id=plan.run_id, sink=sink or NullSink(), stripe=stripe)
        self.vitals = Vitals()
        self.clock = Clock.anchored()
        self._sink = sink or NullSink()
        self._schedule = schedule
        self._worker = worker
        self.recorder = self._recorder(NullSink())
        self.waiting = 0
        self.retried = 0
        self.failed: PrepareError | None = None
        self.broken_flows = 0
        self.numbers = itertools.count()
        self.observe: Observer = unobserved
        self.changed = Event()
        self._quiet = quiet
        self._idle: deque[IdleSession] = deque()
        self._sessions = 0
        self._stop = Event()
        self._ended = Event()
        self._given_up = Event()
        self._closing = Event()
        self._flusher: gevent.Greenlet | None = None
        self._dispatcher: gevent.Greenlet | None = None

    @property
    def sessions(self) -> int:
        """Sessions that have ever been ready."""
        return self._sessions

    @property
    def busy(self) -> int:
        """Sessions in the middle of a flow."""
        return self._sessions - len(self._idle)

    def admit(self, session: IdleSession) -> int:
        """A new session is ready; its index among the sessions."""
        self._sessions += 1
        self._idle.append(session)
        self.changed.set()
        return self._sessions - 1

    def rest(self, session: IdleSession) -> None:
        """A session has finished its flow."""
        self._idle.append(session)
        if self.ended:
            self.changed.set()

    def refuse(self, error: PrepareError) -> None:
        """A session could not be opened: the load will not start."""
        self.failed = self.failed or error
        self.changed.set()

    def broke(self, flow: Flow) -> None:
        """A flow raised what no flow may raise: a defect of the scenario, shown once, reported at the end."""
        self.broken_flows += 1
        if self.broken_flows == 1:
            print(f"the flow {flow.name} is broken:\n{traceback.format_exc()}", file=sys.stderr)  # noqa: T201

    def await_sessions(self, wanted: int, *, within_s: float) -> None:
        """Wait until this many sessions are ready; PrepareError when one fails or time runs out."""
        deadline = time.monotonic() + within_s
        while self._sessions < wanted and self.failed is None and not self._stop.is_set():
            self.changed.clear()
            if not self.changed.wait(timeout=max(0.0, deadline - time.monotonic())):
                self.refuse(
                    PrepareError(f"only {self._sessions} of {wanted} sessions opened in {within_s:g} s")
                )
        if self.failed is not None:
            raise self.failed

    def start_when_ready(self) -> None:
        """Start as soon as one session is open (plain Locust spawns them one by one); returns at once."""

        def wait() -> None:
            self.changed.wait()
            if not self._stop.is_set():
                self.start()

        gevent.spawn(wait)

    def start(self, begin: float | None = None, *, epoch: float | None = None) -> None:
        """Anchor the clock, say so, and let arrivals begin; returns at once.

        ``begin`` is the moment of the schedule's 0 on the monotonic clock (a moment from now unless given),
        ``epoch`` what the clock that all workers share says then (this machine's own unless given).
        """
        self.clock = Clock.anchored()
        begin = self.clock.mono + LEAD_S if begin is None else begin
        if epoch is not None:
            self.clock = Clock(wall=epoch, mono=begin)
        self.recorder = self._recorder(self._sink, start=self.clock.epoch(begin))
        self.vitals.report(in_flight=0, retried=0)
        self._event("start", self.clock.epoch(begin))
        self._flusher = gevent.spawn(self._keep_books)
        self._dispatcher = gevent.spawn(self._dispatch, begin)

    def stop(self) -> None:
        """No arrival begins any more; a second call also gives up on what is in flight."""
        if self._stop.is_set():
            self._given_up.set()
        self._stop.set()
        self.changed.set()

    @property
    def ended(self) -> bool:
        """Whether the arrivals have ended: no flow begins another operation."""
        return bool(self._ended.is_set())

    def pause(self, seconds: float) -> None:
        """Think; cut short when the load ends."""
        self._ended.wait(timeout=max(0.0, seconds))

    @property
    def stopped(self) -> bool:
        """Whether somebody asked to stop early, or the arrivals have ended."""
        return bool(self._stop.is_set())

    def run_out(self) -> bool:
        """Wait until the last arrival was handed out, then until its operations are answered or timed out.

        Returns whether somebody had asked to stop.
        """
        if self._dispatcher is not None:
            self._dispatcher.join()
        interrupted = bool(self.stopped)
        self._ended.set()
        self._stop.set()
        self._event("end", self.clock.epoch(time.monotonic()))
        deadline = time.monotonic() + self.plan.timeout_s + 1.0
        while self.busy and not self._given_up.is_set() and time.monotonic() < deadline:
            self.changed.clear()
            if self.busy:
                self.changed.wait(timeout=min(0.5, max(0.0, deadline - time.monotonic())))
        return interrupted

    def close(self) -> None:
        """Write everything; call once every session has ended. Nothing if the load never started."""
        if self._flusher is None:
            return
        self._closing.set()  # not killed: it may be in the middle of a flush
        self._flusher.join()
        self._report()
        self.ledger.flush()
        self.recorder.close(self.clock.epoch(time.monotonic()))
        self._event("drained", self.clock.epoch(time.monotonic()))

    def _recorder(self, sink: Sink, start: float = 0.0) -> Recorder:
        return Recorder(
            sink=sink,
            worker=self._worker,
            operations=list(self.operations.values()),
            thresholds=[self.plan.thresholds_of(slug) for slug in self.operations],
            start=start,
            linger_s=self.plan.timeout_s + 1.0,
        )

    def schedule(self) -> Iterator[Due]:
        """Every arrival of the load, whichever process performs it: as given, or as the plan describes it."""
        if self._schedule is not None:
            return self._schedule
        weights = {name: self.plan.mix.get(name, flow.weight) for name, flow in self.flows.items()}
        nominal = {name: flow.operations for name, flow in self.flows.items()}
        flows = self.plan.shape.scaled(1 / arrivals.mean_operations(weights, nominal))
        moments = arrivals.starts(
            flows,
            until=self.plan.for_s,
            poisson_seed=self.plan.seed if self.plan.poisson else None,
        )
        names = arrivals.choices(weights, seed=self.plan.seed)
        return (Due(at, name) for at, name in zip(moments, names, strict=False))

    def _dispatch(self, begin: float) -> None:
        in_a_row = 0
        for due in self.stripe.take(self.schedule()):
            at = begin + due.at
            in_a_row += 1
            while (wait := at - time.monotonic()) > 0 or in_a_row >= _BURST:
                in_a_row = 0
                if self._stop.wait(timeout=max(0.0, wait)):
                    return
            self._hand_out(Arrival(flow=self.flows[due.flow], at=at, argument=due.argument))
        if not math.isinf(self.plan.for_s):
            self._stop.wait(timeout=max(0.0, begin + self.plan.for_s - time.monotonic()))

    def _hand_out(self, arrival: Arrival) -> None:
        lag = time.monotonic() - arrival.at
        if self._idle and lag <= self.plan.timeout_s:
            self._idle.popleft().arrive(arrival)
            return
        cause = self.vitals.drop_cause(lag=lag, waiting=self.waiting, sessions=self._sessions)
        self.vitals.drop(cause)
        first, *rest = arrival.flow.operations
        at = self.clock.epoch(arrival.at)
        self.recorder.intended(first, at)
        self.recorder.resolve(first, at, cause)
        for slug in rest:
            self.recorder.planned(slug, at)

    def _keep_books(self) -> None:
        seconds = 0
        while True:
            seconds += 1
            due = self.clock.mono + seconds
            if self._closing.wait(timeout=max(0.0, due - time.monotonic())):
                return
            self._report()
            self.ledger.flush()
            for _ in self.recorder.flush(self.clock.epoch(time.monotonic())):
                gevent.sleep(_STEP_S)
            if seconds % PROGRESS_S == 0 and not self._quiet:
                self._progress(seconds)

    def _report(self) -> None:
        line = self.vitals.report(in_flight=self.waiting, retried=self.retried)
        self.recorder.event({"t": self.clock.epoch(time.monotonic()), **line})
        self.retried = 0

    def _progress(self, seconds: int) -> None:
        totals = self.recorder.totals()
        bad = sum(totals.bad.values())
        p99 = self.recorder.recent_p99()
        print(  # noqa: T201 - the one line a person watching needs
            f"{seconds:5d} s  {totals.intended / seconds:7.1f} requests/s  {bad} bad"
            f"  p99 {p99 * 1e3:.1f} ms  {self.waiting} in flight  cpu {self.vitals.cpu:.0%}",
            file=sys.stderr,
            flush=True,
        )

    def _event(self, edge: str, at: float) -> None:
        if not self._worker:
            self._sink.append("events.jsonl", lines([{"t": at, "kind": "load", "edge": edge}]))
