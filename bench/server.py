"""The system under load: one answer, fast, and how often it was given.

``python -m bench.server COUNTS [PORT]`` listens on 127.0.0.1 (port 0 by default), prints the port and serves
until it is ended or its parent dies. COUNTS is a file of two 64-bit numbers in the machine's byte order:
requests answered and connections accepted. It is mapped, so its reader needs no request of its own.

A few microseconds a request: it never is what limits a generator on another core. It knows only what the
bench sends (requests without a body) and answers each with the same bytes. Linux only (epoll).
"""

from __future__ import annotations

import ctypes
import mmap
import os
import select
import signal
import socket
import sys
from pathlib import Path

BODY = b'{"id":17,"name":"Gameday","open":true}'
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
ANSWER = _HEAD % len(BODY) + BODY
COUNTS_BYTES = 16
_END = b"\r\n\r\n"
_READ = 16_384
_BACKLOG = 4096
_PR_SET_PDEATHSIG = 1


class Server:
    """Connections and the two counters; ``run`` never returns."""

    def __init__(self, listener: socket.socket, counts: memoryview) -> None:
        self._listener = listener
        self._counts = counts
        self._epoll = select.epoll()
        self._open: dict[int, socket.socket] = {}
        self._rest: dict[int, bytes] = {}

    def run(self) -> None:
        """Serve until the process is ended."""
        door = self._listener.fileno()
        self._epoll.register(door, select.EPOLLIN)
        while True:
            for number, _ in self._epoll.poll():
                if number == door:
                    self._accept()
                else:
                    self._answer(number)

    def _accept(self) -> None:
        try:
            while True:
                connection, _ = self._listener.accept()
                connection.setblocking(False)
                self._open[connection.fileno()] = connection
                self._epoll.register(connection.fileno(), select.EPOLLIN)
                self._counts[1] += 1
        except BlockingIOError:
            return

    def _answer(self, number: int) -> None:
        try:
            data = os.read(number, _READ)
            if not data:
                return self._close(number)
            if self._rest:
                data = self._rest.pop(number, b"") + data
            if not data.endswith(_END):
                self._rest[number] = data[data.rfind(_END) + len(_END) :] if _END in data else data
            wanted = data.count(_END)
            if wanted:
                self._counts[0] += wanted  # first, so that whoever has the answer finds it counted
                os.write(number, ANSWER * wanted)
        except OSError:  # the client is gone: nothing to answer any more
            self._close(number)

    def _close(self, number: int) -> None:
        self._rest.pop(number, None)
        self._open.pop(number).close()  # closing takes it out of the epoll set as well


def listen(port: int) -> socket.socket:
    """A listener on loopback that may share its port with another server process."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # connections inherit it
    listener.bind(("127.0.0.1", port))
    listener.listen(_BACKLOG)
    listener.setblocking(False)
    return listener


def main(counts: str, port: str = "0") -> None:
    """Print the port and serve."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)  # also when stopped: it outlives nobody
    with Path(counts).open("r+b") as file:
        shared = mmap.mmap(file.fileno(), COUNTS_BYTES)
    listener = listen(int(port))
    sys.stdout.write(f"{listener.getsockname()[1]}\n")
    sys.stdout.flush()
    Server(listener, memoryview(shared).cast("Q")).run()


if __name__ == "__main__":
    main(*sys.argv[1:])
