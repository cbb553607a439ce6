"""Where connections go: names are looked up again during a run, new connections spread over what is found.

A ``Place`` is one scheme, host and port, shared by all sessions of the process. Literal addresses are never
looked up. A name's record is kept for ``ttl_s``; the first request after that has it looked up again in the
background (gevent's resolver works in threads, the hub never blocks) while the old record serves. A failed
look-up leaves the last record standing for another ``ttl_s``: a resolver's hiccup is not the system's.
"""

import ipaddress
import itertools
import math
import statistics
import time
from typing import Any, NamedTuple

import gevent
from gevent import socket
from gevent.lock import BoundedSemaphore

from scenarios.errors import TransportError

TTL_S = 5.0
STALE = 3  # records older than so many TTLs are not used before they were looked up again


class Address(NamedTuple):
    """One way to a host, as the socket module takes it."""

    family: int
    sockaddr: Any

    def __str__(self) -> str:
        host, port = self.sockaddr[:2]
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


class Place:
    """A scheme, host and port with its addresses. ``generation`` changes whenever the record changes."""

    __slots__ = (
        "_lock", "_ttl_s", "_turn", "addresses", "expires", "generation", "host", "name", "port", "tls"
    )  # fmt: skip

    def __init__(self, scheme: str, host: str, port: int, ttl_s: float) -> None:
        self.host = host
        self.port = port
        self.tls = scheme in ("https", "wss")
        self.name = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        self.generation = 0
        self._ttl_s = ttl_s
        self._turn = itertools.count()
        self._lock = BoundedSemaphore(1)
        literal = _literal(host, port)
        self.addresses: tuple[Address, ...] = (literal,) if literal else ()
        self.expires = math.inf if literal else 0.0

    def ways(self) -> list[Address]:
        """Every address, beginning with the next one in turn; TransportError (connect) if there is none."""
        now = time.monotonic()
        if not self.addresses or now > self.expires + (STALE - 1) * self._ttl_s:
            self._look_up()
        elif now >= self.expires:
            self.refresh()
        addresses = self.addresses
        start = next(self._turn) % len(addresses)
        return [*addresses[start:], *addresses[:start]]

    def refresh(self) -> None:
        """Look the name up again in the background; returns at once."""
        if not self._lock.locked():
            self.expires = time.monotonic() + self._ttl_s
            gevent.spawn(self._look_up, quietly=True)

    def _look_up(self, *, quietly: bool = False) -> None:
        before = self.addresses, self.expires
        with self._lock:
            if not quietly and (self.addresses, self.expires) != before:
                return  # somebody else has just done it
            try:
                found = socket.getaddrinfo(self.host, self.port, 0, socket.SOCK_STREAM)
            except OSError as error:
                if quietly:
                    return
                raise TransportError(
                    f"{self.name}: the name does not resolve: {error}", kind="connect"
                ) from error
            self.expires = time.monotonic() + self._ttl_s
            addresses = tuple(dict.fromkeys(Address(family, sockaddr) for family, *_, sockaddr in found))
            if set(addresses) != set(self.addresses):
                self.addresses = addresses
                self.generation += 1


class Directory:
    """The places of one process. ``ttl_s``: how long a name's record is believed."""

    def __init__(self, ttl_s: float = TTL_S) -> None:
        self.ttl_s = ttl_s
        self._places: dict[tuple[str, str, int], Place] = {}

    def place(self, scheme: str, host: str, port: int | None) -> Place:
        """The one place of this scheme, host and port (the scheme's own without one)."""
        key = (scheme, host, port or (443 if scheme in ("https", "wss") else 80))
        found = self._places.get(key)
        if found is None:
            found = self._places[key] = Place(*key, self.ttl_s)
        return found


SHARED = Directory()


def round_trip(host: str, port: int, *, times: int = 5, timeout_s: float = 2.0) -> float:
    """Seconds to open a TCP connection: the median of a few, the network's floor under every latency.

    The name is looked up before the clock starts. TransportError (connect) when none can be opened.
    """
    place = SHARED.place("tcp", host, port)
    measured = []
    for _ in range(times):
        family, sockaddr = place.ways()[0]
        with socket.socket(family, socket.SOCK_STREAM) as sock:
            sock.settimeout(timeout_s)
            begun = time.perf_counter()
            try:
                sock.connect(sockaddr)
            except OSError as error:
                raise TransportError(f"{place.name}: {error}", kind="connect") from error
            measured.append(time.perf_counter() - begun)
    return statistics.median(measured)


def _literal(host: str, port: int) -> Address | None:
    bare, _, zone = host.partition("%")
    try:
        version = ipaddress.ip_address(bare).version
    except ValueError:
        return None
    if version == 4:
        return Address(socket.AF_INET, (host, port))
    scope = (socket.if_nametoindex(zone) if not zone.isdigit() else int(zone)) if zone else 0
    return Address(socket.AF_INET6, (bare, port, 0, scope))
