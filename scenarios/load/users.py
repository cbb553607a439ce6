"""Sessions as Locust users, and the operations of the flows they are handed.

A scenario subclasses FlowUser, lists its ``operations`` and decorates its methods with ``@flow``. Locust
spawns the users, filters the flows by tags and shows its statistics; when a flow starts is the engine's
decision.
"""

import random
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import gevent
from gevent.event import Event
from locust import User
from locust.exception import StopUser
from locust.user.task import LOCUST_STATE_STOPPING

from scenarios.errors import CallError, LoadEndedError, PrepareError
from scenarios.load.answer import Answer
from scenarios.load.attempt import Attempt
from scenarios.load.client import Check, Client, Request
from scenarios.load.engine import Arrival, Engine
from scenarios.load.ledger import Write
from scenarios.load.operation import LedgerSet, Operation
from scenarios.load.transport import Session

OPEN_WITHIN_S = 5.0


class FlowUser(User):
    """Base of every scenario: one session that performs the flows it is given, one at a time.

    ``prepare`` opens the session before the load starts (log in) and is not measured. ``audit`` returns a
    client that may read the ledger sets back, asking for ``audit_operation``'s path with {set}.
    """

    abstract = True
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
        self.session = Session(self.engine.allow, timeout_s=self.plan.timeout_s)
        self.client = Client(sender=self.session, base_url=self.plan.base_url, run_id=self.plan.run_id)
        self.index = next(self.engine.numbers)
        self.random = random.Random(f"session:{self.plan.seed}:{self.index}")
        self.tasks = [_serve]
        self._wake = Event()
        self._arrival: Arrival | None = None
        self._left: Counter[str] = Counter()
        with self.engine.opening:
            self._open()
        self.engine.admit(self)

    def on_stop(self) -> None:
        """Locust ends the user."""
        self.session.close()

    def arrive(self, arrival: Arrival) -> None:
        """Begin this flow; called by the dispatcher."""
        self._arrival = arrival
        self._wake.set()

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
    ) -> Answer:
        """Perform one operation of the flow and record it; CallError ends the flow.

        It is intended for the flow's arrival (first operation) or ``think`` seconds after the previous
        answer. ``write`` is entered in the ledger with what the answer promises. LoadEndedError once the load
        has ended.
        """
        at = self._due(think)
        request = Request(
            operation=operation,
            ids=ids or {},
            query=query or {},
            payload=payload,
            headers=headers or {},
            url=url,
        )
        self._left[operation.slug] -= 1
        attempt = Attempt(engine=self.engine, client=self.client, request=request, at=at, write=write)
        try:
            return attempt.run(check)
        finally:
            self._next_at = attempt.done
            self.engine.retried += self.session.take_retries()

    def serve(self) -> None:
        """Perform arrivals until Locust stops the user."""
        while self._state != LOCUST_STATE_STOPPING:
            self._wake.wait()
            self._wake.clear()
            if self._arrival is not None:
                self._perform(self._arrival)
                self._arrival = None
                self.engine.rest(self)
        raise StopUser

    def _open(self) -> None:
        deadline = time.monotonic() + OPEN_WITHIN_S
        while True:
            try:
                return self.prepare()
            except CallError as error:
                if time.monotonic() > deadline or self.engine.stopped:
                    failure = PrepareError(f"session {self.index} could not be opened: {error}")
                    self.engine.refuse(failure)
                    raise StopUser from error
            gevent.sleep(0.5)

    def _perform(self, arrival: Arrival) -> None:
        self._next_at, self._first = arrival.at, True
        self._left = Counter(arrival.flow.operations)
        method: Callable[[], None] = getattr(self, arrival.flow.name)
        try:
            method()
        except LoadEndedError:
            return
        except CallError:
            self._abandon()
        except Exception:  # noqa: BLE001 - a defect in one flow is reported and must not end the session
            self.engine.broke(arrival.flow)
            self._abandon()

    def _abandon(self) -> None:
        """Count the flow's remaining operations as planned and never done."""
        now = self.engine.clock.epoch(time.monotonic())
        for slug, count in self._left.items():
            for _ in range(count):
                self.engine.recorder.planned(slug, now)

    def _due(self, think: float) -> float:
        """Wait until the next operation is due; its intended moment."""
        at = self._next_at + think
        if not self._first:
            self._refuse_after_end()
            if think > 0:
                self.engine.pause(at - time.monotonic())
                self._refuse_after_end()
        if self._first or think > 0:
            self.engine.vitals.lags.append(max(0.0, time.monotonic() - at))
        self._first = False
        return at

    def _refuse_after_end(self) -> None:
        if self.engine.ended:
            raise LoadEndedError


def _serve(user: FlowUser) -> None:
    """The one Locust task a session runs: its flows come from the dispatcher."""
    user.serve()
