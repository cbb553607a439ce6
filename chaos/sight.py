"""Seeing a fault begin and end: the rules, without clock, thread or network.

A probe compares each reading with the one it was armed with and calls it ARMED, BROKEN or RESTORED. The fault
begins with the first of `BEGINS` consecutive samples that are not as armed (a single lost answer is no fault)
and ends with the first of `ENDS` consecutive RESTORED ones. Both times are those at which the question was
asked.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Literal

BEGINS = 2
ENDS = 3

Edge = Literal["first", "last"]


class Phase(Enum):
    """How a reading compares with the armed one."""

    ARMED = "as armed"
    BROKEN = "broken"
    RESTORED = "restored"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One look: `t` in epoch seconds, the moment the question was asked."""

    t: float
    phase: Phase
    detail: str = ""


@dataclass(slots=True, kw_only=True)
class Sight:
    """The state machine; feed it samples in the order in which they were taken."""

    first: Sample | None = None
    last: Sample | None = None
    latest: Sample | None = None
    calm: int = 0
    _odd: list[Sample] = field(default_factory=list)
    _restored: list[Sample] = field(default_factory=list)

    def feed(self, sample: Sample) -> tuple[tuple[Edge, Sample], ...]:
        """Take one sample; returns the edges it confirms, each with the sample at which it lies."""
        self.latest = sample
        self.calm = 0 if sample.phase is Phase.BROKEN else self.calm + 1
        self._odd = [] if sample.phase is Phase.ARMED else [*self._odd[:BEGINS], sample]
        self._restored = [*self._restored[:ENDS], sample] if sample.phase is Phase.RESTORED else []
        edges: list[tuple[Edge, Sample]] = []
        if self.first is None and len(self._odd) >= BEGINS:
            self.first = self._odd[0]
            edges.append(("first", self.first))
        if self.first is not None and self.last is None and len(self._restored) >= ENDS:
            self.last = self._restored[0]
            edges.append(("last", self.last))
        return tuple(edges)
