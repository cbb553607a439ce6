"""Throttled calls: asked again after a random while that grows, but not for ever (standard mode)."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from chaos.errors import FisError
from chaos.fis import Fis
from tests.chaos.stage import local

ATTEMPTS = 6


class Throttling(http.server.ThreadingHTTPServer):
    """Answers `refusals` requests with ThrottlingException, later ones with an experiment."""

    daemon_threads = True

    def __init__(self, refusals: int) -> None:
        self.refusals, self.asked = refusals, 0
        super().__init__(("127.0.0.1", 0), _Answer)


class _Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        server: Any = self.server
        server.asked += 1
        throttled = server.asked <= server.refusals
        body: dict[str, Any] = {"experiment": {"id": "EXP1", "state": {"status": "running"}}}
        if throttled:
            body = {"message": "Rate exceeded"}
        text = json.dumps(body).encode()
        self.send_response(429 if throttled else 200)
        if throttled:
            self.send_header("x-amzn-ErrorType", "ThrottlingException")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def throttling(refusals: int) -> Iterator[Throttling]:
    with Throttling(refusals) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield server
        server.shutdown()


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long botocore would have waited before each further try."""
    found: list[float] = []
    monkeypatch.setattr("botocore.endpoint.time.sleep", found.append)
    return found


def test_a_throttled_call_is_asked_again_after_a_random_while(waits: list[float]) -> None:
    """Never longer than 1, 2, 4 ... seconds, and each time another part of it."""
    with throttling(ATTEMPTS - 1) as server:
        assert Fis.of(local(server.server_address[1])).status("EXP1").state == "running"
        assert server.asked == ATTEMPTS
    assert len(waits) == ATTEMPTS - 1
    shares = [wait / 2**number for number, wait in enumerate(waits)]
    assert all(0 <= share <= 1 for share in shares)
    assert len(set(shares)) == len(shares)


def test_a_call_that_stays_throttled_is_given_up(waits: list[float]) -> None:
    """With FIS's own word for it."""
    with throttling(100) as server:
        with pytest.raises(FisError, match="ThrottlingException"):
            Fis.of(local(server.server_address[1])).status("EXP1")
        assert server.asked == ATTEMPTS
    assert len(waits) == ATTEMPTS - 1
