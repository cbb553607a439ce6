"""One session's HTTP/1.1 connections on gevent: keep-alive, deadlines, an allow-list, no surprises.

The parser is geventhttpclient's (llhttp). Its client is not used because it repeats requests on its own,
which would hide exactly the resets that a fault causes. ``Session`` is the seam: whatever has ``send`` can
take its place.
"""

import errno
import select
import socket as plain
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import SplitResult, urlsplit

import gevent
from gevent import monkey, socket
from gevent import ssl as gevent_ssl
from geventhttpclient._parser import HTTPParseError
from geventhttpclient.response import HTTPResponse

from scenarios.errors import TransportError
from scenarios.load.answer import AllowList, Answer
from scenarios.load.operation import SAFE_METHODS

_poll = monkey.get_original("select", "poll")  # asks once and never waits, so gevent need not know
_CLOSED = select.POLLHUP | select.POLLERR | getattr(select, "POLLRDHUP", 0)

READ_BYTES = 65_536
IDLE_S = 0.5
_GONE = frozenset({errno.ECONNRESET, errno.EPIPE, errno.ECONNABORTED, errno.ENOTCONN})


class _ClosedUnansweredError(TransportError):
    """The server closed the connection before any byte of an answer."""

    kind = "reset"


class _Parser(HTTPResponse):
    @property
    def body(self) -> bytes:
        return bytes(self._body_buffer)

    @property
    def done(self) -> bool:
        """A final answer is complete: interim ones (1xx) are followed by another."""
        return bool(self.message_complete) and self.get_code() >= 200


@dataclass(slots=True)
class _Connection:
    sock: Any
    used: float = 0.0


@dataclass(slots=True)
class Session:
    """The connections of one user, one per origin.

    ``timeout_s`` bounds connecting, each wait for bytes, and the whole exchange. Redirects are answers like
    any other. ``retries`` counts requests that were sent again: only safe ones, only on a kept connection
    that was idle and then closed without a byte of an answer, which is a server's right (RFC 9112, section
    9.3.1).
    """

    allow: AllowList
    timeout_s: float = 10.0
    retries: int = 0
    _open: dict[tuple[str, str, int], _Connection] = field(default_factory=dict)

    def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """One request, one complete answer; TransportError, or ContentError for a forbidden host."""
        parts = urlsplit(url)
        self.allow.check(parts)
        origin = (
            parts.scheme,
            parts.hostname or "",
            parts.port or (443 if parts.scheme == "https" else 80),
        )
        request = _head(method, parts, headers, body) + body
        deadline = time.monotonic() + self.timeout_s
        connection = self._reuse(origin)
        idle = connection is not None and time.monotonic() - connection.used >= IDLE_S
        connection = connection or self._connect(origin, deadline)
        try:
            return self._exchange(origin, connection, method, request, deadline)
        except _ClosedUnansweredError:
            if not (idle and method in SAFE_METHODS):
                raise
        self.retries += 1
        return self._exchange(origin, self._connect(origin, deadline), method, request, deadline)

    def take_retries(self) -> int:
        """Retries since the last call."""
        retries, self.retries = self.retries, 0
        return retries

    def close(self) -> None:
        """Close every connection."""
        for connection in self._open.values():
            connection.sock.close()
        self._open.clear()

    def _reuse(self, origin: tuple[str, str, int]) -> _Connection | None:
        """The kept connection, unless the server has closed it or talks out of turn."""
        connection = self._open.pop(origin, None)
        if connection is None or not _is_quiet(connection.sock):
            if connection is not None:
                connection.sock.close()
            return None
        return connection

    def _connect(self, origin: tuple[str, str, int], deadline: float) -> _Connection:
        scheme, host, port = origin
        sock = None
        try:
            with gevent.Timeout(max(0.001, deadline - time.monotonic())):
                sock = socket.create_connection((host, port))
                sock.setsockopt(plain.IPPROTO_TCP, plain.TCP_NODELAY, 1)
                if scheme == "https":
                    sock = _tls().wrap_socket(sock, server_hostname=host)
        except gevent.Timeout as error:
            raise TransportError(
                f"{host}:{port}: no connection within {self.timeout_s:g} s", kind="connect"
            ) from error
        except OSError as error:
            if sock is not None:
                sock.close()
            raise TransportError(f"{host}:{port}: {error}", kind="connect") from error
        return _Connection(sock=sock)

    def _exchange(
        self,
        origin: tuple[str, str, int],
        connection: _Connection,
        method: str,
        request: bytes,
        deadline: float,
    ) -> Answer:
        parser, keep = _Parser(method=method), False
        where = f"{origin[1]}:{origin[2]}"
        try:
            _write(connection.sock, request, deadline)
            _read(connection.sock, parser, deadline)
            keep = not parser.should_close()
        except TimeoutError as error:
            raise TransportError(
                f"{where}: no complete answer within {self.timeout_s:g} s", kind="timeout"
            ) from error
        except HTTPParseError as error:
            raise TransportError(f"{where}: not HTTP: {error}", kind="protocol") from error
        except OSError as error:
            if error.errno in _GONE and not parser.message_begun:
                raise _ClosedUnansweredError(f"{where}: {error}") from error
            raise TransportError(f"{where}: {error}", kind="reset") from error
        finally:
            if not keep:
                connection.sock.close()
        connection.used = time.monotonic()
        self._open[origin] = connection
        headers = {name.lower(): value for name, value in parser.headers}
        return Answer(status=parser.get_code(), headers=headers, body=parser.body)


def _head(method: str, url: SplitResult, headers: Mapping[str, str], body: bytes) -> bytes:
    target = (url.path or "/") + (f"?{url.query}" if url.query else "")
    lines = [f"{method} {target} HTTP/1.1", f"Host: {url.netloc.rpartition('@')[2]}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if body or method not in SAFE_METHODS:
        lines.append(f"Content-Length: {len(body)}")
    if any("\r" in line or "\n" in line for line in lines):
        raise ValueError(f"a line break in the request line or a header of {method} {target!r}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def _write(sock: Any, request: bytes, deadline: float) -> None:
    sock.settimeout(max(0.001, deadline - time.monotonic()))
    sock.sendall(request)


def _read(sock: Any, parser: _Parser, deadline: float) -> None:
    """Feed the parser until a final answer is complete.

    OSError (ECONNRESET) when the peer closes too early, TimeoutError at the deadline, HTTPParseError for
    garbage.
    """
    while not parser.done:
        sock.settimeout(max(0.001, deadline - time.monotonic()))
        chunk = sock.recv(READ_BYTES)
        if chunk:
            parser.feed(chunk)
        elif not parser.message_begun:
            raise ConnectionResetError(errno.ECONNRESET, "closed before any byte of an answer")
        else:
            _end(parser)


def _end(parser: _Parser) -> None:
    """The peer has closed: the end of an answer without a length, an accident for any other."""
    try:
        parser.feed(b"")
    except HTTPParseError as error:
        raise ConnectionAbortedError(errno.ECONNABORTED, "closed in the middle of an answer") from error
    if not parser.done:
        raise ConnectionAbortedError(errno.ECONNABORTED, "closed in the middle of an answer")


def _is_quiet(sock: Any) -> bool:
    """Whether a kept connection is open and has nothing to say (over TLS, tickets may wait to be read)."""
    poll = _poll()
    poll.register(sock.fileno(), select.POLLIN | _CLOSED)
    found = poll.poll(0)
    if not found:
        return True
    return isinstance(sock, gevent_ssl.SSLSocket) and not found[0][1] & _CLOSED


@cache
def _tls() -> ssl.SSLContext:
    context: ssl.SSLContext = gevent_ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context
