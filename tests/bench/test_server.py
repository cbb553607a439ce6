"""The bench's server on a real port: answers, counts, freezes, and ends with its block."""

import http.client
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench import cores
from bench.server import ANSWER, BODY
from bench.target import Target, serving

CORE = min(os.sched_getaffinity(0))


@pytest.fixture
def target(tmp_path: Path) -> Iterator[Target]:
    """A server on a free port."""
    with serving(tmp_path, cpus=(CORE,)) as serving_:
        yield serving_


def test_requests_are_answered_and_counted(target: Target) -> None:
    """Keep-alive, the same JSON each time, and a count that needs no request."""
    client = http.client.HTTPConnection("127.0.0.1", target.port, timeout=5)
    for _ in range(3):
        client.request("GET", "/")
        answer = client.getresponse()
        assert (answer.status, answer.read()) == (200, BODY)
    client.close()
    assert target.requests == 3


def test_split_and_crowded_requests_are_told_apart(target: Target) -> None:
    """A request in two pieces is one; two in one piece are two."""
    with socket.create_connection(("127.0.0.1", target.port), timeout=5) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n")
        client.sendall(b"\r\n")
        assert _exactly(client, len(ANSWER)) == ANSWER
        client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\nGET /")
        assert _exactly(client, 2 * len(ANSWER)) == 2 * ANSWER
        assert target.requests == 3
        client.sendall(b" HTTP/1.1\r\nHost: a\r\n\r\n")
        assert _exactly(client, len(ANSWER)) == ANSWER
    assert target.requests == 4


def test_a_frozen_server_answers_afterwards(target: Target) -> None:
    """A freeze delays what is asked, and lasts at least as long as wanted."""
    with socket.create_connection(("127.0.0.1", target.port), timeout=5) as client:
        lasted = target.freeze(0.05)
        client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert _exactly(client, len(ANSWER)) == ANSWER
    assert lasted >= 0.05


def test_processes_share_the_port_and_end_with_the_block(tmp_path: Path) -> None:
    """Two processes, one port; nothing is left of them, and the caller's cores are as before."""
    before = os.sched_getaffinity(0)
    with serving(tmp_path, cpus=(CORE, CORE)) as target:
        assert len({process.pid for process in target.processes}) == 2
        assert cores.memory(target.processes[0].pid).rss > 0
    assert all(process.poll() is not None for process in target.processes)
    assert os.sched_getaffinity(0) == before
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", target.port), timeout=1)


def _exactly(client: socket.socket, size: int) -> bytes:
    received = b""
    while len(received) < size:
        piece = client.recv(size - len(received))
        assert piece, "closed"
        received += piece
    return received
