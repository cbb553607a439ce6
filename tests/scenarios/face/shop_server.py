"""A small shop over HTTP on port 0: echoes what it is asked, fails, redirects and dawdles on demand."""

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True

    def answer(self) -> None:
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.seen[f"{self.command} {parts.path}"] += 1
        word, _, rest = parts.path.strip("/").partition("/")
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        if word == "slow":
            time.sleep(float(query["s"]))
        if word == "hang":
            self.close_connection = True
            return
        if word == "status":
            self.reply(int(rest), b"as you wish")
        elif word == "redirect":
            self.reply(302, b"", Location="/echo?from=redirect")
        elif word == "login":
            self.reply(200, b"{}", **{"Set-Cookie": "session=s-17; Path=/"})
        elif word == "lines":
            self.reply(200, b"one\ntwo\nthree")
        elif word == "text":
            self.reply(
                200, "häuser\nund".encode("latin-1"), **{"Content-Type": "text/plain; charset=latin-1"}
            )
        else:
            told = {
                "method": self.command,
                "path": parts.path,
                "query": query,
                "headers": {name.lower(): value for name, value in self.headers.items()},
                "body": body.decode("latin-1"),
            }
            self.reply(200, json.dumps(told).encode())

    def reply(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Be quiet."""


for _method in ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"):
    setattr(_Handler, f"do_{_method}", _Handler.answer)


class Shop(ThreadingHTTPServer):
    """The running shop; ``seen`` counts requests by method and path."""

    daemon_threads = True
    seen: Counter[str]

    @property
    def url(self) -> str:
        """Base URL."""
        return f"http://127.0.0.1:{self.server_port}"


@contextmanager
def shop() -> Iterator[Shop]:
    """A running shop; ended with the block."""
    server = Shop(("127.0.0.1", 0), _Handler)
    server.seen = Counter()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()
