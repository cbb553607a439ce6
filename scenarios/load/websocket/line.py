"""A session's connection for as long as the session lasts: read, kept alive, and come back after a loss."""

import random
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import gevent
from gevent.event import Event

from scenarios.errors import CallError, TransportError
from scenarios.load.answer import AllowList
from scenarios.load.operation import Operation
from scenarios.load.websocket.feed import Host
from scenarios.load.websocket.order import Backoff
from scenarios.load.websocket.wire import Message, Target, Wire, dial

UNANSWERED = "not answered when the load ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Manners:
    """How a session behaves; times in seconds.

    ``timeout_s`` bounds an answer, from its actual send to its last message. After ``ping_s`` of silence a
    ping is sent, and after as much again the connection is given up (0: never). ``again`` None means that a
    lost connection stays lost; otherwise each attempt to come back is recorded as ``reconnect``, if given.
    ``greeting`` makes the payloads that are sent first on every connection (subscribe, authenticate); what
    answers them counts as pushed. ``in_order``: an answer that overtakes an earlier question's is bad
    content.
    """

    timeout_s: float = 10.0
    ping_s: float = 20.0
    again: Backoff | None = field(default_factory=Backoff)
    reconnect: Operation | None = None
    greeting: Callable[[], Iterable[Any]] | None = None
    in_order: bool = False


@dataclass(slots=True, kw_only=True, eq=False)
class Line:
    """``take`` gets every message, ``lose`` every loss; both are called by the one greenlet that reads.

    ``greet`` is called with each new connection before anybody else may write to it.
    """

    target: Callable[[], Target]
    allow: AllowList
    host: Host
    manners: Manners
    rng: random.Random
    take: Callable[[Message], None]
    lose: Callable[[CallError], None]
    greet: Callable[[Wire], None]
    _wire: Wire | None = None
    _pump: Any = None
    _up: Any = field(default_factory=Event)
    _changed: Any = field(default_factory=Event)
    _closing: bool = False
    _why: str = "it was never opened"

    def open(self, operation: Operation | None, at: float) -> None:
        """Connect once; recorded when an operation is given.

        Raises:
            CallError: the connection could not be opened.
        """
        self.end(1000, within_s=1.0)
        self._closing = False
        wire = self._dial(operation, at)
        self._pump = gevent.spawn(self._read_on, wire)

    def ready(self, within_s: float) -> Wire:
        """The open connection, waiting for it while it is being re-established; TransportError connect."""
        deadline = time.monotonic() + within_s
        while not self._up.is_set():
            self._changed.clear()
            left = deadline - time.monotonic()
            if self._pump is None or self._pump.ready() or left <= 0:
                raise TransportError(f"not connected: {self._why}", kind="connect")
            self._changed.wait(timeout=left)
        assert self._wire is not None
        return self._wire

    def breaks(self, why: str) -> None:
        """Give this connection up: nothing on it can be trusted any more."""
        if self._wire is not None and self._up.is_set():
            self._why = why
            self._down()
            self._wire.drop()

    def end(self, code: int, *, within_s: float) -> None:
        """Say goodbye and wait that long for the server to say it, too; no way back."""
        self._closing = True
        pump, self._pump = self._pump, None
        if self._wire is not None and self._up.is_set():
            self._down()
            try:
                self._wire.say_goodbye(code)
            except TransportError as error:
                self._why = str(error)
            else:
                if within_s > 0:
                    pump.join(timeout=within_s)
        if pump is not None:
            pump.kill()
        if self._wire is not None:
            self._wire.drop()
            self._wire = None
        self._changed.set()

    @property
    def connected(self) -> bool:
        """Whether the connection is open now."""
        return bool(self._up.is_set())

    @property
    def subprotocol(self) -> str:
        """What the server chose."""
        return self._wire.subprotocol if self._wire else ""

    def _dial(self, operation: Operation | None, at: float) -> Wire:
        """Connect and greet."""
        entry = self.host.enter(operation, at) if operation else None
        try:
            if entry is not None:
                entry.sent()
            wire = dial(self.target(), self.allow)
            try:
                self.greet(wire)
            except BaseException:
                wire.drop()
                raise
        except CallError as error:
            self._why = str(error)
            if entry is not None:
                entry.bad(error.kind, str(error))
            raise
        except gevent.GreenletExit:
            if entry is not None:
                entry.bad("timeout", UNANSWERED)
            raise
        if entry is not None:
            entry.ok()
        self._wire = wire
        self._up.set()
        self._changed.set()
        return wire

    def _read_on(self, wire: Wire) -> None:
        found: Wire | None = wire
        while found is not None:
            error = self._read(found)
            found.drop()
            if self._closing:
                return
            self._why = str(error) if self._up.is_set() else self._why
            self._down()
            self.lose(error)
            found = self._back()
        self._changed.set()

    def _read(self, wire: Wire) -> CallError:
        """Read until the connection is over; why it is."""
        asked = False
        try:
            while True:
                messages = wire.receive(self.manners.ping_s or None)
                if messages is None and asked:
                    return TransportError(
                        f"silent for {self.manners.ping_s:g} s after a ping: the connection is dead",
                        kind="timeout",
                    )
                asked = messages is None
                if asked:
                    wire.ping(b"")
                for message in messages or ():
                    self.take(message)
        except CallError as error:
            return error

    def _back(self) -> Wire | None:
        """Connect again after waits; None when that is not wanted, or was tried often enough."""
        if self.manners.again is None:
            return None
        for wait in self.manners.again.waits(self.rng):
            at = time.monotonic() + wait
            gevent.sleep(wait)
            try:
                wire = self._dial(self.manners.reconnect, at)
            except CallError:
                continue  # recorded, if that is wanted, and told to whoever needs the connection
            self.host.count("reconnects", 1, self._why)
            return wire
        return None

    def _down(self) -> None:
        self._up.clear()
