"""A recorded workload as traffic: every request it may repeat, at its moment.

The manifest's `load.replay` names the file and the speed. Where the plan's system has a scenario of its own,
its sessions are opened (logged in) as that scenario opens them, and their token goes with every request.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from fixtures.errors import ConfigError
from fixtures.replay import workload
from fixtures.replay.workload import Workload
from scenarios.errors import ManifestError
from scenarios.load import catalog
from scenarios.load.arrivals import Due
from scenarios.load.catalog import Scenario
from scenarios.load.operation import SAFE_METHODS, Flow, Operation
from scenarios.load.plan import LoadPlan
from scenarios.load.users import FlowUser

SYSTEM = "replay"
GOOD = frozenset(range(200, 400))


def scenario(plan: LoadPlan) -> Scenario:
    """One operation and one flow for each kind of request that is sent again.

    Good are the statuses from 200 to 399, and those below 500 that the log has in numbers. ManifestError when
    the plan names no usable workload.
    """
    recorded = {one.slug: one for one in _read(plan).header.operations if not one.omitted}
    if not recorded:
        raise ManifestError(
            f"{plan.run_id}: nothing in the workload may be sent again; see `gameday replay show`"
        )
    operations = {
        slug: Operation(
            slug=slug,
            method=one.method,
            path=one.template,
            groups=("api", "read" if one.method in SAFE_METHODS else "write"),
            expect=tuple(sorted(GOOD.union(one.expect))),
        )
        for slug, one in recorded.items()
    }
    bodies = {
        slug: (one.body.encode(), {"Content-Type": one.content_type} if one.content_type else {})
        for slug, one in recorded.items()
        if one.body is not None
    }
    base = FlowUser if plan.system == SYSTEM else catalog.load(plan.system).user

    def again(user: FlowUser) -> None:
        """Send the recorded request that the arrival carries."""
        slug, target = cast("tuple[str, str]", user.argument)
        _send(user, operations[slug], target, *bodies.get(slug, (b"", {})))

    members: dict[str, Any] = {
        "__doc__": "A session that repeats recorded requests.",
        "__module__": __name__,
        "operations": tuple(operations.values()),
        "ledger_sets": (),
        **dict.fromkeys(operations, again),
    }
    return Scenario(
        system=plan.system,
        user=type("ReplayUser", (base,), members),
        operations=operations,
        flows={
            slug: Flow(name=slug, weight=one.count, operations=(slug,), tags=(one.method.lower(),))
            for slug, one in recorded.items()
        },
    )


def schedule(plan: LoadPlan) -> Iterator[Due]:
    """The recorded arrivals, read as they become due; ManifestError when the file turns out to be damaged."""
    found, speed = _read(plan), _speed(plan)
    wanted = set(plan.only)
    slugs = [
        one.slug if not one.omitted and (not wanted or wanted & {one.slug, one.method.lower()}) else ""
        for one in found.header.operations
    ]
    try:
        for request in found.requests():
            at = request.at / speed
            if at >= plan.for_s:
                return
            if slug := slugs[request.operation]:
                yield Due(at, slug, (slug, request.target))
    except ConfigError as error:
        raise ManifestError(str(error)) from error


def _send(user: FlowUser, operation: Operation, target: str, body: bytes, headers: dict[str, str]) -> None:
    marks = {"X-Gameday-Run": user.plan.run_id, "User-Agent": f"gameday/1 ({user.plan.run_id})"}
    if user.client.token:
        marks["Authorization"] = f"Bearer {user.client.token}"
    url = f"{user.plan.base_url}{target}"
    prepared = user.session.prepare(operation.method, url, {**marks, **headers}, body)
    user.call(operation, prepared=prepared)


def _read(plan: LoadPlan) -> Workload:
    if plan.replay is None:
        raise ManifestError("the plan has no load.replay; expected its file and speed")
    try:
        return workload.read(Path(plan.replay.file))
    except ConfigError as error:
        raise ManifestError(str(error)) from error


def _speed(plan: LoadPlan) -> float:
    speed = plan.replay.speed if plan.replay else 1.0
    if not 0 < speed < float("inf"):
        raise ManifestError(f"load.replay.speed is {speed}; expected a number above 0")
    return speed
