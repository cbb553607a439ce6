"""What a run would do, computed from the files alone."""

from __future__ import annotations

import math
from dataclasses import dataclass

from gameday.plan import Load, Plan
from gameday.run import Request
from slo.objective import Objective

ALPHA = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """Rows of text, ready for a table."""

    headline: str
    phases: tuple[tuple[str, str, str, str], ...]
    objectives: tuple[tuple[str, str, str, str, str, str], ...]
    not_driven: tuple[str, ...]


def of(request: Request) -> Preview:
    """Preview of a prepared run."""
    plan, env = request.plan, request.env
    driven = [one for one in request.objectives if one.id in plan.objectives]
    return Preview(
        headline=(
            f"{plan.name} on {env.name} ({env.kind}): {_load(plan.load)}, {plan.seconds:g} s"
            f"{_requests(plan)}; seed {plan.load.seed}"
            f"{'; planted on purpose: ' if plan.defects else ''}{', '.join(plan.defects)}"
        ),
        phases=tuple(
            (phase.name, f"{phase.for_s:g} s", phase.experiment or "", _what(request, phase.experiment))
            for phase in plan.phases
        ),
        objectives=tuple(_row(request, one) for one in driven),
        not_driven=tuple(one.id for one in request.objectives if one.id not in plan.objectives),
    )


def _load(load: Load) -> str:
    """Model and size in a few words."""
    if load.model == "users":
        return f"{load.users:,} users who wait for their answers (closed model)"
    rate = f"up to {load.rate:g} requests/s in stages" if load.stages else f"{load.rate:g} requests/s"
    if load.model == "partly-open":
        return f"{rate}, visits that go on after their answers (closed model)"
    return f"{rate}, open arrivals" + (f" on {load.sessions:,} held sessions" if load.sessions else "")


def _requests(plan: Plan) -> str:
    """About how many there will be, where the schedule says it."""
    if plan.load.model == "users" or plan.load.stages:
        return ""
    return f", about {plan.seconds * plan.load.rate:,.0f} requests"


def samples_needed(budget: float) -> int:
    """Arrivals, none of them bad, that put the 95% Clopper-Pearson bound under `budget` (a share)."""
    return math.floor(math.log(ALPHA) / math.log1p(-budget)) + 1


def _what(request: Request, name: str | None) -> str:
    if name is None:
        return ""
    return ", ".join(request.experiments[name].actions)


def _row(request: Request, one: Objective) -> tuple[str, str, str, str, str, str]:
    budget = _budget(one)
    seconds = sum(phase.for_s for phase in request.plan.phases if one.phase in (phase.name, "all"))
    arrivals = request.traffic.rate_of(one.operations, request.plan.load.rate) * seconds
    expected = f"{arrivals:,.0f}" if budget is not None and arrivals else ""
    needed = f"{samples_needed(budget):,}" if budget is not None else ""
    return one.id, one.phase, one.expr.text, expected, needed, one.basis


def _budget(one: Objective) -> float | None:
    if one.expr.relative:
        return None
    if one.expr.quantile is not None:
        return 1 - one.expr.quantile
    if one.sli == "errors":
        return one.expr.limit
    return 1 - one.expr.limit if one.sli in {"availability", "attainment"} else None
