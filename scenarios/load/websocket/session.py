"""A session's WebSocket: questions and their answers, pushes, pings, and coming back after a loss.

Every operation is recorded the moment it is decided, whether anybody waits for it or not, and its latency
counts from the intended send. ``user.py`` gives one to the flows of a scenario.
"""

import itertools
import random
import time
from collections import Counter
from collections.abc import Callable, Hashable
from typing import Any

import gevent

from scenarios.errors import CallError, ContentError, TransportError
from scenarios.load.answer import AllowList
from scenarios.load.ledger import Write
from scenarios.load.operation import Operation
from scenarios.load.websocket.exchange import Desk, Dialect, Exchange, Reply
from scenarios.load.websocket.feed import Feed, Host, Pushes
from scenarios.load.websocket.line import UNANSWERED, Line, Manners
from scenarios.load.websocket.wire import Message, Target, Wire

__all__ = ["Dialect", "Manners", "Pushes", "Reply", "WebSocket"]


class WebSocket:
    """One session's conversation with a server. CallError from its methods ends the flow, as everywhere.

    ``target`` is asked for at every connecting: a token may have changed.
    """

    def __init__(
        self,
        target: Callable[[], Target],
        *,
        allow: AllowList,
        host: Host,
        dialect: Dialect | None = None,
        manners: Manners | None = None,
        pushes: Pushes | None = None,
        seed: str = "",
    ) -> None:
        self._host = host
        self._dialect, self._manners = dialect or Dialect(), manners or Manners()
        self._feed = Feed(pushes=pushes or Pushes(), dialect=self._dialect, host=host)
        self._numbers = itertools.count(1)
        self._desk = Desk()
        self._pings: dict[Hashable, Exchange] = {}
        self._defect: Exception | None = None
        self._line = Line(
            target=target,
            allow=allow,
            host=host,
            manners=self._manners,
            rng=random.Random(f"websocket:{seed}"),
            take=self._take,
            lose=self._lose,
            greet=self._greet,
        )

    @property
    def counts(self) -> Counter[str]:
        """What happened to this session's messages.

        lost (given up), late (came after that), reordered, duplicated, unasked, undecodable, overflown; and
        reconnects.
        """
        return self._host.counts

    @property
    def subprotocol(self) -> str:
        """What the server chose; empty when it chose none."""
        return self._line.subprotocol

    @property
    def connected(self) -> bool:
        """Whether the connection is open now."""
        return self._line.connected

    def open(self, operation: Operation | None = None, *, think: float = 0.0) -> None:
        """Connect, once; measured when an operation is given. CallError when it fails."""
        self._lose(TransportError("the session opened another connection", kind="reset"))
        if operation is None:
            self._line.open(None, 0.0)
            return
        at = self._host.due(operation, think)
        try:
            self._line.open(operation, at)
        finally:
            self._host.answered(time.monotonic())

    def request(self, operation: Operation, payload: Any, **options: Any) -> Reply:
        """Send and wait for the whole answer; the options are those of ``send``."""
        return self.expect(self.send(operation, payload, **options))

    def send(
        self,
        operation: Operation,
        payload: Any,
        *,
        think: float = 0.0,
        at: float | None = None,
        write: Write | None = None,
        check: Callable[[Reply], None] | None = None,
        until: Callable[[Any], bool] | None = None,
        first: Operation | None = None,
        timeout_s: float | None = None,
    ) -> Exchange:
        """Send a question without waiting for its answer.

        It is intended ``think`` seconds after the flow's previous operation, or at the monotonic moment
        ``at``. The answer ends with the message that ``until`` holds for (with the first, unless the dialect
        says otherwise); ``first`` is recorded with the latency of the first message. ``check`` sees the whole
        Reply. A connection that is being re-established is waited for, and that time counts.
        """
        key, data = self._worded(payload)
        due = self._host.due(operation, think)
        at = due if at is None else at
        exchange = Exchange(
            key=key,
            at=at,
            entry=self._host.enter(operation, at, write),
            first=self._host.also(first, at) if first else None,
            until=until or self._dialect.final,
            check=check,
        )
        self._host.answered(at)
        self._desk.ask(exchange)
        self._launch(exchange, lambda wire: wire.send(data), timeout_s or self._manners.timeout_s)
        return exchange

    def expect(self, exchange: Exchange) -> Reply:
        """Wait for the answer; CallError when it was not good or did not come in time."""
        try:
            reply: Reply = exchange.result.get()
        finally:
            self._host.answered(exchange.entry.done or time.monotonic())
        self._complain()
        return reply

    def tell(
        self, operation: Operation, payload: Any, *, think: float = 0.0, write: Write | None = None
    ) -> None:
        """Send what has no answer: good once it has left, which promises nothing about a write."""
        data = self._dialect.encode(payload)
        at = self._host.due(operation, think)
        entry = self._host.enter(operation, at, write)
        try:
            wire = self._line.ready(self._manners.timeout_s)
            entry.sent()
            wire.send(data)
        except CallError as error:
            entry.bad(error.kind, str(error))
            raise
        except gevent.GreenletExit:
            entry.bad("timeout", UNANSWERED)
            raise
        entry.ok(promise="unknown")
        self._host.answered(entry.done)

    def ping(self, operation: Operation, *, think: float = 0.0) -> Reply:
        """A ping and its pong, measured."""
        key = b"gameday %d" % next(self._numbers)
        at = self._host.due(operation, think)
        exchange = Exchange(key=key, at=at, entry=self._host.enter(operation, at))
        self._pings[key] = exchange
        self._launch(exchange, lambda wire: wire.ping(key), self._manners.timeout_s)
        return self.expect(exchange)

    def next_push(self, within_s: float | None = None) -> Any:
        """The oldest message nobody asked for; TransportError timeout when none comes."""
        self._complain()
        return self._feed.next(self._manners.timeout_s if within_s is None else within_s)

    def settle(self) -> None:
        """Wait until every question has its answer, good or bad."""
        for exchange in [*self._desk.waiting.values(), *self._pings.values()]:
            exchange.result.wait()

    def close(self, code: int = 1000, *, within_s: float = 1.0) -> None:
        """Say goodbye, wait that long for the server's, and end; what still waits for an answer times out."""
        self._line.end(code, within_s=within_s)
        self._lose(TransportError(UNANSWERED, kind="timeout"))
        self._feed.end()

    def _worded(self, payload: Any) -> tuple[Hashable, str | bytes]:
        """The question's id, put into it if it has none, and its bytes."""
        word = self._dialect.correlate
        if isinstance(word, str) and isinstance(payload, dict) and word not in payload:
            payload = payload | {word: next(self._numbers)}
        key = self._dialect.key_of(payload)
        if key is None:
            if word is not None:
                raise ValueError(f"no id in {payload!r}; expected one where {word!r} looks for it")
            key = next(self._numbers)
        if key in self._desk.waiting:
            raise ValueError(f"the id {key!r} is waited for already; every question needs its own")
        return key, self._dialect.encode(payload)

    def _launch(self, exchange: Exchange, send: Callable[[Wire], None], timeout_s: float) -> None:
        """Send it once there is a connection; from then on it has ``timeout_s``."""
        try:
            wire = self._line.ready(timeout_s)
            if exchange.over:
                raise TransportError("the session was closed", kind="connect")
            exchange.begin()
            exchange.timer = gevent.get_hub().loop.timer(timeout_s)
            exchange.timer.start(self._expire, exchange, timeout_s)
            send(wire)
        except CallError as error:
            self._fail(exchange, error)
        except gevent.GreenletExit:
            self._fail(exchange, TransportError(UNANSWERED, kind="timeout"))
            raise

    def _expire(self, exchange: Exchange, timeout_s: float) -> None:
        """Runs in the hub, so it may not wait."""
        self._fail(exchange, TransportError(f"no complete answer within {timeout_s:g} s", kind="timeout"))
        if self._dialect.correlate is None and exchange.key not in self._pings:
            # without ids a late answer would be taken for the next question's
            self._line.breaks("an answer is overdue, and without ids nobody could tell whose comes next")

    def _fail(self, exchange: Exchange, error: Exception) -> None:
        if exchange.over:
            return
        asked = self._desk.waiting.get(exchange.key) is exchange
        self._desk.close(exchange, answered=False)
        self._pings.pop(exchange.key, None)
        if asked and exchange.begun:
            self._host.count("lost", 1, f"{exchange.key!r}: {error}")
        exchange.fail(error)

    def _lose(self, error: CallError) -> None:
        """The connection is gone, and with it every answer that was on its way."""
        for exchange in [*self._desk.waiting.values(), *self._pings.values()]:
            if exchange.begun:
                self._fail(exchange, error)

    def _greet(self, wire: Wire) -> None:
        self._feed.reconnected()
        for payload in self._manners.greeting() if self._manners.greeting else ():
            wire.send(self._dialect.encode(payload))

    def _take(self, message: Message) -> None:
        try:
            if message.kind == "pong":
                self._pong(message)
            else:
                self._sort(message)
        except Exception as error:  # noqa: BLE001 - the scenario's own functions: raised in its next call
            self._defect = self._defect or error

    def _pong(self, message: Message) -> None:
        found = self._pings.pop(message.data, None)
        if found is not None:
            found.take(message.data, message.at, None)

    def _sort(self, message: Message) -> None:
        try:
            content = self._dialect.decode(message.data)
        except ValueError as error:
            self._host.count("undecodable", 1, f"{message.data[:100]!r}: {error}")
            return
        key, oldest = self._dialect.key_of(content), self._desk.oldest()
        whose = self._desk.answered(key) if self._dialect.correlate else oldest or "unasked"
        if whose == "unasked":
            self.counts["unasked"] += 1
            self._feed.take(content)
        elif isinstance(whose, str):
            self._host.count(whose, 1, f"a message for {key!r}")
        else:
            self._answer(whose, content, message.at, overtakes=whose is not oldest)

    def _answer(self, exchange: Exchange, content: Any, at: float, *, overtakes: bool) -> None:
        try:
            last = exchange.until is None or exchange.until(content)
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            self._desk.close(exchange, answered=True)
            exchange.fail(ContentError(f"the answer is misshapen: {type(error).__name__}: {error}"))
            return
        if last and overtakes:
            self._host.count("reordered", 1, f"{exchange.key!r} was answered before an earlier question")
            if self._manners.in_order:
                self._desk.close(exchange, answered=True)
                exchange.fail(ContentError("reordered: it overtook the answer of an earlier question"))
                return
        if exchange.take(content, at, self._dialect.number_of(content), last=last):
            self._desk.close(exchange, answered=True)

    def _complain(self) -> None:
        defect, self._defect = self._defect, None
        if defect is not None:
            raise defect
