"""Many equal time-outs on one timer.

All waiters of a ``Deadlines`` wait equally long, so the order of beginning is the order of falling due: an
insertion-ordered dict holds them and one timer looks at the oldest. Beginning and ending are a dict's insert
and delete; a timer of its own for every request costs several times that.
"""

import time
import weakref
from typing import Any, Protocol

import gevent


class Waiter(Protocol):
    """Who waits."""

    def expire(self, seconds: float) -> None:
        """The time is over; called in the hub."""


class Deadline(Protocol):
    """A length of time that is waited for again and again, or once."""

    def begin(self, who: Waiter, now: float) -> None:
        """``who`` waits from ``now`` (monotonic) on; it must not wait already."""

    def end(self, who: Waiter) -> None:
        """``who`` waits no more; nothing if it did not."""


class Deadlines:
    """Time-outs of ``seconds`` in one hub. The timer keeps the loop alive while somebody waits."""

    __slots__ = ("_armed", "_loop", "_timer", "_waiting", "seconds")

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._loop = gevent.get_hub().loop
        self._waiting: dict[Waiter, float] = {}
        self._timer: Any = None
        self._armed = False

    def begin(self, who: Waiter, now: float) -> None:
        """``who`` waits from ``now`` (monotonic) on; it must not wait already."""
        self._waiting[who] = now + self.seconds
        if not self._armed:
            self._arm(self.seconds)

    def end(self, who: Waiter) -> None:
        """``who`` waits no more; nothing if it did not."""
        self._waiting.pop(who, None)

    def _arm(self, seconds: float) -> None:
        self._armed = True
        self._timer = self._loop.timer(seconds)
        self._timer.start(self._look, update=True)

    def _look(self) -> None:
        self._timer.close()
        self._armed = False
        now = time.monotonic()
        over = []
        for who, due in self._waiting.items():
            if due > now:
                self._arm(due - now)
                break
            over.append(who)
        for who in over:  # only now: whoever is woken begins and ends waits
            if self._waiting.get(who, now + 1) <= now:
                del self._waiting[who]
                who.expire(self.seconds)


class Once:
    """One time-out with a timer of its own, for those that do not wait as long as all others."""

    __slots__ = ("_timer", "seconds")

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._timer: Any = None

    def begin(self, who: Waiter, now: float) -> None:
        """``who`` waits from ``now`` (monotonic) on."""
        self.end(who)
        left = max(0.0, now + self.seconds - time.monotonic())
        self._timer = gevent.get_hub().loop.timer(left)
        self._timer.start(who.expire, self.seconds, update=True)

    def end(self, who: Waiter) -> None:  # noqa: ARG002 - there is only one
        """Nobody waits any more."""
        if self._timer is not None:
            self._timer.stop()
            self._timer.close()
            self._timer = None


_of_hub: weakref.WeakKeyDictionary[Any, dict[float, Deadlines]] = weakref.WeakKeyDictionary()


def deadlines(seconds: float) -> Deadlines:
    """The one of this hub and length."""
    of_hub = _of_hub.setdefault(gevent.get_hub(), {})
    found = of_hub.get(seconds)
    if found is None:
        found = of_hub[seconds] = Deadlines(seconds)
    return found
