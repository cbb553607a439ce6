"""The driver's own view of the traffic: too few good answers for too long end a fault."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

Good = Callable[[], float | None]
"""The share of good answers now; None when nothing arrived or nobody counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Floor:
    """A fault ends when the share of good answers stays below `good_ratio` for `for_s` seconds.

    The defaults are quicker than the stop alarm, which asks for a minute, and bear half a minute of outage.
    """

    good_ratio: float = 0.1
    for_s: float = 30.0


@dataclass(slots=True, kw_only=True)
class Watch:
    """Looks at the traffic while a fault is in force; without `good` there is nothing to look at."""

    floor: Floor
    good: Good | None
    clock: Callable[[], float] = time.monotonic
    _since: float | None = None

    def broken(self) -> str:
        """Why the fault must end now; empty while it need not. No answers at all are no good ones."""
        if self.good is None:
            return ""
        ratio, now = self.good(), self.clock()
        if ratio is not None and ratio >= self.floor.good_ratio:
            self._since = None
            return ""
        if self._since is None:
            self._since = now
        if now - self._since < self.floor.for_s:
            return ""
        seen = "no answers were counted" if ratio is None else f"{ratio:.0%} of the answers were good"
        below = f"the floor of {self.floor.good_ratio:.0%}"
        return f"{seen}, and it was below {below} for {self.floor.for_s:g} s"
