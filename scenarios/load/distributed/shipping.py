"""A worker's books on their way to the master: gathered for a moment, sent in numbered parcels."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

GATHER_S = 0.2
Line = tuple[str, str]


@dataclass(slots=True, kw_only=True)
class Shipper:
    """A sink whose lines go to the master a moment later.

    ``send`` takes a parcel ``{"number", "lines": [[file, text], ...]}`` and raises ``unsent`` when it could
    not; numbers count up from 1, so that a lost one shows. ``later`` calls back after some seconds.
    """

    send: Callable[[dict[str, Any]], None]
    later: Callable[[float, Callable[[], None]], object]
    unsent: type[Exception]
    number: int = 0
    _gathered: list[Line] = field(default_factory=list)
    _waiting: bool = False

    def append(self, name: str, text: str) -> None:
        """Keep the lines for the next parcel."""
        if not text:
            return
        self._gathered.append((name, text))
        if not self._waiting:
            self._waiting = True
            self.later(GATHER_S, self.ship)

    def ship(self) -> None:
        """Send what has gathered; what could not be sent goes with the next parcel."""
        self._waiting = False
        gathered, self._gathered = self._gathered, []
        if not gathered:
            return
        try:
            self.send({"number": self.number + 1, "lines": [list(line) for line in gathered]})
        except self.unsent:
            self._gathered = gathered + self._gathered
            return
        self.number += 1
