"""How a URL answers: GET it once a look and count the bad ones among the last answers.

Bad is a status of 500 and above, no answer, or one later than `above_ms`. Broken: `least` or more of the last
`window` were bad. Restored: fewer, after it was broken. Any status below 500 will do, so no login is needed;
begin and end are seen up to a window late.
"""

from __future__ import annotations

import http.client
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from chaos.errors import ProbeError
from chaos.local import LocalRegion
from chaos.memory import Memory
from chaos.probes import Probe, Reading, address
from chaos.sight import Phase
from fixtures.environment import Environment

REQUIRED = frozenset({"url"})
OPTIONAL = frozenset({"above_ms", "window", "least", "timeout_s"})


@dataclass(slots=True, kw_only=True)
class Answers:
    """GETs `url` on a new connection each time; keeps what the last looks saw."""

    url: str
    above_s: float | None = None
    window: int = 20
    least: int = 2
    timeout_s: float = 2.0
    slowest_s: float = 0.0
    _bad: deque[str] = field(default_factory=deque)
    _memory: Memory = field(default_factory=Memory)

    def read(self) -> Reading:
        """`{"bad": 3, "of": 20, "last": "why the newest was bad, or nothing", "seen": False}`."""
        said = self._asked()
        self._bad.append(said)
        if len(self._bad) > self.window:
            self._bad.popleft()
        bad = sum(1 for one in self._bad if one)
        seen = self._memory.take(broken=bad >= self.least)
        return {"bad": bad, "of": len(self._bad), "last": said, "seen": seen}

    def refusal(self, reading: Reading) -> str:
        """Armed while fewer answers are bad than make it broken."""
        if reading["bad"] < self.least:
            return ""
        return f"{self.url}: {reading['bad']} of {reading['of']} answers bad, lately {reading['last']!r}"

    def compare(self, armed: Reading, reading: Reading) -> tuple[Phase, str]:
        """See the module."""
        counts = f"{reading['bad']} of {reading['of']} answers bad"
        if reading["bad"] >= self.least:
            return Phase.BROKEN, f"{counts}{': ' if reading['last'] else ''}{reading['last']}"
        return Phase.RESTORED if reading["seen"] and not armed["seen"] else Phase.ARMED, counts

    def _asked(self) -> str:
        """Ask once; what was bad about the answer, empty if nothing."""
        parts = urlsplit(self.url)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        connection = kind(parts.hostname or "", parts.port, timeout=self.timeout_s)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        asked = time.monotonic()
        try:
            connection.request("GET", path, headers={"User-Agent": "gameday-probe", "Connection": "close"})
            answer = connection.getresponse()
            answer.read(65536)
        except (OSError, http.client.HTTPException) as error:
            return f"{type(error).__name__}: {error}"
        finally:
            connection.close()
        took = time.monotonic() - asked
        if answer.status >= 500:
            return f"status {answer.status}"
        if self.above_s is not None and took > self.above_s:
            return f"{took * 1000:.0f} ms"
        return ""


def make(options: Mapping[str, Any], env: Environment, region: LocalRegion | None) -> Probe:  # noqa: ARG001
    """Build the probe.

    Raises:
        GuardError: the URL's host is not on the environment's allow-list.
        ProbeError: it is no http URL, or the numbers contradict each other.
    """
    url = address(options, env)
    window, least = int(options.get("window", 20)), int(options.get("least", 2))
    if not 1 <= least <= window:
        raise ProbeError(f"{least} bad answers of {window}; expected at least 1, and no more than the window")
    late = options.get("above_ms")
    return Answers(
        url=url,
        above_s=None if late is None else float(late) / 1000,
        window=window,
        least=least,
        timeout_s=float(options.get("timeout_s", 2.0)),
    )
