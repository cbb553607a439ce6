"""What comes back from a system, from whom, and where requests may go at all. Knows no sockets."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import responses
from typing import Any, Protocol
from urllib.parse import SplitResult

from scenarios.errors import ContentError

_SCHEMES = frozenset({"http", "https", "ws", "wss"})
_KNOWN = 1024


class Answer:
    """A complete answer: header names in lower case, the body decoded from its content coding.

    A repeated header field is joined with ", " as RFC 9110 (5.2) has it, except Set-Cookie, of which
    ``headers`` has the last and ``fields`` all. ``elapsed`` is seconds from the call to the last byte.
    A plain class that looks at its head only when asked: one is made for every request.
    """

    __slots__ = ("_head", "_headers", "_json", "body", "elapsed", "status")

    def __init__(
        self,
        status: int,
        body: bytes,
        head: bytes = b"",
        elapsed: float = 0.0,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.status = status
        self.body = body
        self.elapsed = elapsed
        self._head = head
        self._headers = headers

    @property
    def headers(self) -> Mapping[str, str]:
        """Values by lower-case name."""
        if self._headers is None:
            found: dict[str, str] = {}
            for name, value in self.fields:
                known = found.get(name)
                found[name] = value if known is None or name == "set-cookie" else f"{known}, {value}"
            self._headers = found
        return self._headers

    @property
    def fields(self) -> tuple[tuple[str, str], ...]:
        """Every header field as it came: lower-case name and value, in order."""
        return tuple(fields(self._head) if self._head else (self._headers or {}).items())

    @property
    def reason(self) -> str:
        """The server's reason phrase, or the usual one for the status."""
        line = self._head.lstrip(b"\r\n").partition(b"\r\n")[0].split(b" ", 2)
        if len(line) == 3:
            return line[2].decode("latin-1")
        return responses.get(self.status, "")

    @property
    def json(self) -> Any:
        """The body as JSON; ValueError if it is none."""
        try:
            return self._json
        except AttributeError:
            self._json: Any = json.loads(self.body)
            return self._json

    @property
    def text(self) -> str:
        """The body in the charset of its content type (UTF-8 without one); bad bytes are replaced."""
        charset = "utf-8"
        for parameter in self.headers.get("content-type", "").split(";")[1:]:
            name, _, value = parameter.partition("=")
            if name.strip().lower() == "charset":
                charset = value.strip().strip('"')
        try:
            return self.body.decode(charset, "replace")
        except LookupError:
            return self.body.decode("utf-8", "replace")

    def __repr__(self) -> str:
        return f"Answer(status={self.status}, {len(self.body)} bytes)"


def fields(head: bytes) -> list[tuple[str, str]]:
    """The header fields of a raw answer that a parser has found well-formed; folded lines are unfolded.

    ``head`` may go on with the body.
    """
    found: list[tuple[str, str]] = []
    lines = head.lstrip(b"\r\n").partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
    for line in lines[1:]:
        if line[:1] in (" ", "\t") and found:
            name, value = found[-1]
            found[-1] = (name, f"{value} {line.strip()}".strip())
        elif line:
            name, _, value = line.partition(":")
            found.append((name.rstrip().lower(), value.strip(" \t")))
    return found


class Sender(Protocol):
    """What a client needs from a session."""

    def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """One request, one complete answer; TransportError otherwise."""

    def close(self) -> None:
        """Close every connection."""


@dataclass(frozen=True)
class AllowList:
    """Hosts that may be connected to: exact names, or ``*.example.com`` for every name below one."""

    hosts: tuple[str, ...]
    _passed: set[tuple[str, str]] = field(default_factory=set, init=False, repr=False, compare=False)

    def allows(self, host: str) -> bool:
        """Whether a socket to this host may be opened."""
        return any(host == each or (each.startswith("*.") and host.endswith(each[1:])) for each in self.hosts)

    def check(self, url: SplitResult) -> None:
        """ContentError for a URL that leads anywhere else: the address came with an answer."""
        key = (url.scheme, url.netloc)
        if key in self._passed:
            return
        if url.scheme not in _SCHEMES or not url.hostname or not self.allows(url.hostname):
            raise ContentError(
                f"{url.scheme}://{url.netloc} is not among the allowed hosts ({', '.join(self.hosts)});"
                " no connection was opened; add the host to allow_hosts if traffic may go there"
            )
        if len(self._passed) < _KNOWN:
            self._passed.add(key)
