"""Telling a system that is well again from one that was never ill, where the readings look the same."""

from __future__ import annotations

from dataclasses import dataclass

from chaos.sight import BEGINS


@dataclass(slots=True)
class Memory:
    """Remembers a fault once it was seen as often in a row as a fault's beginning takes."""

    seen: bool = False
    _row: int = 0

    def take(self, *, broken: bool) -> bool:
        """Take in one look; whether a fault was seen by now."""
        self._row = self._row + 1 if broken else 0
        self.seen = self.seen or self._row >= BEGINS
        return self.seen
