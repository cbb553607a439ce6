"""Which answer belongs to which question: ids, streamed answers, what was lost, late or there twice.

Knows no sockets. A message names its question by an id; without ids answers come in the order of the
questions.
"""

import json
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from gevent.event import AsyncResult

from scenarios.errors import CallError, ContentError
from scenarios.load.websocket.order import Order

Find = Callable[[Any], Hashable | None]
REMEMBERED = 256


def _to_json(payload: Any) -> str | bytes:
    if isinstance(payload, str | bytes):
        return payload
    return json.dumps(payload, separators=(",", ":"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How messages are written and read.

    ``correlate`` is the key of an object that holds its id (set by itself when a payload has none), a
    function that finds the id in what ``decode`` made of a message, or None: answers then come in order.
    ``sequence`` finds the number of a message within its answer, or within its ``stream`` for a push.
    ``final`` says whether an answer ends with this message. ``restarts``: numbering begins anew with each
    connection, so nothing can be said about what was missed in between.
    """

    encode: Callable[[Any], str | bytes] = _to_json
    decode: Callable[[Any], Any] = json.loads
    correlate: str | Find | None = "id"
    final: Callable[[Any], bool] | None = None
    sequence: Callable[[Any], int | None] | None = None
    stream: Find | None = None
    restarts: bool = False

    def key_of(self, content: Any) -> Hashable | None:
        """The id in a message; None when it has none."""
        try:
            if isinstance(self.correlate, str):
                key = content.get(self.correlate) if isinstance(content, dict) else None
            else:
                key = self.correlate(content) if self.correlate else None
            hash(key)
        except (LookupError, TypeError, AttributeError):
            return None
        return key

    def number_of(self, content: Any) -> int | None:
        """The number in a message; None when it has none."""
        try:
            return self.sequence(content) if self.sequence else None
        except (LookupError, TypeError, AttributeError):
            return None


class Entry(Protocol):
    """An operation in the books, see books.Entry."""

    done: float

    def sent(self) -> None: ...  # noqa: D102
    def ok(self, at: float | None = None, *, promise: str = "") -> None: ...  # noqa: D102
    def bad(self, kind: str, detail: str) -> None: ...  # noqa: D102


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A whole answer: its messages decoded; seconds from the intended send to its first and last one."""

    messages: tuple[Any, ...]
    first_s: float
    last_s: float

    @property
    def message(self) -> Any:
        """The last message, which is the only one unless the answer was streamed."""
        return self.messages[-1]


@dataclass(slots=True, kw_only=True, eq=False)
class Exchange:
    """A question on its way: ``at`` is its intended moment (monotonic)."""

    key: Hashable
    at: float
    entry: Entry
    first: Entry | None = None
    until: Callable[[Any], bool] | None = None
    check: Callable[[Reply], None] | None = None
    most: int = 10_000
    result: Any = field(default_factory=AsyncResult)  # of a Reply
    timer: Any = None
    begun: bool = False
    order: Order | None = None
    _messages: list[Any] = field(default_factory=list)
    _first_at: float = 0.0
    _flaws: list[str] = field(default_factory=list)

    @property
    def over(self) -> bool:
        """Whether it was answered or given up."""
        return bool(self.result.ready())

    def begin(self) -> None:
        """It is being sent."""
        self.begun = True
        self.entry.sent()
        if self.first is not None:
            self.first.sent()

    def take(self, content: Any, at: float, number: int | None, *, last: bool = True) -> bool:
        """One more message of the answer; whether it was the last one, and the exchange is over."""
        if not self._messages:
            self._first_at = at
            if self.first is not None:
                self.first.ok(at)
        self._messages.append(content)
        if number is not None:
            self._place(number)
        if not last:
            if len(self._messages) >= self.most:
                self.fail(ContentError(f"over {self.most} messages in one answer, and not the last one yet"))
            return self.over
        self._finish(at)
        return True

    def fail(self, error: Exception) -> None:
        """It ends without a good answer; says so to whoever waits."""
        if self.over:
            return
        kind = error.kind if isinstance(error, CallError) else "protocol"
        if self.first is not None and not self._messages:
            self.first.bad(kind, str(error))
        self.entry.bad(kind, str(error))
        self._end()
        self.result.set_exception(error)

    def _place(self, number: int) -> None:
        if self.order is None:
            self.order = Order()
        place = self.order.feed(number)
        if place != "next":
            self._flaws.append(f"{place}: message {number}")

    def _finish(self, at: float) -> None:
        if self.order is not None and (lost := self.order.end()):
            self._flaws.append(f"lost: {lost} messages")
        reply = Reply(messages=tuple(self._messages), first_s=self._first_at - self.at, last_s=at - self.at)
        if self._flaws:
            self.fail(ContentError("the answer is not whole: " + "; ".join(self._flaws[:5])))
            return
        try:
            if self.check is not None:
                self.check(reply)
        except CallError as error:
            self.fail(error)
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            misshapen = ContentError(f"the answer is misshapen: {type(error).__name__}: {error}")
            misshapen.__cause__ = error
            self.fail(misshapen)
        except Exception as error:  # noqa: BLE001 - a defect of the scenario: raised where the answer is awaited
            self.fail(error)
        else:
            self.entry.ok(at)
            self._end()
            self.result.set(reply)

    def _end(self) -> None:
        if self.timer is not None:
            self.timer.stop()
            self.timer.close()
            self.timer = None


@dataclass(slots=True)
class Desk:
    """The questions of one session that wait for an answer, and the last ones that no longer do."""

    waiting: dict[Hashable, Exchange] = field(default_factory=dict)
    _past: OrderedDict[Hashable, Literal["duplicated", "late"]] = field(default_factory=OrderedDict)

    def ask(self, exchange: Exchange) -> None:
        """Wait for the answer."""
        self.waiting[exchange.key] = exchange

    def answered(self, key: Hashable | None) -> Exchange | Literal["duplicated", "late", "unasked"]:
        """Whose message this is: a waiting question, one that is over, or nobody's."""
        if key is None:
            return "unasked"
        found = self.waiting.get(key)
        if found is not None:
            return found
        return self._past.get(key, "unasked")

    def oldest(self) -> Exchange | None:
        """The question asked first among those that wait."""
        return next(iter(self.waiting.values()), None)

    def close(self, exchange: Exchange, *, answered: bool) -> None:
        """It is over; what still comes for it is a duplicate, or late."""
        if self.waiting.pop(exchange.key, None) is None:
            return
        self._past[exchange.key] = "duplicated" if answered else "late"
        if len(self._past) > REMEMBERED:
            self._past.popitem(last=False)
