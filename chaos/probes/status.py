"""The status of one URL: broken while it is another than the one expected, or there is no answer."""

from __future__ import annotations

import http.client
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from chaos.local import LocalRegion
from chaos.memory import Memory
from chaos.probes import Probe, Reading, address
from chaos.sight import Phase
from fixtures.environment import Environment

REQUIRED = frozenset({"url"})
OPTIONAL = frozenset({"status", "timeout_s"})


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusProbe:
    """GETs `url` on a new connection each time, so that a stale one is not taken for a fault."""

    url: str
    status: int = 200
    timeout_s: float = 2.0
    slowest_s: float = 0.0
    memory: Memory = field(default_factory=Memory)

    def read(self) -> Reading:
        """The error is empty where the status is the one expected."""
        error = self._error()
        return {"error": error, "seen": self.memory.take(broken=bool(error))}

    def refusal(self, reading: Reading) -> str:
        """Only the expected status can be armed."""
        return f"{self.url}: {reading['error']}" if reading["error"] else ""

    def compare(self, armed: Reading, reading: Reading) -> tuple[Phase, str]:
        """See the module."""
        if reading["error"]:
            return Phase.BROKEN, str(reading["error"])
        restored = reading["seen"] and not armed["seen"]
        return Phase.RESTORED if restored else Phase.ARMED, f"status {self.status}"

    def _error(self) -> str:
        parts = urlsplit(self.url)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        connection = kind(parts.hostname or "", parts.port, timeout=self.timeout_s)
        target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
        try:
            connection.request("GET", target, headers={"User-Agent": "gameday-probe", "Connection": "close"})
            found = connection.getresponse().status
        except (OSError, http.client.HTTPException) as error:
            return f"{type(error).__name__}: {error}"
        finally:
            connection.close()
        return "" if found == self.status else f"status {found}"


def make(options: Mapping[str, Any], env: Environment, region: LocalRegion | None) -> Probe:  # noqa: ARG001
    """Build the probe.

    Raises:
        GuardError: the URL's host is not on the environment's allow-list.
        ProbeError: it is no http URL.
    """
    url = address(options, env)
    return StatusProbe(
        url=url,
        status=int(options.get("status", 200)),
        timeout_s=float(options.get("timeout_s", 2.0)),
    )
