"""One user's HTTP/1.1: connections that are kept, deadlines, an allow-list, no surprises.

Redirects are answers like any other unless asked for, and nothing is repeated except what a server's right to
close an idle connection makes necessary (RFC 9112, 9.3.1): repeating more would hide exactly the resets that
a fault causes. Proxies are never used: a load test through one measures it. Asking for one is an error, and
those the environment names are ignored, which the message of a failed connection says.
"""

from collections.abc import Mapping
from time import monotonic

from scenarios.errors import ProxyError, TransportError
from scenarios.load.answer import AllowList, Answer
from scenarios.load.http import coding, dial, head
from scenarios.load.http.address import SHARED, Directory, Place
from scenarios.load.http.connection import Connection
from scenarios.load.http.cookies import Jar
from scenarios.load.http.deadlines import Deadline, Once, deadlines
from scenarios.load.http.head import Body, Prepared
from scenarios.load.http.limits import Limits, Timeouts
from scenarios.load.http.link import ClosedUnansweredError
from scenarios.load.http.redirects import follow
from scenarios.load.http.streaming import Stream
from scenarios.load.http.tally import Tally
from scenarios.load.http.tls import Tls

IDLE_S = 0.5
_LIMITS, _TLS = Limits(), Tls()


class Session:
    """The connections and cookies of one user. ``timeout_s`` is all three time-outs at once.

    ``retries`` counts requests that were sent again: only safe ones, only on a kept connection that was idle
    for half a second and then closed without a byte of an answer. A plain class with slots: there are ten
    thousand, and each request reads many fields.
    """

    __slots__ = (
        "_allow",
        "_directory",
        "_idle",
        "_jar",
        "_limits",
        "_open",
        "_read",
        "_tally",
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
        proxy: str | None = None,
        tally: Tally | None = None,
    ) -> None:
        if proxy:
            raise ProxyError(
                f"the proxy {proxy} is not used: it would be measured with the system; leave it out"
            )
        self._allow = allow
        self._timeouts = timeouts or _timeouts(timeout_s)
        self._tls = tls or _TLS
        self._limits = limits or _LIMITS
        self._directory = directory or SHARED
        self._idle: dict[Place, list[Connection]] = {}
        self._jar: Jar | None = None
        self._total: Deadline = deadlines(self._timeouts.total_s)
        self._read: Deadline | None = None
        if self._timeouts.read_s < self._timeouts.total_s:
            self._read = deadlines(self._timeouts.read_s)
        self.retries = 0
        self._open = 0
        self._tally = tally

    @property
    def cookies(self) -> Jar:
        """What the servers have set, to be sent with every request that brings no cookies of its own."""
        if self._jar is None:
            self._jar = Jar()
        return self._jar

    def send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: Body = b"",
        *,
        redirects: int = 0,
        timeout_s: float | None = None,
    ) -> Answer:
        """One request, one complete answer; TransportError, or ContentError for a forbidden host.

        ``redirects``: so many are followed. ``timeout_s`` instead of the session's total.
        """
        prepared = self.prepare(method, url, headers, body)
        if redirects:
            return follow(self, prepared, cap=redirects, timeout_s=timeout_s)
        return self.perform(prepared, timeout_s=timeout_s)

    def prepare(self, method: str, url: str, headers: Mapping[str, str], body: Body = b"") -> Prepared:
        """Check and encode once; ContentError for a forbidden host, ValueError for a bad request."""
        parts = head.split(url)
        self._allow.check(parts)
        place = self._directory.place(parts.scheme, parts.hostname or "", parts.port)
        return Prepared(method=method, parts=parts, headers=headers, body=body, place=place)

    def perform(self, prepared: Prepared, *, timeout_s: float | None = None) -> Answer:
        """One exchange; TransportError unless the answer is complete."""
        now = monotonic()
        connection = self._kept(prepared.place, now)
        if connection is None:
            return self._anew(prepared, now, timeout_s)
        idle_since = connection.idle_since
        try:
            return self._exchange(prepared, connection, now, timeout_s)
        except ClosedUnansweredError:
            if not prepared.safe or now - idle_since < IDLE_S:
                raise
        self.retries += 1
        return self._anew(prepared, now, timeout_s)

    def stream(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: Body = b"",
        *,
        timeout_s: float | None = None,
    ) -> Stream:
        """A request whose answer is read piece by piece, in a ``with`` block; never repeated."""
        prepared = self.prepare(method, url, headers, body)
        now = monotonic()
        connection = self._kept(prepared.place, now) or self._connect(prepared.place, timeout_s)
        total = Once(timeout_s or self._timeouts.total_s)
        pieces = connection.converse(prepared, self._wire(prepared), now, total)
        stream = Stream(pieces, connection, done=lambda: self._keep(prepared.place, connection))
        self._store_cookies(prepared, stream.answer)
        return stream

    def open(self, url: str) -> None:
        """Connect now, if no connection to that place is kept; TransportError (connect) otherwise."""
        place = self.prepare("GET", url, {}).place
        connection = self._kept(place, monotonic()) or self._connect(place, None)
        connection.idle_since = monotonic()
        self._keep(place, connection)

    @property
    def connected(self) -> bool:
        """Whether a connection is open and at rest; one in the middle of an exchange is not kept."""
        return any(not each.closed for kept in self._idle.values() for each in kept)

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

    def _anew(self, prepared: Prepared, begun: float, timeout_s: float | None) -> Answer:
        """On a new connection, whose making has used up some of the time."""
        connection = self._connect(prepared.place, timeout_s)
        return self._exchange(prepared, connection, begun, timeout_s or self._timeouts.total_s)

    def _exchange(
        self, prepared: Prepared, connection: Connection, begun: float, timeout_s: float | None
    ) -> Answer:
        """``timeout_s`` None: as long as all others that begin now."""
        total = self._total if timeout_s is None else Once(timeout_s)
        wire = prepared.wire if self._jar is None else self._wire(prepared)
        answer = connection.exchange(prepared, wire, begun, total, self._read)
        if not connection.closed:
            self._keep(prepared.place, connection)
        if connection.reader.noted:
            self._attend(prepared, answer)
        return answer

    def _attend(self, prepared: Prepared, answer: Answer) -> None:
        """Keep the answer's cookies and take its content coding off."""
        self._store_cookies(prepared, answer)
        try:
            encoding = answer.headers.get("content-encoding", "")
            answer.body = coding.decode(answer.body, encoding, self._limits.body_bytes)
        except coding.CodingError as error:
            raise TransportError(f"{prepared.place.name}: {error}", kind="protocol") from error

    def _store_cookies(self, prepared: Prepared, answer: Answer) -> None:
        for name, value in answer.fields:
            if name == "set-cookie":
                self.cookies.store(value, host=prepared.place.host, path=prepared.parts.path or "/")

    def _wire(self, prepared: Prepared) -> bytes:
        if self._jar is None or not prepared.takes_cookies:
            return prepared.wire
        place = prepared.place
        cookies = self._jar.header(place.host, prepared.parts.path or "/", secure=place.tls)
        return prepared.with_cookies(cookies) if cookies else prepared.wire

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

    def _connect(self, place: Place, timeout_s: float | None) -> Connection:
        within_s = min(self._timeouts.connect_s, timeout_s or self._timeouts.total_s)
        connection = dial.dial(place, within_s=within_s, tls=self._tls, limits=self._limits)
        if connection.speaks_first():
            connection.close()
            raise TransportError(f"{place.name}: the server talks before it is asked", kind="protocol")
        if self._tally is not None:
            self._tally.open += not self._open
            self._open += 1
            connection.when_closed = self._one_less
        return connection

    def _one_less(self) -> None:
        assert self._tally is not None, "connections tell only where somebody counts"
        self._open -= 1
        self._tally.open -= not self._open


def _timeouts(seconds: float) -> Timeouts:
    return Timeouts(connect_s=seconds, read_s=seconds, total_s=seconds)
