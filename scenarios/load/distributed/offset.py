"""How far a worker's clock is from the master's, from round trips of messages. Knows no clock itself.

Of several round trips the fastest bounds the error best: the offset is the mean of the two one-way
differences, and it is off by at most half of the round trip (RFC 5905, chapter 8; the minimum filter: Mills,
Computer Network Time Synchronization, chapter 3). The worker's own times are monotonic ones, so that a step
of its wall clock moves nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

KNOWN_TO_S = 0.005


@dataclass(frozen=True, slots=True, kw_only=True)
class Trip:
    """One exchange: ``sent`` and ``back`` by the worker's clock, ``there`` and ``left`` by the master's."""

    sent: float
    there: float
    left: float
    back: float

    @property
    def rtt(self) -> float:
        """Seconds on the way, both ways."""
        return (self.back - self.sent) - (self.left - self.there)

    @property
    def ahead(self) -> float:
        """What must be added to the worker's clock to read the master's."""
        return ((self.there - self.sent) + (self.left - self.back)) / 2


def best(trips: Sequence[Trip]) -> Trip:
    """The trip that says most; ValueError without any."""
    return min(trips, key=lambda trip: trip.rtt)


def well_known(rtt: float) -> bool:
    """Whether an offset from such a round trip is surely within 5 ms."""
    return rtt / 2 <= KNOWN_TO_S
