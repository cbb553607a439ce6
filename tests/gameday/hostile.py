"""Small loopback servers for `gameday load`: one that answers, and one that misbehaves in a way per path."""

from __future__ import annotations

import socket
import socketserver
import struct
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

BODY = b'{"ok": true}'
GOOD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (
    len(BODY),
    BODY,
)
ERROR = b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"
DRIP_S = 0.05


class Server(socketserver.ThreadingTCPServer):
    """`/ok` answers; `/mix` takes the ways of WAYS in turn; `seen` are request lines, `heads` whole heads."""

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.seen: Counter[str] = Counter()
        self.heads: list[bytes] = []
        self.lock = threading.Lock()
        self.over = threading.Event()

    def url(self, path: str = "/ok") -> str:
        """Where `path` is."""
        return f"http://127.0.0.1:{self.server_address[1]}{path}"

    def way(self, head: bytes) -> str:
        """What to do to this request."""
        line = head.split(b"\r\n", 1)[0].decode()
        with self.lock:
            self.seen[line] += 1
            self.heads = [*self.heads[-9:], head]
            return WAYS[self.seen[line] % len(WAYS)] if " /mix" in line else "good"


def _drip(sock: socket.socket, over: threading.Event) -> None:
    sock.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while not over.wait(DRIP_S):
        sock.sendall(b"1\r\nx\r\n")


def _reset(sock: socket.socket) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


WAYS = ("good", "reset", "garbage", "silent", "endless", "error")


class _Handler(socketserver.BaseRequestHandler):
    server: Server

    def handle(self) -> None:
        buffer = b""
        try:
            while chunk := self.request.recv(65536):
                buffer += chunk
                while b"\r\n\r\n" in buffer:
                    head, _, buffer = buffer.partition(b"\r\n\r\n")
                    buffer = buffer[_length(head) :]
                    if not self._answer(self.server.way(head)):
                        return
        except OSError:
            return  # the client has given up, as it should

    def _answer(self, way: str) -> bool:
        """Whether the connection goes on."""
        match way:
            case "good" | "error":
                self.request.sendall(GOOD if way == "good" else ERROR)
                return True
            case "garbage":
                self.request.sendall(b"220 smtp ready\r\n")
            case "silent":
                self.server.over.wait(30.0)
            case "endless":
                _drip(self.request, self.server.over)
            case _:
                _reset(self.request)
        return False


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            return int(value)
    return 0


@contextmanager
def serving() -> Iterator[Server]:
    """A server for as long as the block lasts."""
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.over.set()
            server.shutdown()
            thread.join(5.0)


def closed_port() -> int:
    """A port that refuses connections."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
    return port


def until(condition: object, within_s: float = 20.0) -> None:
    """Poll until the condition (a callable) holds; AssertionError after `within_s`."""
    assert callable(condition)
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
