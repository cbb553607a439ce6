"""What comes back from a system, from whom, and where requests may go at all. Knows no sockets."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol
from urllib.parse import SplitResult

from scenarios.errors import ContentError


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A complete answer: header names in lower case (the last of a repeated one), the body as it came."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @cached_property
    def json(self) -> Any:
        """The body as JSON; ValueError if it is none."""
        return json.loads(self.body)


class Sender(Protocol):
    """What a client needs from a session."""

    def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """One request, one complete answer; TransportError otherwise."""

    def close(self) -> None:
        """Close every connection."""


@dataclass(frozen=True, slots=True)
class AllowList:
    """Hosts that may be connected to: exact names, or ``*.example.com`` for every name below one."""

    hosts: tuple[str, ...]

    def allows(self, host: str) -> bool:
        """Whether a socket to this host may be opened."""
        return any(host == each or (each.startswith("*.") and host.endswith(each[1:])) for each in self.hosts)

    def check(self, url: SplitResult) -> None:
        """ContentError for a URL that leads anywhere else: the address came with an answer."""
        if url.scheme not in ("http", "https") or not url.hostname or not self.allows(url.hostname):
            raise ContentError(
                f"{url.scheme}://{url.netloc} is not among the allowed hosts ({', '.join(self.hosts)});"
                " no connection was opened; add the host to allow_hosts if traffic may go there"
            )
