"""After faults of Lambda functions: the region holds none any more."""

from __future__ import annotations

from chaos.facts.lambda_invocation_error import problem

__all__ = ["problem"]
