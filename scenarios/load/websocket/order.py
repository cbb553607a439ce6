"""Pure bookkeeping of a conversation: sequence numbers, and when to try to connect again."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

Place = Literal["next", "reordered", "duplicated"]


@dataclass(slots=True, kw_only=True)
class Order:
    """One stream of numbered messages: what is missing, late or there twice.

    The first number seen starts the stream. A number that is missed counts as lost once some ``window``
    newer ones have passed, or at the ``end``; one that comes before that was reordered. What is older than
    the window is taken for reordered: nothing is known of it any more, so memory stays bounded.
    """

    window: int = 1024
    oldest: int | None = None
    newest: int = 0
    _missing: set[int] = field(default_factory=set)
    _lost: int = 0
    _looked: int = 0

    def feed(self, number: int) -> Place:
        """Where this number stands among those that came before it."""
        if self.oldest is None:
            self.oldest = self.newest = self._looked = number
            return "next"
        if number > self.newest:
            self._skip(self.newest + 1, number)
            self.newest = number
            self._forget()
            return "next"
        if number in self._missing:
            self._missing.remove(number)
            return "reordered"
        if number < self.oldest:
            self._skip(number + 1, self.oldest)
            self.oldest = number
            self._forget()
            return "reordered"
        return "duplicated" if number > self.newest - self.window else "reordered"

    def take_lost(self) -> int:
        """How many were given up since the last call."""
        lost, self._lost = self._lost, 0
        return lost

    @property
    def missing(self) -> int:
        """How many have been skipped and may still come."""
        return len(self._missing)

    def end(self) -> int:
        """Nothing more will come: how many were lost since the last ``take_lost``."""
        self._lost += len(self._missing)
        self._missing.clear()
        return self.take_lost()

    def _skip(self, first: int, after: int) -> None:
        """Numbers in [first, after) were passed over; those far behind the newest are lost at once."""
        near = max(first, min(after, max(self.newest, after) - self.window))
        self._lost += near - first
        self._missing.update(range(near, after))

    def _forget(self) -> None:
        if self._missing and self.newest - self._looked >= self.window // 8:
            self._looked = self.newest
            old = {number for number in self._missing if number <= self.newest - self.window}
            self._lost += len(old)
            self._missing -= old


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """Waits before connecting again, in seconds: growing by ``factor`` from ``first_s`` to ``most_s``.

    Each is drawn evenly from the upper ``jitter`` share of its length, so that sessions that lost their
    server together do not come back together (RFC 6455, section 7.2.3). ``attempts`` bounds the tries
    after one loss.
    """

    first_s: float = 0.5
    factor: float = 2.0
    most_s: float = 15.0
    jitter: float = 1.0
    attempts: int = 1_000

    def __post_init__(self) -> None:
        """Refuse what would not back off."""
        if not (0 < self.first_s <= self.most_s and self.factor >= 1 and 0 <= self.jitter <= 1):
            raise ValueError(
                f"expected 0 < first_s <= most_s, factor >= 1 and jitter from 0 to 1; got {self}"
            )

    def waits(self, rng: random.Random) -> Iterator[float]:
        """One wait per attempt."""
        longest = self.first_s
        for _ in range(self.attempts):
            yield longest * (1 - self.jitter * rng.random())
            longest = min(self.most_s, longest * self.factor)
