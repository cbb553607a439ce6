"""What the machine's host takes from it: time in which this machine wanted to run and another one did.

Nothing that runs here can be blamed for it, and nothing here is on time meanwhile. Source: proc(5),
"/proc/stat", field `steal`, which is zero on machines that share their processors with nobody.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

STAT = Path("/proc/stat")
_STEAL, _GUEST = 7, 8  # guest time, the columns from the ninth on, is counted in the first two as well


def ticks() -> tuple[int, int] | None:
    """Ticks that were stolen from all processors, and ticks in all; None where no such thing is known."""
    try:
        with STAT.open("rb") as stat:
            name, *columns = stat.readline().split()
        counted = [int(column) for column in columns[:_GUEST]]
        return (counted[_STEAL], sum(counted)) if name == b"cpu" else None
    except (OSError, ValueError, IndexError):
        return None


@dataclass(slots=True, kw_only=True)
class Host:
    """Tells what was taken since it was last asked."""

    ticks: Callable[[], tuple[int, int] | None] = ticks
    _last: tuple[int, int] | None = None

    def report(self) -> dict[str, float]:
        """`stolen`: the share of all processors' time; nothing where it is not known, or at first."""
        before, self._last = self._last, self.ticks()
        if before is None or self._last is None or self._last[1] <= before[1]:
            return {}
        return {"stolen": round((self._last[0] - before[0]) / (self._last[1] - before[1]), 4)}
