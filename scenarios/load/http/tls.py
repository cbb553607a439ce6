"""TLS for connections: verified unless a switch with an unmistakable name says otherwise.

The protocol runs over memory buffers, so the socket, its watcher and the deadlines stay the connection's own.
"""

import _socket
import errno
import ssl
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from scenarios.errors import TransportError
from scenarios.load.http.address import Address
from scenarios.load.http.connection import Connection
from scenarios.load.http.limits import Limits
from scenarios.load.http.link import READ_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """How connections are secured: TLS 1.2 at least.

    ``ca_file``: PEM authorities instead of the system's. ``server_name``: asked for and verified instead of
    the URL's host. ``certificate``: the client's own, a PEM file with its key.
    """

    ca_file: Path | None = None
    server_name: str = ""
    certificate: Path | None = None
    insecure_skip_verification: bool = False


@lru_cache(maxsize=32)
def context(tls: Tls) -> ssl.SSLContext:
    """The one context of these settings; OSError when a file of theirs cannot be read."""
    made = ssl.create_default_context(cafile=str(tls.ca_file) if tls.ca_file else None)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.set_alpn_protocols(["http/1.1"])
    if tls.certificate:
        made.load_cert_chain(str(tls.certificate))
    if tls.insecure_skip_verification:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    return made


class TlsConnection(Connection):
    """A connection whose bytes are encrypted; ``handshake`` comes first."""

    __slots__ = ("_incoming", "_outgoing", "_over", "_session", "_shaking")

    def __init__(
        self, sock: _socket.socket, *, where: str, address: Address, limits: Limits, tls: Tls, host: str
    ) -> None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        name = tls.server_name or host.partition("%")[0]
        self._session = context(tls).wrap_bio(self._incoming, self._outgoing, server_hostname=name)
        self._shaking, self._over = True, False
        super().__init__(sock, where=where, address=address, limits=limits)

    def handshake(self) -> None:
        """Agree on keys; OSError (ssl.SSLError) when certificate or protocol do not do."""
        self._busy = True
        while True:
            try:
                self._session.do_handshake()
            except ssl.SSLWantReadError:
                self._flush()
                self._wait_for_more()
            except ssl.SSLError:
                self._flush()  # the alert that says what is wrong
                raise
            else:
                self._flush()
                self._shaking = self._busy = False
                return

    def _wait_for_more(self) -> None:
        try:
            self._wait()
        except TransportError as error:
            raise ConnectionResetError(errno.ECONNRESET, str(error)) from error

    def speaks_first(self) -> bool:
        """Never known before it is decrypted; whatever arrives unasked closes the connection."""
        return self.closed

    def _flush(self) -> None:
        if self._outgoing.pending:
            super()._transmit(self._outgoing.read())

    def _transmit(self, wire: bytes) -> None:
        view = memoryview(wire)
        for start in range(0, len(wire), READ_BYTES):
            if self.reader.complete or self._fault is not None:
                self.reader.keep = False
                return
            try:
                self._session.write(view[start : start + READ_BYTES])
            except ssl.SSLError:
                return  # the watcher has read, or will, why the server is gone
            self._flush()

    def _readable(self) -> None:
        try:
            raw = self._receive(READ_BYTES)
        except BlockingIOError:
            return
        except OSError as error:
            self._lost(error)
            return
        if raw:
            self._incoming.write(raw)
        else:
            self._incoming.write_eof()
        if self._shaking:
            self._wake()
        else:
            self._decrypt(cut=not raw)

    def _decrypt(self, *, cut: bool) -> None:
        """``cut``: the connection has ended, and TLS had not said so before."""
        pieces = []
        try:
            while piece := self._session.read(READ_BYTES):
                pieces.append(piece)
            self._over = True
        except ssl.SSLWantReadError:
            pass
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            self._over = True
        except ssl.SSLError as error:
            self._fail(TransportError(f"{self.where}: TLS: {error}", kind="protocol"))
            return
        if not self._over:
            if pieces:
                self._take(b"".join(pieces))
            return
        if not self._busy:
            self.close()
            return
        waiter, self._waiter = self._waiter, None  # not woken before all is said
        if pieces:
            self._take(b"".join(pieces))
        self.reader.keep = False
        self._waiter = waiter
        if self.reader.complete:
            self._wake()
        elif cut and self.reader.received:  # an attacker could have cut it anywhere
            says = f"{self.where}: closed in the middle of an answer, without TLS's own end"
            self._fail(TransportError(says, kind="reset"))
        else:
            self._take(b"")
