"""Who answers: GET a URL and read one field, which changes when another process takes over.

Broken: no 200, or no such field. Restored: a 200 whose field differs from the armed one.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from chaos.local import LocalRegion
from chaos.probes import Probe, Reading, address
from chaos.sight import Phase
from fixtures.environment import Environment

REQUIRED = frozenset({"url", "field"})
OPTIONAL = frozenset({"timeout_s"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """GETs `url` on a new connection each time, so that a stale one is not taken for a fault."""

    url: str
    field: str
    timeout_s: float = 1.0
    slowest_s: float = 0.0

    def read(self) -> Reading:
        """`{"status": 200, "value": "..."}` or `{"status": 0, "error": "..."}`."""
        parts = urlsplit(self.url)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        connection = kind(parts.hostname or "", parts.port, timeout=self.timeout_s)
        try:
            connection.request(
                "GET", parts.path or "/", headers={"User-Agent": "gameday-probe", "Connection": "close"}
            )
            answer = connection.getresponse()
            body = answer.read(65536)
        except (OSError, http.client.HTTPException) as error:
            return {"status": 0, "error": f"{type(error).__name__}: {error}"}
        finally:
            connection.close()
        if answer.status != 200:
            return {"status": answer.status, "error": f"status {answer.status}"}
        return self._value(body)

    def refusal(self, reading: Reading) -> str:
        """Only a 200 with the field can be armed."""
        return "" if reading["status"] == 200 else f"{self.url}: {reading['error']}"

    def compare(self, armed: Reading, reading: Reading) -> tuple[Phase, str]:
        """See the module."""
        if reading["status"] != 200:
            return Phase.BROKEN, str(reading["error"])
        if reading["value"] == armed["value"]:
            return Phase.ARMED, f"{self.field} is {armed['value']}"
        return Phase.RESTORED, f"{self.field} is {reading['value']}, was {armed['value']}"

    def _value(self, body: bytes) -> Reading:
        try:
            value = json.loads(body)[self.field]
        except (ValueError, KeyError, TypeError):
            return {"status": 0, "error": f"a 200 without the field {self.field!r}"}
        return {"status": 200, "value": str(value)}


def make(options: Mapping[str, Any], env: Environment, region: LocalRegion | None) -> Probe:  # noqa: ARG001
    """Build the probe.

    Raises:
        GuardError: the URL's host is not on the environment's allow-list.
        ProbeError: it is no http URL.
    """
    url = address(options, env)
    return Identity(url=url, field=str(options["field"]), timeout_s=float(options.get("timeout_s", 1.0)))
