"""What a section is given: how long it may take, a temporary folder, and a voice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """``quick``: a smoke run with shorter windows and one repeat. ``folder`` is removed at the end."""

    quick: bool
    folder: Path
    say: Callable[[str], None]

    @property
    def repeats(self) -> int:
        """How often each measurement is repeated where noise matters."""
        return 1 if self.quick else 3

    def seconds(self, full: float, quick: float) -> float:
        """This long, or that long in a smoke run."""
        return quick if self.quick else full
