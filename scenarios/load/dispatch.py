"""Lets a schedule begin: every arrival at its moment, whatever the system does.

The alarm rings in the hub, and the sessions are switched to from there, so an arrival costs no greenlet of
its own. After a few arrivals in a row the loop gets to look at the sockets: a burst must not make answers
that are there look late.
"""

import time
from collections.abc import Callable, Iterator

from gevent.event import Event

from scenarios.load.alarm import alarm
from scenarios.load.arrivals import Due

BURST = 16
_FAR_S = 3600.0


class Dispatcher:
    """Calls ``hand_out(due, moment)`` for each arrival once it is due; ``begin`` is the schedule's 0.

    Over at ``until`` seconds after ``begin`` at the latest, when ``stop`` is called, or when the schedule
    fails: ``error`` then says how.
    """

    def __init__(
        self,
        schedule: Iterator[Due],
        *,
        begin: float,
        until: float,
        hand_out: Callable[[Due, float], None],
    ) -> None:
        self._schedule = schedule
        self._begin = begin
        self._end = begin + until
        self._hand_out = hand_out
        self._next: Due | None = None
        self._over = Event()
        self.error: Exception | None = None
        self._alarm = alarm(self._ring)

    def start(self) -> None:
        """Let the arrivals begin; returns at once."""
        self._next = next(self._schedule, None)
        self._alarm.set(self._begin)

    def stop(self) -> None:
        """No arrival begins any more."""
        self._alarm.close()
        self._over.set()

    def join(self) -> None:
        """Wait until the load's time is over or somebody has stopped it."""
        self._over.wait()

    def _ring(self) -> None:
        try:
            self._begin_due()
        except Exception as error:  # noqa: BLE001 - in the hub nobody else would tell whoever waits for the end
            self.error = error
            self.stop()

    def _begin_due(self) -> None:
        begin, left = self._begin, BURST
        while left and (due := self._next) is not None:
            moment = begin + due.at
            if moment > time.monotonic():
                break
            self._next = next(self._schedule, None)
            self._hand_out(due, moment)
            left -= 1
        if self._over.is_set():
            return
        upcoming = self._end if self._next is None else begin + self._next.at
        now = time.monotonic()
        if upcoming >= self._end <= now:
            self.stop()
        elif upcoming <= now:
            self._alarm.again()
        else:
            self._alarm.set(min(upcoming, self._end, now + _FAR_S))
