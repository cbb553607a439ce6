"""After faults of Lambda functions: the region holds none any more."""

from __future__ import annotations

from chaos.facts import Context

KIND = "function-faults"


def problem(context: Context) -> str:
    """Local: no lease. AWS: FIS takes its configuration back itself, and the probe sees the rest."""
    if context.region is None:
        return ""
    held = [lease["lease"] for lease in context.region.ask("leases")["leases"] if lease["kind"] == KIND]
    return f"still held: {', '.join(held)}" if held else ""
