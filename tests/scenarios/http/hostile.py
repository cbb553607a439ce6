"""A server that does what it is told, byte for byte, and the process that asks it."""

import json
import socket
import ssl
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable
from contextlib import ExitStack, contextmanager

from tests.scenarios.runs import ROOT

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
PATIENCE_S = 30.0

Act = Callable[["Visit"], None]
Script = Iterable[bytes | Act]


class Visit:
    """One accepted connection; ``over`` is set when the test has what it came for."""

    def __init__(self, connection, log, over):
        self.connection = connection
        self.log = log
        self.over = over

    def read(self):
        """One request with its body, if it comes."""
        text = b""
        while b"\r\n\r\n" not in text:
            if not (data := self.connection.recv(65536)):
                break
            text += data
        head, _, body = text.partition(b"\r\n\r\n")
        lower = head.lower()
        if b"content-length:" in lower:
            length = int(lower.partition(b"content-length:")[2].split(b"\r\n")[0])
            while len(body) < length and (data := self.connection.recv(65536)):
                body += data
        elif b"transfer-encoding: chunked" in lower:
            while not body.endswith(b"0\r\n\r\n") and (data := self.connection.recv(65536)):
                body += data
        if text:
            self.log.append((head + b"\r\n\r\n" + body).decode("latin-1"))
        return text


def silence(visit):
    """Says nothing until it is over."""
    visit.over.wait(PATIENCE_S)


def close(visit):
    """Closes at once."""
    visit.connection.close()


def reset(visit):
    """Closes with a reset."""
    visit.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    visit.connection.close()


def drip(*pieces, every):
    """Sends the pieces one after the other, the last for ever."""

    def act(visit):
        for piece in pieces:
            visit.connection.sendall(piece)
            if visit.over.wait(every):
                return
        while not visit.over.wait(every):
            visit.connection.sendall(pieces[-1])

    return act


def split(answer, *, every=0.001):
    """Sends the answer byte by byte."""

    def act(visit):
        for byte in answer:
            visit.connection.sendall(bytes([byte]))
            visit.over.wait(every)

    return act


def flood(first, forever):
    """Sends as fast as it is read."""

    def act(visit):
        visit.connection.sendall(first)
        while not visit.over.is_set():
            visit.connection.sendall(forever)

    return act


def first(data):
    """Talks before it is asked (stands for the whole script of a connection)."""

    def act(visit):
        visit.connection.sendall(data)
        visit.over.wait(PATIENCE_S)

    act.unasked = True
    return act


def then(*acts):
    """One thing after the other."""

    def act(visit):
        for each in acts:
            perform(visit, each)

    return act


def pause(seconds):
    """Waits a little."""
    return lambda visit: visit.over.wait(seconds)


def perform(visit, reply):
    """One step of a script."""
    if isinstance(reply, bytes):
        visit.connection.sendall(reply)
    else:
        reply(visit)


@contextmanager
def scripted(*connections: Script, host="127.0.0.1", port=0, context: ssl.SSLContext | None = None):
    """Answers its n-th connection from the n-th script, then closes it: the port and what was asked."""
    log: list[str] = []
    over = threading.Event()
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, port), family=family) as server:
        server.settimeout(PATIENCE_S)

        def serve():
            for script in connections:
                try:
                    accepted, _ = server.accept()
                except OSError:
                    return
                visitors.append(threading.Thread(target=attend, args=(accepted, script)))
                visitors[-1].start()

        def attend(accepted, script):
            accepted.settimeout(PATIENCE_S)
            try:
                with context.wrap_socket(accepted, server_side=True) if context else accepted as connection:
                    visit = Visit(connection, log, over)
                    for reply in script:
                        if not getattr(reply, "unasked", False) and not visit.read():
                            return
                        perform(visit, reply)
            except OSError:  # the client has gone: what it is here to see happen
                accepted.close()

        visitors: list[threading.Thread] = []
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield server.getsockname()[1], log
        finally:
            over.set()
            server.shutdown(socket.SHUT_RDWR)
            thread.join(PATIENCE_S)
            for visitor in visitors:
                visitor.join(PATIENCE_S)


def ask(cases):
    """What came of every case, by name."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.scenarios.http.asking"],
        cwd=ROOT,
        input=json.dumps(cases),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    return json.loads(done.stdout)


def ask_all(table):
    """Serve and ask every case of {name: (scripts, case)} at once: {name: (results, retries, log)}.

    "URL" in a request's address stands for the server.
    """
    with ExitStack() as servers:
        cases, logs = {}, {}
        for name, (scripts, case) in table.items():
            port, logs[name] = servers.enter_context(scripted(*scripts))
            requests = [{"url": "URL/x"} | request for request in case.get("requests", [{}])]
            for request in requests:
                request["url"] = request["url"].replace("URL", f"http://127.0.0.1:{port}")
            cases[name] = case | {"requests": requests}
        found = ask(cases)
        return {name: (each["results"], each["retries"], logs[name]) for name, each in found.items()}
