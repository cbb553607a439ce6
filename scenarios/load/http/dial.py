"""Opening connections: every address of a place in turn, within one time-out, TCP and TLS."""

import _socket
import errno
import os

import gevent
from gevent.socket import wait_write

from scenarios.errors import TransportError
from scenarios.load.http.address import Address, Place
from scenarios.load.http.connection import Connection
from scenarios.load.http.limits import Limits
from scenarios.load.http.tls import Tls, TlsConnection

_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


def dial(place: Place, *, within_s: float, tls: Tls, limits: Limits) -> Connection:
    """A connection to the next address of the place that takes one; TransportError (connect) otherwise."""
    over = gevent.Timeout.start_new(max(0.001, within_s))
    try:
        return _first(place, tls, limits)
    except gevent.Timeout as error:
        if error is not over:
            raise
        says = f"{place.name}: no connection within {within_s:g} s{_hint()}"
        raise TransportError(says, kind="connect") from error
    finally:
        over.close()


def _first(place: Place, tls: Tls, limits: Limits) -> Connection:
    failures = []
    for way in place.ways():
        generation = place.generation
        try:
            connection = _open(place, way, tls, limits)
        except OSError as error:
            says = error.strerror or str(error)
            failures.append(says if str(way) == place.name else f"{way}: {says}")
            continue
        connection.generation = generation
        return connection
    raise TransportError(f"{place.name}: {'; '.join(failures)}{_hint()}", kind="connect")


def _open(place: Place, way: Address, tls: Tls, limits: Limits) -> Connection:
    sock = _socket.socket(way.family, _socket.SOCK_STREAM)
    connection: Connection | None = None
    try:
        sock.setblocking(False)
        sock.setsockopt(_socket.IPPROTO_TCP, _socket.TCP_NODELAY, 1)
        code = sock.connect_ex(way.sockaddr)
        if code == errno.EINPROGRESS:
            wait_write(sock.fileno())
            code = sock.getsockopt(_socket.SOL_SOCKET, _socket.SO_ERROR)
        _raise_for(code)
        if not place.tls:
            return Connection(sock, where=place.name, address=way, limits=limits)
        secured = connection = TlsConnection(
            sock, where=place.name, address=way, limits=limits, tls=tls, host=place.host
        )
        secured.handshake()
    except BaseException:
        if connection is not None:
            connection.close()
        sock.close()
        raise
    return secured


def _raise_for(code: int) -> None:
    if code:
        raise OSError(code, os.strerror(code))


def _hint() -> str:
    """A word for those whose network has no other way out."""
    found = [name for name in _PROXIES if os.environ.get(name)]
    return f" ({found[0]} is set, but proxies are never used: they would be measured too)" if found else ""
