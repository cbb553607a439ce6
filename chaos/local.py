"""The local region as the fault driver sees it: its region.json and its control endpoint."""

from __future__ import annotations

import json
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chaos.errors import ControlError
from fixtures.region import info
from fixtures.region.errors import InfoError

LOOPBACK = {"127.0.0.1", "::1", "localhost"}


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalRegion:
    """A region by the path of its region.json (or its folder)."""

    path: Path
    timeout_s: float = 10.0

    def info(self) -> info.RegionInfo:
        """What region.json says now.

        Raises:
            ControlError: there is none, or it cannot be understood.
        """
        try:
            return info.read(self.path)
        except InfoError as error:
            raise ControlError(str(error)) from error

    def ask(self, do: str, **arguments: Any) -> dict[str, Any]:
        """Send one control request and return its answer.

        Raises:
            ControlError: no answer, or `ok` is false; the message carries the region's reason.
        """
        address = self.info().endpoints.get("control", "")
        host, _, port = address.rpartition(":")
        if host not in LOOPBACK or not port.isdigit():
            raise ControlError(f"{self.path}: control endpoint {address!r}; expected a loopback host:port")
        try:
            answer = self._exchange(host, int(port), {"do": do, **arguments})
        except (OSError, ValueError) as error:
            raise ControlError(
                f"the region's control at {address} does not answer {do!r}: {error}"
            ) from error
        if answer.get("ok") is not True:
            raise ControlError(f"the region refused {do!r}: {answer.get('error', 'no reason given')}")
        return answer

    def _exchange(self, host: str, port: int, request: dict[str, Any]) -> dict[str, Any]:
        with socket.create_connection((host, port), timeout=self.timeout_s) as connection:
            connection.sendall(json.dumps(request).encode() + b"\n")
            with connection.makefile("rb") as stream:
                answer = json.loads(stream.readline() or b"null")
        if not isinstance(answer, dict):
            raise ValueError(f"answered {answer!r}, expected one JSON object")  # noqa: TRY004 - the peer's fault
        return answer
