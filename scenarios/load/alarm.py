"""A wake-up call at a moment of the monotonic clock, to within tens of microseconds.

libev hands epoll its time-outs in whole milliseconds, rounded up, so a gevent timer is up to 1 ms late: at
1000 arrivals/s that would be most of the latency measured. Linux's timerfd (see timerfd_create(2)) is a file
that becomes readable at the very moment. Elsewhere the gevent timer has to do.
"""

import ctypes
import os
import sys
import time
from collections.abc import Callable
from typing import Any

import gevent

_NS = 1_000_000_000
_NONBLOCK, _CLOEXEC, _ABSOLUTE, _MONOTONIC, _READ = 0o4000, 0o2000000, 1, 1, 1


class _Spec(ctypes.Structure):
    """struct itimerspec."""

    _fields_ = (
        ("every_s", ctypes.c_long),
        ("every_ns", ctypes.c_long),
        ("s", ctypes.c_long),
        ("ns", ctypes.c_long),
    )


class _File:
    """The alarm on a timerfd."""

    def __init__(self, ring: Callable[[], None]) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        self._arm = libc.timerfd_settime
        self._fd = libc.timerfd_create(_MONOTONIC, _NONBLOCK | _CLOEXEC)
        if self._fd < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create")
        self._spec = _Spec()
        self._where = ctypes.byref(self._spec)
        loop = gevent.get_hub().loop
        self._watcher: Any = loop.io(self._fd, _READ, priority=loop.MAXPRI)
        self._watcher.start(ring)

    def set(self, moment: float) -> None:
        ns = max(1, int(moment * _NS))  # 0 would disarm it; setting it also makes it unreadable again
        self._spec.s, self._spec.ns = divmod(ns, _NS)
        self._arm(self._fd, _ABSOLUTE, self._where, None)

    def again(self) -> None:
        """It rings until it is set."""

    def close(self) -> None:
        if self._fd >= 0:
            self._watcher.stop()
            self._watcher.close()
            os.close(self._fd)
            self._fd = -1


class _Timer:
    """The alarm on a gevent timer, up to 1 ms late."""

    def __init__(self, ring: Callable[[], None]) -> None:
        self._ring = ring
        self._timer: Any = None

    def set(self, moment: float) -> None:
        self.close()
        wait = max(0.0, moment - time.monotonic())
        self._timer = gevent.get_hub().loop.timer(wait)
        self._timer.start(self._ring)

    def again(self) -> None:
        """Ring once more in the loop's next turn."""
        self.set(0.0)

    def close(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer.close()
            self._timer = None


Alarm = _File | _Timer


def alarm(ring: Callable[[], None]) -> Alarm:
    """An alarm that calls ``ring`` in the hub, where it must not wait.

    One moment is set at a time; a past one rings as soon as the loop has looked at its sockets.
    """
    return _File(ring) if sys.platform == "linux" else _Timer(ring)
