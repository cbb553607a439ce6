"""A socket with a read watcher that never sleeps.

The watcher's callback runs in the hub: it receives and hands over what came, and whoever waits for it is
switched to at once. Because it also runs while nobody waits, a server that closes or talks between two
requests is noticed before the next one. The socket is the interpreter's own (never gevent's, which looks
after each call separately) and does not block.
"""

import _socket
from typing import Any

import gevent
from gevent import getcurrent

from scenarios.errors import TransportError
from scenarios.load.http.limits import Limits
from scenarios.load.http.reading import Reader

READ_BYTES = 65_536
_READ, _WRITE = 1, 2


class ClosedUnansweredError(TransportError):
    """The server closed the connection before any byte of an answer."""

    kind = "reset"


class Link:
    """Sends bytes, waits, wakes, and knows why it failed; ``Connection`` makes exchanges of that.

    A plain class with slots: ten thousand are open at once and each request reads many fields.
    """

    __slots__ = (
        "_busy",
        "_fault",
        "_loop",
        "_receive",
        "_send",
        "_sock",
        "_switch",
        "_waiter",
        "_watcher",
        "_writer",
        "closed",
        "reader",
        "where",
    )

    def __init__(self, sock: _socket.socket, *, where: str, limits: Limits) -> None:
        self.where = where
        self.closed = False
        self.reader = Reader(limits, where)
        self._sock = sock
        self._receive = sock.recv
        self._send = sock.send
        hub = gevent.get_hub()
        self._switch = hub.switch
        self._loop = hub.loop
        self._busy = False
        self._fault: TransportError | None = None
        self._waiter: Any = None
        self._writer: Any = None
        self._watcher = self._loop.io(sock.fileno(), _READ, ref=False)
        self._watcher.start(self._readable)

    def speaks_first(self) -> bool:
        """Whether the server has sent something (or closed) although nothing was asked yet."""
        try:
            self._sock.recv(1, _socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError:
            return True
        return True

    def close(self) -> None:
        """Close; a second time is nothing."""
        if self.closed:
            return
        self.closed = True
        self._watcher.stop()
        self._watcher.close()
        if self._writer is not None:
            self._writer.stop()
            self._writer.close()
        self._sock.close()
        self.reader.drop()
        del self._watcher, self._writer, self._receive, self._send, self._switch

    def expire(self, seconds: float) -> None:
        """A deadline has passed (called by ``Deadlines`` in the hub)."""
        self._fail(TransportError(f"{self.where}: no complete answer within {seconds:g} s", kind="timeout"))

    def _readable(self) -> None:
        try:
            data = self._receive(READ_BYTES)
        except BlockingIOError:
            return
        except OSError as error:
            self._lost(error)
            return
        self._take(data)

    def _take(self, data: bytes) -> None:
        """Bytes from the server; none: it has closed."""
        raise NotImplementedError

    def _watch(self) -> None:
        if not self._watcher.active:
            self._watcher.start(self._readable)

    def _lost(self, error: OSError | None) -> None:
        says = f"{self.where}: {error or 'closed before any byte of an answer'}"
        unanswered = not self.reader.received
        self._fail(ClosedUnansweredError(says) if unanswered else TransportError(says, kind="reset"))

    def _fail(self, fault: TransportError) -> None:
        if not self._busy:
            self.close()
            return
        if self._fault is None:
            self._fault = fault
        self._watcher.stop()
        self._wake()

    def _wake(self) -> None:
        waiter = self._waiter
        if waiter is not None:
            self._waiter = None
            waiter.switch()

    def _wait(self) -> None:
        """Until something happens to the exchange; its TransportError if that is a failure."""
        if self._fault is None:
            self._waiter = getcurrent()
            self._switch()
        if self._fault is not None:
            raise self._fault

    def _transmit(self, wire: bytes) -> None:
        """Send everything, or stop when the server has answered or closed meanwhile."""
        try:
            sent = self._send(wire)
        except BlockingIOError:
            sent = 0
        except OSError:
            return  # the watcher reads what the server still said, and then why it is gone
        if sent < len(wire):
            self._transmit_rest(memoryview(wire)[sent:])

    def _transmit_rest(self, rest: memoryview) -> None:
        while rest and not self.reader.complete and self._fault is None:
            self._await_writable()
            try:
                rest = rest[self._send(rest) :]
            except BlockingIOError:
                continue
            except OSError:
                return
        if rest:
            self.reader.keep = False  # answered before it was asked in full: no further exchange

    def _await_writable(self) -> None:
        if self._writer is None:
            self._writer = self._loop.io(self._sock.fileno(), _WRITE, ref=False)
        self._waiter = getcurrent()
        self._writer.start(self._wake)
        try:
            self._switch()
        finally:
            self._waiter = None
            self._writer.stop()
