"""What a section is given: how long it may take, a temporary folder, and a voice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """``quick``: a smoke run with shorter windows and one repeat. ``folder`` is removed at the end.

    ``rounds`` takes what is to be known of each round: what the machine's host took, and which were kept.
    """

    quick: bool
    folder: Path
    say: Callable[[str], None]
    rounds: list[dict[str, Any]] = field(default_factory=list)

    @property
    def repeats(self) -> int:
        """How often each measurement is repeated where noise matters."""
        return 1 if self.quick else 3

    def seconds(self, full: float, quick: float) -> float:
        """This long, or that long in a smoke run."""
        return quick if self.quick else full
