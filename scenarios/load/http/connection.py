"""One kept connection: one exchange at a time, whole or piece by piece."""

import _socket
from collections.abc import Callable, Generator
from time import monotonic

from scenarios.errors import TransportError
from scenarios.load.answer import Answer
from scenarios.load.http.address import Address
from scenarios.load.http.deadlines import Deadline
from scenarios.load.http.head import Prepared, Upload
from scenarios.load.http.limits import Limits
from scenarios.load.http.link import Link


class Connection(Link):
    """``exchange`` and ``converse``; ``idle_since`` and ``generation`` are the session's notes.

    ``when_closed`` is called once, in the hub or in a greenlet, and must not wait.
    """

    __slots__ = ("_read", "_streaming", "address", "generation", "idle_since", "when_closed")

    def __init__(self, sock: _socket.socket, *, where: str, address: Address, limits: Limits) -> None:
        self.address = address
        self.generation = 0
        self.idle_since = 0.0
        self.when_closed: Callable[[], None] | None = None
        self._streaming = False
        self._read: Deadline | None = None
        super().__init__(sock, where=where, limits=limits)

    def close(self) -> None:
        """Close; a second time is nothing."""
        if self.closed:
            return
        super().close()
        if self.when_closed is not None:
            self.when_closed()

    def exchange(
        self, prepared: Prepared, wire: bytes, now: float, total: Deadline, read: Deadline | None
    ) -> Answer:
        """Send ``wire`` and wait for the complete answer; TransportError otherwise.

        Afterwards the connection is closed already or may be kept.
        """
        reader = self.reader
        reader.begin(bodiless=prepared.bodiless)
        self._busy = True
        total.begin(self, now)
        self._read = read
        if read is not None:
            read.begin(self, now)
        try:
            self._transmit(wire)
            if prepared.upload is not None:
                self._transmit_upload(prepared.upload)
                self._watch()
            while not reader.complete:
                self._wait()
        except BaseException:
            self.close()
            raise
        finally:
            self._busy = False
            total.end(self)
            if read is not None:
                read.end(self)
        self.idle_since = done = monotonic()
        if not reader.keep:
            self.close()
        return reader.answer(done - now)

    def converse(
        self, prepared: Prepared, wire: bytes, now: float, total: Deadline
    ) -> Generator[bytes, None, None]:
        """Like ``exchange``, piece by piece: first the raw head, then whatever of the body has come.

        The socket is not read while nobody asks for the next piece.
        """
        reader = self.reader
        reader.begin(bodiless=prepared.bodiless, unbounded=True)
        self._busy = self._streaming = True
        total.begin(self, now)
        try:
            self._transmit(wire)
            if prepared.upload is not None:
                self._transmit_upload(prepared.upload)
            while not reader.status:
                self._wait()
            yield reader.head
            while True:
                if pieces := reader.take():
                    yield pieces
                if reader.complete:
                    break
                self._watch()
                self._wait()
        except BaseException:
            self.close()
            raise
        finally:
            self._busy = self._streaming = False
            total.end(self)
        self.idle_since = monotonic()
        self._watch()
        if not reader.keep:
            self.close()

    def _take(self, data: bytes) -> None:
        """Bytes from the server; none: it has closed."""
        if not self._busy:  # nothing was asked
            self.close()
            return
        try:
            if data:
                over = self.reader.feed(data)
            elif self.reader.received:
                over = self.reader.finish()
            else:
                self._lost(None)
                return
        except TransportError as error:
            self._fail(error)
            return
        if over or self._streaming:
            waiter = self._waiter
            if waiter is not None:
                self._waiter = None
                waiter.switch()
            else:
                self._watcher.stop()  # until somebody waits again
        elif self._read is not None:
            self._read.end(self)
            self._read.begin(self, monotonic())

    def _transmit_upload(self, upload: Upload) -> None:
        sent = 0
        for piece in upload.chunks():
            if self.reader.complete or self._fault is not None:
                self.reader.keep = False
                return
            sent += len(piece)
            if upload.length is not None:
                self._transmit(piece)
            elif piece:
                self._transmit(b"%x\r\n%b\r\n" % (len(piece), piece))
        if upload.length is None:
            self._transmit(b"0\r\n\r\n")
        elif sent != upload.length:
            raise ValueError(f"the body of {upload.length} bytes turned out to have {sent}")
