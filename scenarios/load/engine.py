"""Drives arrivals into a pool of sessions: the schedule never waits for the system.

The sessions are Locust users (`users.py`). A dispatcher hands every due arrival to an idle session; when
there is none the arrival is a drop, which counts as a violation and names its cause. A greenlet writes what
was recorded once a second. In the closed models (`closed.py`) the sessions decide when to go on.
"""

import itertools
import math
import sys
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

import gevent
import numpy as np
from gevent.event import Event
from gevent.lock import BoundedSemaphore

from scenarios.errors import BrokenScheduleError, PrepareError, UnrecordedError
from scenarios.load import arrivals
from scenarios.load.answer import AllowList, Answer
from scenarios.load.arrivals import ALONE, Arrival, Due, Stripe
from scenarios.load.client import Constant, Request
from scenarios.load.closed import Users, Visits
from scenarios.load.dispatch import Dispatcher
from scenarios.load.http.tally import Tally
from scenarios.load.keeper import Keeper
from scenarios.load.ledger import Ledger
from scenarios.load.operation import Flow, Operation
from scenarios.load.plan import PARTLY_OPEN, SESSIONS, USERS, LoadPlan
from scenarios.load.recorder import Recorder, warm_up
from scenarios.load.sink import GuardedSink, NullSink, Sink, lines
from scenarios.load.vitals import LEAST_ANSWERS, SLOW_S, Clock, Vitals

LOGINS_AT_ONCE = 32
LEAD_S = 0.2
INTO_SECOND_S = 0.0005
OPENING_SHOWN_S = 1.0
BLAME_S = 0.05


class IdleSession(Protocol):
    """What the dispatcher needs of a session."""

    def arrive(self, arrival: Arrival) -> None:
        """Begin this flow; called in the hub, returns at once or when the session first waits."""


class Observer(Protocol):
    """Told about every finished operation besides the recorder (Locust's own statistics)."""

    def __call__(
        self, request: Request, latency: float, answer: Answer | None, error: Exception | None
    ) -> None:
        """``latency`` in seconds from the intended start."""


def unobserved(request: Request, latency: float, answer: Answer | None, error: Exception | None) -> None:
    """Nobody else watches."""


class Engine:
    """One process's load, recorded to ``sink`` (nowhere without one).

    ``schedule`` replaces the plan's own arrivals; of either, ``stripe`` is this process's share. ``worker``
    names this process where there are several: the ends of the load are then told by whoever leads them.
    ``waits`` holds the moment since which each unanswered operation waits, the oldest first; ``ahead`` is
    what the epoch clock is ahead of the monotonic one.
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
        self.stripe = stripe
        self.allow = AllowList(plan.allow_hosts)
        self.opening = BoundedSemaphore(LOGINS_AT_ONCE)
        self.constants: dict[str, Constant] = {}
        self._sink = GuardedSink(sink or NullSink(), self.stop)
        self.ledger = Ledger(run_id=plan.run_id, sink=self._sink, stripe=stripe)
        limits = [s for each in (plan.thresholds or {}).values() for s in each if s <= plan.timeout_s]
        self.vitals = Vitals(slow_s=max(limits, default=SLOW_S))
        self.begin = 0.0
        self._set_clock(Clock.anchored())
        self._worker = worker
        self.recorder = self._recorder(NullSink())
        self.waits: dict[object, float] = {}
        self.retried = 0
        self.connected = Tally()
        self.failed: PrepareError | None = None
        self.broken_flows = 0
        self.numbers = itertools.count(stripe.index, stripe.of)
        self.observe: Observer = unobserved
        self.changed = Event()
        self._schedule = schedule
        self._quiet = quiet
        self._keeper = Keeper(self, quiet=quiet)
        self._idle: deque[IdleSession] = deque()
        # held sessions take turns; else as few as possible work, and no more connections than that
        self._pick = self._idle.popleft if plan.model == SESSIONS else self._idle.pop
        self._members: dict[IdleSession, None] = {}
        self._busy = 0
        self._blamed = (0.0, "")
        self._stop = Event()
        self._begun = Event()
        self._ended = Event()
        self._given_up = Event()
        self._closing = Event()
        self._flusher: gevent.Greenlet | None = None
        self._dispatcher: Dispatcher | None = None
        self.take: Callable[[Any], Arrival] = self._taking()
        warm_up()
        Vitals().answered(np.zeros(LEAST_ANSWERS))

    @property
    def sessions(self) -> int:
        """Sessions that are ready."""
        return len(self._members)

    @property
    def members(self) -> list[IdleSession]:
        """The sessions that are ready."""
        return list(self._members)

    @property
    def busy(self) -> int:
        """Sessions in the middle of a flow."""
        return self._busy

    @property
    def waiting(self) -> int:
        """Operations that are waiting for their answer."""
        return len(self.waits)

    @property
    def weights(self) -> dict[str, float]:
        """How often each flow arrives, relative to the others."""
        return {name: self.plan.mix.get(name, flow.weight) for name, flow in self.flows.items()}

    def admit(self, session: IdleSession) -> int:
        """A new session is ready; its index among the sessions."""
        self._members[session] = None
        self._idle.append(session)
        self.changed.set()
        return len(self._members) - 1

    def rest(self, session: IdleSession) -> None:
        """A session has finished its flow."""
        self._busy -= 1
        self._idle.append(session)
        if self.ended:
            self.changed.set()

    def dismiss(self, session: IdleSession) -> None:
        """A session is ended: it is handed nothing any more."""
        if self._members.pop(session, self) is self or self.ended:
            return
        try:
            self._idle.remove(session)
        except ValueError:  # it was in the middle of a flow
            self._busy -= 1

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
        """Wait until this many sessions are ready; PrepareError when one fails or time runs out.

        Says once a second how far it is (an event of the kind ``opening``), and on stderr unless quiet.
        """
        deadline = time.monotonic() + within_s
        shown = time.monotonic() + OPENING_SHOWN_S
        while self.sessions < wanted and self.failed is None and not self._stop.is_set():
            self.changed.clear()
            self.changed.wait(timeout=max(0.0, min(deadline, shown) - time.monotonic()))
            if time.monotonic() >= shown:
                shown += OPENING_SHOWN_S
                self._show_opening(wanted)
            if self.sessions < wanted and time.monotonic() >= deadline:
                self.refuse(
                    PrepareError(f"only {self.sessions} of {wanted} sessions opened in {within_s:g} s")
                )
        if self.failed is not None:
            raise self.failed
        self._refuse_unrecorded()

    def start(self, begin: float | None = None, *, epoch: float | None = None) -> None:
        """Anchor the clock, say so, and let arrivals begin; returns at once.

        ``begin`` is the moment of the schedule's 0 on the monotonic clock, ``epoch`` what the clock that all
        workers share says then (this machine's own unless given). Without ``begin`` the load begins with the
        next whole second of the epoch clock, so that its phases cover whole seconds.
        """
        clock = Clock.anchored()
        if begin is None:
            whole = math.ceil(clock.wall + LEAD_S)
            begin = clock.mono + (whole - clock.wall) + INTO_SECOND_S
        if epoch is not None:
            clock = Clock(wall=epoch, mono=begin)
        self._set_clock(clock)
        self.begin = begin
        self.recorder = self._recorder(self._sink, start=self._log_start(clock.epoch(begin)))
        self.vitals.report(in_flight=0, retried=0)
        self._event("start", math.floor(clock.epoch(begin)))
        self._flusher = gevent.spawn(self._keeper.run, self._closing)
        schedule = iter(()) if self.plan.model == USERS else self.stripe.take(self.schedule())
        self._dispatcher = Dispatcher(schedule, begin=begin, until=self.plan.for_s, hand_out=self._hand_out)
        self._dispatcher.start()
        if self._stop.is_set():
            self._dispatcher.stop()
        self._begun.set()

    def schedule(self) -> Iterator[Due]:
        """Every arrival of the load, whichever process performs it: as given, or as the plan describes it."""
        if self._schedule is not None:
            return self._schedule
        weights = self.weights
        nominal = {name: flow.operations for name, flow in self.flows.items()}
        per_arrival = arrivals.mean_operations(weights, nominal)
        if self.plan.model == PARTLY_OPEN:
            per_arrival /= 1 - self.plan.stay
        moments = arrivals.starts(
            self.plan.shape.scaled(1 / per_arrival),
            until=self.plan.for_s,
            poisson_seed=self.plan.seed if self.plan.poisson else None,
        )
        names = arrivals.choices(weights, seed=self.plan.seed)
        return map(Due._make, zip(moments, names, itertools.repeat(None), strict=False))

    def stop(self) -> None:
        """No arrival begins any more; a second call also gives up on what is in flight."""
        if self._stop.is_set():
            self._given_up.set()
        self._stop.set()
        if self._dispatcher is not None:
            self._dispatcher.stop()
        self.changed.set()

    @property
    def ended(self) -> bool:
        """Whether the arrivals have ended: no flow begins another operation."""
        return bool(self._ended.is_set())

    def await_begin(self) -> None:
        """Wait until the load begins."""
        self._begun.wait()

    def pause(self, seconds: float) -> None:
        """Think; cut short when the load ends."""
        if seconds > 0:
            self._ended.wait(timeout=seconds)

    @property
    def stopped(self) -> bool:
        """Whether somebody asked to stop early, or the arrivals have ended."""
        return bool(self._stop.is_set())

    def run_out(self) -> bool:
        """Wait until the last arrival was handed out, then until its operations are answered or timed out.

        Returns whether somebody had asked to stop. BrokenScheduleError when the schedule failed.
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
        if self._dispatcher is not None and (error := self._dispatcher.error) is not None:
            raise BrokenScheduleError(f"the schedule failed: {type(error).__name__}: {error}") from error
        return interrupted

    def close(self) -> None:
        """Write everything; call once every session has ended. Nothing if the load never started.

        UnrecordedError when something could not be written, now or earlier.
        """
        if self._flusher is not None:
            self._closing.set()  # not killed: it may be in the middle of a flush
            self._flusher.join()
            self._keeper.report()
            self.ledger.flush()
            self.recorder.close(self.clock.epoch(time.monotonic()))
            self._event("drained", self.clock.epoch(time.monotonic()))
        self._refuse_unrecorded()

    def _refuse_unrecorded(self) -> None:
        if self._sink.error is not None:
            raise UnrecordedError(f"the load could not be recorded: {self._sink.error}")

    def _set_clock(self, clock: Clock) -> None:
        self.clock = clock
        self.ahead = clock.ahead

    def _log_start(self, begin: float) -> float:
        """Where the log's intervals start: so that one starts with the end of the warm-up."""
        warmup = self.plan.warmup_s
        return math.floor(begin) + math.floor(warmup) - 10 * math.ceil(math.floor(warmup) / 10)

    def _recorder(self, sink: Sink, start: float = 0.0) -> Recorder:
        return Recorder(
            sink=sink,
            worker=self._worker,
            operations=list(self.operations.values()),
            thresholds=[self.plan.thresholds_of(slug) for slug in self.operations],
            start=start,
        )

    def _taking(self) -> Callable[[Any], Arrival]:
        """How a session comes by its next arrival, under the plan's model."""
        if self.plan.model == PARTLY_OPEN:
            return Visits(self, self._next_arrival).next
        if self.plan.model == USERS:
            return self._counted(Users(self).next)
        return self._next_arrival

    def _next_arrival(self, session: Any) -> Arrival:
        """The session's next arrival on the open schedule."""
        if session.free_at:  # a fresh one rests already
            self.rest(session)
        arrival: Arrival = session.park()
        return arrival

    def _counted(self, take: Callable[[Any], Arrival]) -> Callable[[Any], Arrival]:
        """The same for sessions that no dispatcher hands anything: keep count of the busy ones."""

        def taking(session: Any) -> Arrival:
            if session.free_at:
                self._busy -= 1
                if self.ended:
                    self.changed.set()
            arrival = take(session)
            self._busy += 1
            return arrival

        return taking

    def _hand_out(self, due: Due, at: float) -> None:
        """Called in the hub, in which the session that begins the flow runs until it first waits."""
        flow = self.flows[due.flow]
        lag = time.monotonic() - at
        if self._idle and lag <= self.plan.timeout_s:
            self._busy += 1
            self._pick().arrive(Arrival(flow, at, due.argument))
            return
        cause = self._cause(lag)
        self.vitals.drop(cause)
        first, *rest = flow.operations
        intended = at + self.ahead
        self.recorder.intended(first, intended)
        self.recorder.resolve(first, intended, cause)
        for slug in rest:
            self.recorder.planned(slug, intended)

    def _cause(self, lag: float) -> str:
        """Why nobody is idle; looked at afresh every BLAME_S, for there may be 10,000 sessions to ask."""
        now = time.monotonic()
        until, cause = self._blamed
        if now >= until:
            ages = [now - since for since in self.waits.values()]
            cause = self.vitals.drop_cause(lag=lag, ages=ages, sessions=self.sessions)
            self._blamed = (now + BLAME_S, cause)
        return cause

    def _show_opening(self, wanted: int) -> None:
        line = {"t": time.time(), "kind": "opening", "open": self.sessions, "of": wanted}
        self._sink.append("events.jsonl", lines([line | ({"worker": self._worker} if self._worker else {})]))
        if not self._quiet:
            print(f"{self.sessions} of {wanted} sessions open", file=sys.stderr, flush=True)  # noqa: T201

    def _event(self, edge: str, at: float) -> None:
        if not self._worker:
            self._sink.append("events.jsonl", lines([{"t": at, "kind": "load", "edge": edge}]))
