"""What the WebSocket tests stand on: servers in threads, a host that keeps its books in a list."""

import base64
import datetime
import hashlib
import socket
import threading
import time
from collections import Counter
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import gevent
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from websockets.sync.server import serve

from scenarios.load.answer import AllowList
from scenarios.load.operation import operation
from scenarios.load.websocket.session import Manners, WebSocket
from scenarios.load.websocket.wire import Target

OPEN = operation("open", "WS /talk", note="open")
ASK = operation("ask", "WS /talk", note="ask")
FIRST = operation("first", "WS /talk", note="first")
NEWS = operation("news", "WS /talk", note="news")
AGAIN = operation("again", "WS /talk", note="again")
GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


@dataclass
class Noted:
    """An entry that remembers."""

    slug: str
    at: float
    write: Any = None
    begun: float = 0.0
    done: float = 0.0
    outcome: str = ""
    detail: str = ""

    def sent(self):
        """It left."""
        self.begun = time.monotonic()

    def ok(self, at=None, *, promise=""):
        """It was good."""
        self._end("ok", promise, at)

    def bad(self, kind, detail):
        """It was not."""
        self._end(kind, detail)

    def _end(self, outcome, detail, at=None):
        assert not self.outcome, "resolved twice"
        self.outcome, self.detail, self.done = outcome, detail, at or time.monotonic()


@dataclass
class Host:
    """A session whose flow is always due now, unless the test says otherwise."""

    entries: list = field(default_factory=list)
    counts: Counter = field(default_factory=Counter)
    details: list = field(default_factory=list)
    late_s: float = 0.0

    def due(self, operation, think):
        """Now, or as late as the test wants it."""
        return time.monotonic() + think - self.late_s

    def answered(self, at):
        """Nothing depends on it here."""

    def enter(self, operation, at, write=None):
        """A new entry."""
        self.entries.append(Noted(operation.slug, at, write))
        return self.entries[-1]

    also = enter

    def moment(self, epoch):
        """Epoch to monotonic."""
        return epoch - time.time() + time.monotonic()

    def count(self, what, number, detail):
        """Sum up."""
        self.counts[what] += number
        self.details.append(f"{what}: {detail}")

    def outcomes(self, slug):
        """Outcomes of one operation, in the order they were entered; empty while open."""
        return [each.outcome for each in self.entries if each.slug == slug]


@contextmanager
def serving(handler, **options):
    """A real server on a free port; its port."""
    with serve(handler, "127.0.0.1", 0, **{"compression": None} | options) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.socket.getsockname()[1]
        finally:
            server.shutdown()
            thread.join(20)


@contextmanager
def hostile(*replies, accept=True):
    """Raw bytes instead of a server: after the handshake (unless refused) each connection gets its reply.

    A reply is bytes to send before closing, or a function of the socket and of the handshake that it is to
    answer.
    """
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(20)

        def run():
            for reply in replies:
                connection, _ = listener.accept()
                with connection:
                    connection.settimeout(20)
                    head = connection.recv(65536)
                    if accept:
                        connection.sendall(accepted(head))
                    if callable(reply):
                        reply(connection, *([] if accept else [head]))
                    else:
                        connection.sendall(reply)
            listener.close()

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            thread.join(25)


def accepted(head):
    """The right answer to this handshake."""
    key = next(
        line[18:].strip() for line in head.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key:")
    )
    word = base64.b64encode(hashlib.sha1(key + GUID.encode()).digest())
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + word + b"\r\n\r\n"
    )


def certificate(path, name):
    """A certificate for this name that is its own authority, with its key; the file."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    words = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(key.private_bytes(*words) + made.public_bytes(Encoding.PEM))
    return path


def until_closed(connection, _head=b""):
    """Take what comes until the client hangs up."""
    with suppress(ConnectionError):
        while connection.recv(65536):
            pass


@contextmanager
def talking(port, *, host=None, manners=None, opened=True, **options):
    """A conversation with 127.0.0.1:port and its host."""
    host = host or Host()
    fields = {name: options.pop(name) for name in list(options) if name in Target.__dataclass_fields__}
    target = Target(**{"url": f"ws://127.0.0.1:{port}/talk", "answer_s": 5.0} | fields)
    manners = manners or Manners(timeout_s=5.0, again=None)
    chat = WebSocket(
        lambda: target, allow=AllowList(("127.0.0.1", "localhost")), host=host, manners=manners, **options
    )
    try:
        if opened:
            chat.open()
        yield chat, host
    finally:
        chat.close(within_s=0.3)


def wait_for(condition, within_s=10.0):
    """Let the greenlets run until it holds."""
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "it did not come"
        gevent.sleep(0.005)
