"""Messages nobody asked for: numbered streams, their latency, and a bounded queue of them.

A feed outlives its connections: what was missed while a session was away shows as lost when numbering goes
on.
"""

import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, Protocol

from gevent.queue import Empty, Full, Queue

from scenarios.errors import TransportError
from scenarios.load.ledger import Write
from scenarios.load.operation import Operation
from scenarios.load.websocket.exchange import Dialect, Entry
from scenarios.load.websocket.order import Order, Place

STREAMS = 1024
KEPT = 1000
MOST_AT_ONCE = 1000


class Host(Protocol):
    """What a conversation needs of the session it belongs to; moments are monotonic."""

    counts: Counter[str]

    def due(self, operation: Operation, think: float) -> float:
        """Wait until the flow's next operation is due; its intended moment."""

    def answered(self, at: float) -> None:
        """The flow's next operation counts from this moment."""

    def enter(self, operation: Operation, at: float, write: Write | None = None) -> Entry:
        """Enter an operation in the books."""

    def also(self, operation: Operation, at: float) -> Entry:
        """Enter one more operation of the flow, which another one performs."""

    def moment(self, epoch: float) -> float:
        """An epoch second on the monotonic clock."""

    def count(self, what: str, number: int, detail: str) -> None:
        """Something happened to messages of this session that no operation shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pushes:
    """What to make of messages nobody asked for.

    With an ``operation`` each is recorded from the epoch second at which it was due, which ``due`` finds in
    it (a stamp of whoever caused it; its clock is trusted). ``handle`` is called with each at once and must
    not wait; without it the last ``KEPT`` are kept for ``next_push``.
    """

    operation: Operation | None = None
    due: Callable[[Any], float] | None = None
    handle: Callable[[Any], None] | None = None


@dataclass(slots=True, kw_only=True)
class Feed:
    """One session's pushes."""

    pushes: Pushes
    dialect: Dialect
    host: Host
    _orders: OrderedDict[Hashable, Order] = field(default_factory=OrderedDict)
    _kept: Any = field(default_factory=lambda: Queue(maxsize=KEPT))

    def take(self, content: Any) -> None:
        """One message; an error of ``handle`` is the scenario's and is passed on."""
        number = self.dialect.number_of(content)
        place: Place = "next" if number is None else self._place(content, number)
        self._record(content, place)
        if self.pushes.handle is not None:
            self.pushes.handle(content)
            return
        try:
            self._kept.put_nowait(content)
        except Full:
            self._kept.get_nowait()
            self._kept.put_nowait(content)
            self.host.count("overflown", 1, f"over {KEPT} pushes were waiting; the oldest was forgotten")

    def next(self, within_s: float) -> Any:
        """The oldest push nobody has looked at; TransportError timeout when none comes."""
        try:
            return self._kept.get(timeout=within_s)
        except Empty as error:
            raise TransportError(f"no message was pushed within {within_s:g} s", kind="timeout") from error

    def reconnected(self) -> None:
        """A new connection: streams whose numbering restarts are over."""
        if self.dialect.restarts:
            self.end()

    def end(self) -> None:
        """Nothing more will come: what is missing was lost."""
        for name, order in self._orders.items():
            self._lost(name, order.end())
        self._orders.clear()

    def _place(self, content: Any, number: int) -> Place:
        name = self.dialect.stream(content) if self.dialect.stream else None
        order = self._orders.get(name)
        if order is None:
            order = self._orders[name] = Order()
            if len(self._orders) > STREAMS:
                forgotten, old = self._orders.popitem(last=False)
                self._lost(forgotten, old.end())
        place = order.feed(number)
        if place != "next":
            self.host.count(place, 1, f"stream {name}: message {number}")
        self._lost(name, order.take_lost())
        return place

    def _lost(self, name: Hashable, number: int) -> None:
        if not number:
            return
        detail = f"stream {name}: {number} messages never came"
        self.host.count("lost", number, detail)
        operation = self.pushes.operation
        for _ in range(min(number, MOST_AT_ONCE) if operation else 0):
            assert operation is not None
            self.host.enter(operation, time.monotonic()).bad("content", f"lost: {detail}")

    def _record(self, content: Any, place: Place) -> None:
        if self.pushes.operation is None:
            return
        now = time.monotonic()
        try:
            due = self.host.moment(float(self.pushes.due(content))) if self.pushes.due else now
        except (LookupError, TypeError, ValueError):
            entry = self.host.enter(self.pushes.operation, now)
            entry.bad("content", "a push that does not say when it was due")
            return
        entry = self.host.enter(self.pushes.operation, min(due, now))
        entry.sent()
        if place == "next":
            entry.ok()
        else:
            entry.bad("content", f"{place}: message {self.dialect.number_of(content)}")
