"""One WebSocket connection on gevent: the ``websockets`` library speaks the protocol, this moves the bytes.

One greenlet may ``receive`` while others ``send``. Deadlines are gevent timeouts round the waiting calls, not
the socket's own timeout, which reader and writers would have to share.
"""

import socket as plain
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal
from urllib.parse import urlsplit

import gevent
from gevent import socket
from gevent import ssl as gevent_ssl
from gevent.lock import BoundedSemaphore
from websockets.client import ClientProtocol
from websockets.exceptions import InvalidHandshake, InvalidStatus, InvalidURI, PayloadTooBig
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory
from websockets.frames import CloseCode, Frame, Opcode
from websockets.http11 import Response
from websockets.protocol import State
from websockets.typing import Origin, Subprotocol
from websockets.uri import WebSocketURI, parse_uri

from scenarios.errors import ContentError, StatusError, TransportError
from scenarios.load.answer import AllowList
from scenarios.load.http.address import SHARED, Address
from scenarios.load.http.tls import Tls

READ_BYTES = 65_536
_CLASSES = {4: "http_4xx", 5: "http_5xx"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where to and how: times in seconds, sizes in bytes of one incoming message.

    ``answer_s`` bounds the wait for the handshake's answer and each blocked write. ``fragments`` bounds the
    pieces of a message, also of empty ones.
    """

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    origin: str = ""
    subprotocols: tuple[str, ...] = ()
    compress: bool = False
    connect_s: float = 10.0
    answer_s: float = 10.0
    message_bytes: int = 1 << 20
    fragments: int = 4096
    tls: Tls = Tls()  # noqa: RUF009 - frozen


@dataclass(frozen=True, slots=True)
class Message:
    """A complete message, or the payload of a pong; ``at`` is the monotonic moment its last byte was read."""

    data: str | bytes
    at: float
    kind: Literal["message", "pong"] = "message"


class Wire:
    """An open connection; TransportError from any method says that it is of no more use."""

    def __init__(self, sock: Any, protocol: ClientProtocol, target: Target) -> None:
        self._sock, self._protocol, self._target = sock, protocol, target
        self._where = _where(protocol.uri)
        self._writing = BoundedSemaphore(1)
        self._parts: list[bytes] = []
        self._text = False
        self._early: list[Message] = []
        self._broken: TransportError | None = None

    @property
    def subprotocol(self) -> str:
        """What the server chose; empty when it chose none."""
        return self._protocol.subprotocol or ""

    def send(self, data: str | bytes) -> None:
        """Send one message, text or binary by its type."""
        if self._protocol.state is not State.OPEN:
            raise self._failure()
        if isinstance(data, str):
            self._protocol.send_text(data.encode())
        else:
            self._protocol.send_binary(data)
        self._flush()

    def ping(self, payload: bytes) -> None:
        """Send a ping, 125 bytes at most; its pong comes from ``receive``."""
        if self._protocol.state is not State.OPEN:
            raise self._failure()
        self._protocol.send_ping(payload)
        self._flush()

    def receive(self, within_s: float | None) -> list[Message] | None:
        """What has come, perhaps nothing complete yet; None when nothing at all came ``within_s``.

        Pings are answered and a close is returned on the way.
        """
        if self._early:
            early, self._early = self._early, []
            return early
        if self._over:
            raise self._failure()
        data = self._read(within_s)
        if data is None:
            return None
        at = time.monotonic()
        if data:
            self._protocol.receive_data(data)
        else:
            self._protocol.receive_eof()
        messages = self._messages(self._protocol.events_received(), at)
        try:
            self._flush()
        except TransportError as error:
            self._broken = self._broken or error  # what was received comes first
        if not messages and self._over:
            raise self._failure()
        return messages

    def shake(self, headers: Mapping[str, str]) -> None:
        """The opening handshake; StatusError for an HTTP answer that is no upgrade."""
        request = self._protocol.connect()
        for name, value in headers.items():
            if any(character in name + value for character in "\r\n"):
                raise ValueError(f"a line break in the header {name!r}")
            if name in request.headers:
                del request.headers[name]
            request.headers[name] = value
        self._protocol.send_request(request)
        self._flush()
        deadline = time.monotonic() + self._target.answer_s
        while True:
            data = self._read(max(0.001, deadline - time.monotonic()))
            if data is None:
                raise TransportError(
                    f"{self._where}: no answer to the handshake within {self._target.answer_s:g} s",
                    kind="timeout",
                )
            self._protocol.receive_data(data) if data else self._protocol.receive_eof()
            events = self._protocol.events_received()
            if self._protocol.handshake_exc is not None:
                raise _refused(self._protocol.handshake_exc, self._where)
            if events:
                self._early = self._messages(events, time.monotonic())
                return
            if not data:
                raise TransportError(f"{self._where}: closed during the handshake", kind="reset")

    def say_goodbye(self, code: int = CloseCode.NORMAL_CLOSURE, reason: str = "") -> None:
        """Begin the closing handshake; whoever receives gets what still comes, then the end."""
        if self._protocol.state is State.OPEN:
            self._protocol.send_close(code, reason)
            self._flush()

    def drop(self) -> None:
        """Close the socket at once."""
        self._sock.close()

    @property
    def _over(self) -> bool:
        protocol = self._protocol
        ended = self._broken or protocol.close_rcvd or protocol.parser_exc
        return bool(ended) or protocol.state is State.CLOSED

    def _read(self, within_s: float | None) -> bytes | None:
        """Bytes, none at the end of the stream, None for silence."""
        with gevent.Timeout(within_s, False):
            try:
                data: bytes = self._sock.recv(READ_BYTES)
            except OSError as error:
                raise TransportError(f"{self._where}: {error}", kind="reset") from error
            return data
        return None

    def _flush(self) -> None:
        """Write what the protocol has to say; several greenlets may, one after the other."""
        if not self._protocol.writes:
            return
        try:
            with gevent.Timeout(self._target.answer_s, TimeoutError("a write was blocked")), self._writing:
                for data in self._protocol.data_to_send():
                    if data:
                        self._sock.sendall(data)
        except TimeoutError as error:
            self.drop()  # a part may have left: nothing else can follow it
            raise TransportError(
                f"{self._where}: nothing taken within {self._target.answer_s:g} s", kind="timeout"
            ) from error
        except OSError as error:
            raise TransportError(f"{self._where}: {error}", kind="reset") from error

    def _messages(self, events: list[Any], at: float) -> list[Message]:
        found = []
        for event in events:
            if not isinstance(event, Frame) or self._broken:
                continue
            if event.opcode is Opcode.PONG:
                found.append(Message(bytes(event.data), at, "pong"))
            elif event.opcode in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
                message = self._piece(event, at)
                found += [message] if message else []
        return found

    def _piece(self, frame: Frame, at: float) -> Message | None:
        """Put a frame to the others of its message; the message when it is the last one."""
        if frame.opcode is not Opcode.CONT:
            self._text, self._parts = frame.opcode is Opcode.TEXT, []
        self._parts.append(bytes(frame.data))
        if len(self._parts) > self._target.fragments:
            self._give_up(CloseCode.MESSAGE_TOO_BIG, f"a message in over {self._target.fragments} pieces")
            return None
        if not frame.fin:
            return None
        data, self._parts = b"".join(self._parts), []
        try:
            return Message(data.decode() if self._text else data, at)
        except UnicodeDecodeError as error:
            self._give_up(CloseCode.INVALID_DATA, f"a text message that is not UTF-8: {error.reason}")
            return None

    def _give_up(self, code: int, reason: str) -> None:
        """Nothing after this can be understood; what came before it still counts."""
        self._protocol.fail(code, reason)
        self._broken = TransportError(f"{self._where}: {reason}", kind="protocol")

    def _failure(self) -> TransportError:
        """Why the connection is over."""
        error, goodbye = self._protocol.parser_exc, self._protocol.close_rcvd
        if self._broken is not None:
            return self._broken
        if isinstance(error, PayloadTooBig):
            return TransportError(
                f"{self._where}: a message over the limit of {self._target.message_bytes} bytes: {error}",
                kind="protocol",
            )
        if isinstance(error, EOFError):
            return TransportError(f"{self._where}: closed without a closing handshake", kind="reset")
        if error is not None:
            return TransportError(f"{self._where}: not WebSocket: {error}", kind="protocol")
        if goodbye is not None:
            return TransportError(f"{self._where}: closed by the server: {goodbye}", kind="reset")
        return TransportError(f"{self._where}: the connection is closed", kind="reset")


def dial(target: Target, allow: AllowList) -> Wire:
    """Connect and shake hands.

    Raises:
        ContentError: the host is not allowed, or the URL is none; no socket was opened.
        TransportError: connect, reset, timeout or protocol.
        StatusError: the server answered with an HTTP status instead.
    """
    uri = _allowed(target.url, allow)
    protocol = ClientProtocol(
        uri,
        origin=Origin(target.origin) if target.origin else None,
        subprotocols=[Subprotocol(name) for name in target.subprotocols] or None,
        extensions=[ClientPerMessageDeflateFactory()] if target.compress else None,
        max_size=target.message_bytes,
    )
    wire = Wire(_connect(uri, target), protocol, target)
    try:
        wire.shake(target.headers)
    except BaseException:
        wire.drop()
        raise
    return wire


def _allowed(url: str, allow: AllowList) -> WebSocketURI:
    try:
        uri = parse_uri(url)
    except (InvalidURI, ValueError) as error:
        raise ContentError(f"{url!r} is no WebSocket URL: {error}; expected ws:// or wss://") from error
    if not allow.allows(uri.host):
        raise ContentError(
            f"{urlsplit(url).scheme}://{_where(uri)} is not among the allowed hosts"
            f" ({', '.join(allow.hosts)}); no connection was opened; add the host to allow_hosts if traffic"
            " may go there"
        )
    return uri


def _connect(uri: WebSocketURI, target: Target) -> Any:
    """A socket to one of the host's addresses, secured for wss."""
    place = SHARED.place("wss" if uri.secure else "ws", uri.host, uri.port)
    problem: OSError | None = None
    try:
        with gevent.Timeout(target.connect_s):
            for address in place.ways():
                try:
                    return _opened(address, uri, target)
                except OSError as error:
                    problem = error
    except gevent.Timeout as error:
        said = f"{place.name}: no connection within {target.connect_s:g} s"
        raise TransportError(said, kind="connect") from error
    raise TransportError(f"{place.name}: {problem}", kind="connect") from problem


def _opened(address: Address, uri: WebSocketURI, target: Target) -> Any:
    sock = socket.socket(address.family, plain.SOCK_STREAM)
    try:
        sock.connect(address.sockaddr)
        sock.setsockopt(plain.IPPROTO_TCP, plain.TCP_NODELAY, 1)
        if uri.secure:
            sock = _context(target.tls).wrap_socket(sock, server_hostname=target.tls.server_name or uri.host)
    except BaseException:
        sock.close()
        raise
    return sock


@lru_cache(maxsize=8)
def _context(tls: Tls) -> ssl.SSLContext:
    """Of gevent's own class: the standard library's would block the whole process while it waits."""
    made: ssl.SSLContext = gevent_ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.set_alpn_protocols(["http/1.1"])
    if tls.ca_file:
        made.load_verify_locations(str(tls.ca_file))
    else:
        made.load_default_certs()
    if tls.certificate:
        made.load_cert_chain(str(tls.certificate))
    if tls.insecure_skip_verification:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    return made


def _refused(error: Exception, where: str) -> Exception:
    if isinstance(error, InvalidStatus):
        answer: Response = error.response
        body = bytes(answer.body or b"")[:200].decode("utf-8", "replace")
        kind = _CLASSES.get(answer.status_code // 100, "status")
        return StatusError(f"{where}: {answer.status_code} instead of an upgrade: {body}", kind=kind)
    if isinstance(error.__cause__, EOFError):
        return TransportError(f"{where}: closed during the handshake", kind="reset")
    if isinstance(error, InvalidHandshake):
        return TransportError(f"{where}: bad handshake: {error.__cause__ or error}", kind="protocol")
    return error


def _where(uri: WebSocketURI) -> str:
    host = f"[{uri.host}]" if ":" in uri.host else uri.host
    return f"{host}:{uri.port}"
