"""One user's HTTP/1.1: connections that are kept, deadlines, an allow-list, no surprises.

Redirects are answers like any other unless asked for, and nothing is repeated except what a server's right to
close an idle connection makes necessary (RFC 9112, 9.3.1): repeating more would hide exactly the resets that
a fault causes. Proxies are never used; see ``dial`` for those the environment names.
"""

from collections.abc import Mapping
from time import monotonic

from scenarios.errors import TransportError
from scenarios.load.answer import AllowList, Answer
from scenarios.load.http import dial, head
from scenarios.load.http.address import SHARED, Directory, Place
from scenarios.load.http.connection import ClosedUnansweredError, Connection
from scenarios.load.http.deadlines import Deadline, Once, deadlines
from scenarios.load.http.head import Prepared
from scenarios.load.http.limits import Limits, Timeouts
from scenarios.load.http.tls import Tls

IDLE_S = 0.5
_LIMITS, _TLS = Limits(), Tls()


class Session:
    """The connections of one user, kept for each place. ``timeout_s`` is all three time-outs at once.

    ``retries`` counts requests that were sent again: only safe ones, only on a kept connection that was idle
    for half a second and then closed without a byte of an answer. A plain class with slots: there are ten
    thousand, and each request reads many fields.
    """

    __slots__ = (
        "_allow",
        "_directory",
        "_idle",
        "_limits",
        "_read",
        "_timeouts",
        "_tls",
        "_total",
        "retries",
    )

    def __init__(
        self,
        allow: AllowList,
        timeout_s: float = 10.0,
        *,
        timeouts: Timeouts | None = None,
        tls: Tls | None = None,
        limits: Limits | None = None,
        directory: Directory | None = None,
    ) -> None:
        self._allow = allow
        self._timeouts = timeouts or _timeouts(timeout_s)
        self._tls = tls or _TLS
        self._limits = limits or _LIMITS
        self._directory = directory or SHARED
        self._idle: dict[Place, list[Connection]] = {}
        self._total: Deadline = deadlines(self._timeouts.total_s)
        self._read: Deadline | None = None
        if self._timeouts.read_s < self._timeouts.total_s:
            self._read = deadlines(self._timeouts.read_s)
        self.retries = 0

    def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """One request, one complete answer; TransportError, or ContentError for a forbidden host."""
        return self.perform(self.prepare(method, url, headers, body))

    def prepare(self, method: str, url: str, headers: Mapping[str, str], body: bytes = b"") -> Prepared:
        """Check and encode once; ContentError for a forbidden host, ValueError for a bad request."""
        parts = head.split(url)
        self._allow.check(parts)
        place = self._directory.place(parts.scheme, parts.hostname or "", parts.port)
        return Prepared(method=method, parts=parts, headers=headers, body=body, place=place)

    def perform(self, prepared: Prepared) -> Answer:
        """One exchange; TransportError unless the answer is complete."""
        now = monotonic()
        place = prepared.place
        connection = self._kept(place, now)
        if connection is None:
            return self._anew(prepared, now)
        idle_since = connection.idle_since
        try:
            answer = connection.exchange(
                prepared.wire, bodiless=prepared.bodiless, now=now, total=self._total, read=self._read
            )
        except ClosedUnansweredError:
            if not prepared.safe or now - idle_since < IDLE_S:
                raise
            self.retries += 1
            return self._anew(prepared, now)
        if not connection.closed:
            self._keep(place, connection)
        return answer

    def _anew(self, prepared: Prepared, begun: float) -> Answer:
        """One exchange on a new connection."""
        connection = self._connect(prepared.place)
        answer = connection.exchange(
            prepared.wire,
            bodiless=prepared.bodiless,
            now=begun,
            total=Once(self._timeouts.total_s),
            read=self._read,
        )
        if not connection.closed:
            self._keep(prepared.place, connection)
        return answer

    def open(self, url: str) -> None:
        """Connect now, if no connection to that place is kept; TransportError (connect) otherwise."""
        place = self.prepare("GET", url, {}).place
        connection = self._kept(place, monotonic()) or self._connect(place)
        connection.idle_since = monotonic()
        self._keep(place, connection)

    def take_retries(self) -> int:
        """Retries since the last call."""
        retries, self.retries = self.retries, 0
        return retries

    def close(self) -> None:
        """Close every connection."""
        for connections in self._idle.values():
            for connection in connections:
                connection.close()
        self._idle.clear()

    def _kept(self, place: Place, now: float) -> Connection | None:
        """A kept connection that the server has not closed and that leads to where the name still points."""
        if now >= place.expires:
            place.refresh()
        connections = self._idle.get(place)
        while connections:
            connection = connections.pop()
            if connection.generation != place.generation:
                if connection.address not in place.addresses:
                    connection.close()
                connection.generation = place.generation
            if not connection.closed:
                return connection
        return None

    def _keep(self, place: Place, connection: Connection) -> None:
        connections = self._idle.get(place)
        if connections is None:
            self._idle[place] = [connection]
        elif len(connections) < self._limits.connections:
            connections.append(connection)
        else:
            connection.close()

    def _connect(self, place: Place) -> Connection:
        within_s = min(self._timeouts.connect_s, self._timeouts.total_s)
        connection = dial.dial(place, within_s=within_s, tls=self._tls, limits=self._limits)
        if connection.speaks_first():
            connection.close()
            raise TransportError(f"{place.name}: the server talks before it is asked", kind="protocol")
        return connection


def _timeouts(seconds: float) -> Timeouts:
    return Timeouts(connect_s=seconds, read_s=seconds, total_s=seconds)
