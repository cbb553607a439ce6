import json
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager

import pytest

from tests.scenarios.runs import ROOT

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
CLOSE, SILENCE = b"close", b"silence"


@contextmanager
def scripted(*connections):
    """A server that answers its n-th connection from the n-th script, then closes it; port and log."""
    log = []
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(20)

        def serve():
            for script in connections:
                connection, _ = server.accept()
                with connection:
                    connection.settimeout(20)
                    for reply in script:
                        log.append(connection.recv(65536).decode())
                        if reply == SILENCE:
                            over.wait(20)
                        elif reply != CLOSE and log[-1]:
                            connection.sendall(reply)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield server.getsockname()[1], log
        finally:
            over.set()
            thread.join(25)


def ask(port, *requests, timeout_s=5.0, allow=("127.0.0.1",)):
    """What one session gets for these requests."""
    wanted = [{"url": f"http://127.0.0.1:{port}/x"} | request for request in requests]
    done = subprocess.run(
        [sys.executable, "-m", "tests.scenarios.ask"],
        cwd=ROOT,
        input=json.dumps({"allow": allow, "timeout_s": timeout_s, "requests": wanted}),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    return found["results"], found["retries"]


def test_one_connection_serves_a_session():
    """Connections are kept; chunked, interim and endless answers are read to their end."""
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
    interim = b"HTTP/1.1 103 Early Hints\r\n\r\n" + OK
    unending = b"HTTP/1.0 200 OK\r\n\r\nuntil the end"
    with scripted((OK, chunked, interim, unending)) as (port, _):
        results, retries = ask(port, {}, {}, {"method": "POST"}, {})
    assert [each["body"] for each in results] == ["ok", "abc", "ok", "until the end"]
    assert retries == 0


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (CLOSE, "reset"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", "reset"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhalf", "reset"),
        (b"HTTP/1.1 200", "reset"),
        (b"SSH-2.0-OpenSSH_9\r\n\r\n", "protocol"),
    ],
)
def test_broken_answers_have_their_class(reply, kind):
    """Closed too early is a reset, bytes that are not HTTP a protocol error; neither is repeated."""
    with scripted((reply,)) as (port, log):
        ((result,), retries) = ask(port, {})
    assert result["kind"] == kind
    assert (len(log), retries) == (1, 0)


def test_silence_is_a_timeout():
    """An answer that does not come within the deadline is a timeout."""
    with scripted((SILENCE,)) as (port, _):
        ((result,), _) = ask(port, {}, timeout_s=0.3)
    assert result["kind"] == "timeout"


def test_nobody_listening_is_a_connect_failure():
    """A refused connection is told apart: nothing was sent."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        ((result,), _) = ask(nobody.getsockname()[1], {})
    assert result["kind"] == "connect"


def test_a_connection_closed_while_idle_is_replaced():
    """The server may close what nobody uses: the next request opens a new connection, also a POST."""
    with scripted((OK,), (OK,)) as (port, log):
        results, retries = ask(port, {}, {"method": "POST", "pause": 0.2})
    assert [each.get("body") for each in results] == ["ok", "ok"]
    assert (len(log), retries) == (2, 0)


def test_a_safe_request_that_met_the_closing_is_repeated():
    """Sent on an idle connection that closes without an answer: a GET goes out again, once."""
    with scripted((OK, CLOSE), (OK,)) as (port, log):
        results, retries = ask(port, {}, {"pause": 0.6})
    assert [each.get("body") for each in results] == ["ok", "ok"]
    assert (len(log), retries) == (3, 1)


@pytest.mark.parametrize("second", [{"method": "POST", "pause": 0.6}, {"pause": 0.0}])
def test_whatever_may_have_been_done_is_not_repeated(second):
    """A POST, and any request on a connection in use, is a reset: the server may have been killed at work."""
    with scripted((OK, CLOSE)) as (port, log):
        results, retries = ask(port, {}, second)
    assert results[1]["kind"] == "reset"
    assert (len(log), retries) == (2, 0)


def test_redirects_are_answers():
    """Nothing is followed anywhere."""
    moved = b"HTTP/1.1 302 Found\r\nLocation: http://example.com/\r\nContent-Length: 0\r\n\r\n"
    with scripted((moved,)) as (port, log):
        ((result,), _) = ask(port, {})
    assert result["status"] == 302
    assert len(log) == 1


@pytest.mark.parametrize(
    "url", ["http://example.com/", "https://localhost/", "ftp://127.0.0.1/", "http:///x"]
)
def test_hosts_that_are_not_allowed_get_no_connection(url):
    """The refusal names the host and what would be allowed."""
    ((result,), _) = ask(1, {"url": url})
    assert result["kind"] == "content"
    assert "not among the allowed hosts (127.0.0.1)" in result["says"]
