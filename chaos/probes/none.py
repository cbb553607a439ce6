"""No fault, nothing to see: the probe of experiments that only prove that the gate does not cry wolf."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chaos.local import LocalRegion
from chaos.probes import Probe, Reading
from chaos.sight import Phase
from fixtures.environment import Environment

REQUIRED: frozenset[str] = frozenset()
OPTIONAL: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Nothing:
    """Sees every moment as armed."""

    slowest_s: float = 0.0

    def read(self) -> Reading:
        """An empty reading."""
        return {}

    def refusal(self, reading: Reading) -> str:  # noqa: ARG002 - the protocol's shape
        """Nothing to refuse."""
        return ""

    def compare(self, armed: Reading, reading: Reading) -> tuple[Phase, str]:  # noqa: ARG002 - the protocol's shape
        """Always as armed."""
        return Phase.ARMED, "no fault expected"


def make(options: Mapping[str, Any], env: Environment, region: LocalRegion | None) -> Probe:  # noqa: ARG001
    """Build the probe."""
    return Nothing()
