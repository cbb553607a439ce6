"""Sessions as Locust users, and the operations of the flows they are handed.

A scenario subclasses FlowUser, lists its ``operations`` and decorates its methods with ``@flow``. Locust
spawns the users, filters the flows by tags and shows its statistics; when a flow starts is the engine's
decision.
"""

import random
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, ClassVar

import gevent
from gevent import getcurrent
from locust import User
from locust.exception import StopUser
from locust.user.task import LOCUST_STATE_STOPPING

from scenarios.errors import CallError, LoadEndedError, PrepareError
from scenarios.load import attempt
from scenarios.load.answer import Answer
from scenarios.load.arrivals import Arrival
from scenarios.load.books import Entry
from scenarios.load.client import Check, Client, Request
from scenarios.load.engine import Engine
from scenarios.load.http.session import Session
from scenarios.load.ledger import Write
from scenarios.load.operation import Flow, LedgerSet, Operation
from scenarios.load.plan import SESSIONS

OPEN_WITHIN_S = 5.0
OPEN_AGAIN_S = 0.5


class FlowUser(User):
    """Base of every scenario: one session that performs the flows it is given, one at a time.

    ``prepare`` opens the session before the load starts (log in) and is not measured. ``audit`` returns a
    client that may read the ledger sets back, asking for ``audit_operation``'s path with {set}. ``argument``
    is what a replayed arrival is to do.
    """

    abstract = True
    tallied: ClassVar[bool] = True  # whether its HTTP connections alone say if the session is open
    operations: ClassVar[tuple[Operation, ...]] = ()
    ledger_sets: ClassVar[tuple[LedgerSet, ...]] = ()
    audit_operation: ClassVar[Operation | None] = None

    def prepare(self) -> None:
        """Open the session; CallError is retried for a while."""

    @classmethod
    def audit(cls, client: Client) -> None:
        """Give ``client`` the right to read back; CallError is retried for a while."""

    def on_start(self) -> None:
        """Locust has spawned the user: open the session and wait for arrivals."""
        self.engine: Engine = self.environment.gameday
        self.plan = self.engine.plan
        self.session = Session(
            self.engine.allow,
            timeout_s=self.plan.timeout_s,
            tally=self.engine.connected if self.tallied else None,
        )
        self.client = Client(
            sender=self.session,
            base_url=self.plan.base_url,
            run_id=self.plan.run_id,
            shared=self.engine.constants,
        )
        self.index = next(self.engine.numbers)
        self.tasks: list[Callable[[FlowUser], None]] = [_serve]
        self.argument: object = None
        self.free_at = 0.0
        self._left: defaultdict[str, int] = defaultdict(int)  # of each operation, beyond what is nominal
        self._resume: Callable[[Arrival], Any] | None = None
        self._early: Arrival | None = None
        with self.engine.opening:
            opened = self._open()
        if opened:
            self.engine.admit(self)
        else:
            self.tasks = [_leave]

    def on_stop(self) -> None:
        """Locust ends the user."""
        self.engine.dismiss(self)
        self.session.close()

    @cached_property
    def random(self) -> random.Random:
        """The session's own random numbers (made when first asked for: they take 2.5 kB)."""
        return random.Random(f"session:{self.plan.seed}:{self.index}")

    @property
    def connected(self) -> bool:
        """Whether the session has an open connection, or is at work on one."""
        return self._resume is None or self.session.connected

    def arrive(self, arrival: Arrival) -> None:
        """Begin this flow; called by the dispatcher in the hub."""
        resume, self._resume = self._resume, None
        if resume is None:
            self._early = arrival
        else:
            resume(arrival)

    def park(self) -> Arrival:
        """Wait for the next arrival; the dispatcher switches straight to here."""
        early, self._early = self._early, None
        if early is not None:
            return early
        self._resume = getcurrent().switch
        arrival: Arrival = gevent.get_hub().switch()
        return arrival

    def call(
        self,
        operation: Operation,
        *,
        check: Check | None = None,
        think: float = 0.0,
        write: Write | None = None,
        ids: Mapping[str, str] | None = None,
        query: Mapping[str, str | int] | None = None,
        payload: Any = None,
        headers: Mapping[str, str] | None = None,
        url: str = "",
        prepared: Any = None,
    ) -> Answer:
        """Perform one operation of the flow and record it; CallError ends the flow.

        It is intended for the flow's arrival (first operation) or ``think`` seconds after the previous
        answer. ``write`` is entered in the ledger with what the answer promises. ``prepared`` is a request
        that ``self.session.prepare`` has encoded; one without anything that varies is encoded once anyway.
        LoadEndedError once the load has ended.
        """
        at = self._due(think)
        self._left[operation.slug] -= 1
        if prepared is not None:
            request = Request(operation=operation)
        elif ids or query or payload is not None or headers or url:
            request = Request(
                operation=operation,
                ids=ids or {},
                query=query or {},
                payload=payload,
                headers=headers or {},
                url=url,
            )
        else:
            request, prepared = self.client.constant(operation)
        entry = Entry(self.engine, operation.slug, at, write, begun=time.monotonic())
        try:
            return attempt.perform(entry, self.client, request, check, prepared)
        finally:
            self.free_at = entry.done
            if self.session.retries:
                self.engine.retried += self.session.take_retries()

    def enter(self, operation: Operation, *, at: float, lasted: float) -> None:
        """Record what the flow found out over several answers as one good one of ``operation``.

        ``at`` is the moment (monotonic) from which it counts, ``lasted`` its length in seconds. It need not
        have been a request.
        """
        self._left[operation.slug] -= 1
        Entry(self.engine, operation.slug, at, None, begun=at).ok(at + lasted)

    def serve(self) -> None:
        """Perform arrivals until Locust stops the user."""
        take = self.engine.take
        while self._state != LOCUST_STATE_STOPPING:
            self._perform(take(self))
        raise StopUser

    def _open(self) -> bool:
        """Whether it could be opened; the engine hears why not."""
        deadline = time.monotonic() + OPEN_WITHIN_S
        while True:
            try:
                self.prepare()
                if self.plan.model == SESSIONS:
                    self.session.open(self.plan.base_url)
            except CallError as error:
                if time.monotonic() > deadline or self.engine.stopped:
                    failure = PrepareError(f"session {self.index} could not be opened: {error}")
                    self.engine.refuse(failure)
                    return False
            else:
                return True
            gevent.sleep(OPEN_AGAIN_S)

    def _perform(self, arrival: Arrival) -> None:
        flow = arrival.flow
        self.free_at, self._first = arrival.at, True
        self.argument = arrival.argument
        self._left.clear()
        try:
            getattr(self, flow.name)()
        except LoadEndedError:
            return
        except CallError:
            self._abandon(flow)
        except Exception:  # noqa: BLE001 - a defect in one flow is reported and must not end the session
            self.engine.broke(flow)
            self._abandon(flow)
        if self.free_at == arrival.at:  # it called nothing: it is over now
            self.free_at = time.monotonic()

    def _abandon(self, flow: Flow) -> None:
        """Count the flow's remaining operations as planned and never done."""
        now = self.engine.clock.epoch(time.monotonic())
        for slug, count in Counter(flow.operations).items():
            for _ in range(count + self._left[slug]):
                self.engine.recorder.planned(slug, now)

    def _due(self, think: float) -> float:
        """Wait until the next operation is due; its intended moment."""
        if self._first and think <= 0:
            self._first = False
            at = self.free_at
            self.engine.vitals.lags.append(time.monotonic() - at)
            return at
        at = self.free_at + think
        if not self._first:
            self._refuse_after_end()
        if think > 0:
            self.engine.pause(at - time.monotonic())
            if not self._first:
                self._refuse_after_end()
            self.engine.vitals.lags.append(max(0.0, time.monotonic() - at))
        self._first = False
        return at

    def _refuse_after_end(self) -> None:
        if self.engine.ended:
            raise LoadEndedError


def _leave(_user: FlowUser) -> None:
    """The task of a session that could not be opened."""
    raise StopUser


def _serve(user: FlowUser) -> None:
    """The one Locust task a session runs: its flows come from the engine."""
    user.serve()
