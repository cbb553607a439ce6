"""Drills: what they would change is there, and its owner has opted in."""

from __future__ import annotations

from collections.abc import Iterator

from chaos import drilling
from chaos.errors import GuardError
from chaos.prerequisites import Asked, Finding
from chaos.proof import Patience


def check(asked: Asked) -> Iterator[Finding]:
    """The drill's own plan, which changes nothing."""
    if not asked.experiment.drill:
        return
    try:
        plan = drilling.plan(asked.experiment, asked.env, Patience.of(asked.env))
    except GuardError as error:
        yield asked.missing(str(error), "tag what the drill may change, or start it")
        return
    yield asked.there(f"the drill would change {', '.join(plan.arns)}")
