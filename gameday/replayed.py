"""A run that repeats a recorded workload: what it would send is known, and checked, before it starts."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fixtures import quantity
from fixtures.environment import Environment
from fixtures.errors import ConfigError as QuantityError
from fixtures.replay import workload
from fixtures.replay.workload import Workload
from gameday import catalog, load
from gameday.crew import Crew
from gameday.errors import ConfigError
from gameday.plan import Load, Phase, Plan
from gameday.run import Request
from gameday.traffic import Traffic
from slo import objective
from slo.errors import ConfigError as ObjectiveError
from slo.policy import MEASURE

SYSTEM = "replay"
SLOWEST, FASTEST = 0.01, 1000.0
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the command line asks of a replay; `duration` None plays all of it."""

    file: Path
    speed: float = 1.0
    duration: str | None = None
    only: tuple[str, ...] = ()
    objectives: tuple[str, ...] = ()
    seed: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What a replay will do: how long, what it sends, what it leaves out and why, its busiest second."""

    for_s: float
    planned: int
    skipped: dict[str, int]
    peak: int
    peak_at: int


def request(
    system: str,
    wish: Wish,
    env: Environment,
    *,
    out: Path,
    command: str,
    crew: Crew | None,
    use_standing: bool,
) -> Request:
    """A run that repeats the workload against the environment.

    `system` is "replay", or one whose sessions (accounts, tokens) the requests are to be sent with.

    Raises:
        ConfigError: and its kin of other packages; nothing was sent.
    """
    _refuse_misplaced(system, env, use_standing=use_standing)
    found, seconds = workload.read(wish.file), _seconds(wish.duration)
    seen = preview(found, speed=wish.speed, limit_s=seconds, only=wish.only)
    if seen.peak > env.max_rate:
        slower = wish.speed * env.max_rate / seen.peak
        raise ConfigError(
            f"{wish.file} sends {seen.peak} requests in its second {seen.peak_at} at speed {wish.speed:g}; "
            f"environment {env.name!r} allows {env.max_rate:g}/s (max_rate in {env.path}); nothing was sent: "
            f"try --speed {max(SLOWEST, math.floor(slower * 100) / 100):g}"
        )
    text = load.objectives_text(wish.objectives, operations=("@api",))
    try:
        wanted = objective.loads(text, "--objective") if text else ()
    except ObjectiveError as error:
        raise ConfigError(str(error)) from error
    rate = seen.planned / seen.for_s
    return Request(
        plan=Plan(
            name=SYSTEM if system == SYSTEM else f"{system}-{SYSTEM}",
            system=system,
            policy="local" if wanted else MEASURE,
            objectives=tuple(one.id for one in wanted),
            least_passes=len(wanted),
            load=Load(rate=rate, only=wish.only, seed=wish.seed, max_in_flight=_in_flight(seen)),
            phases=(Phase(name="steady", for_s=seen.for_s),),
        ),
        env=replace(env, kind="url") if system == SYSTEM and env.kind == "aws" else env,  # nobody's alarms
        objectives=wanted,
        experiments={},
        traffic=traffic_of(found, wish.only),
        out=out,
        command=command,
        use_standing=use_standing,
        own_targets=text,
        load={"replay": {"file": str(wish.file.resolve()), "speed": wish.speed}},
        crew=crew,
    )


def _refuse_misplaced(system: str, env: Environment, *, use_standing: bool) -> None:
    """ConfigError when the requests could not be sent as anybody, or to anything."""
    if system != SYSTEM and system not in catalog.scenarios():
        raise ConfigError(
            f"--replay goes with {SYSTEM!r} or a system, not with {system!r}; systems: {catalog.scenarios()}"
        )
    if system == SYSTEM and env.kind == "region" and not use_standing:
        raise ConfigError(
            f"{env.name!r} is a local region: name the system it is to run instead of {SYSTEM!r}, one of "
            f"{catalog.scenarios()}, or use --standing"
        )


def preview(found: Workload, *, speed: float, limit_s: float | None, only: tuple[str, ...] = ()) -> Preview:
    """Read the workload as far as it will be played.

    Raises:
        ConfigError: the file is damaged, or nothing of it would be sent.
    """
    if not SLOWEST <= speed <= FASTEST:
        raise ConfigError(f"--speed {speed:g}; expected {SLOWEST:g} to {FASTEST:g}")
    reasons = omitted(found, only)
    skipped: Counter[str] = Counter()
    planned = taken = second = in_second = peak = peak_at = 0
    for one in found.requests():
        at = one.at / speed
        if limit_s is not None and at >= limit_s:
            skipped["after the end"] = found.header.requests - taken
            break
        taken += 1
        if reason := reasons[one.operation]:
            skipped[reason] += 1
            continue
        planned += 1
        if int(at) != second:
            second, in_second = int(at), 0
        in_second += 1
        if in_second > peak:
            peak, peak_at = in_second, second
    if not planned:
        raise ConfigError(f"{found.path}: none of its requests would be sent ({dict(skipped)})")
    whole = math.floor(found.header.span_s / speed) + 1.0
    return Preview(
        for_s=whole if limit_s is None else min(whole, limit_s),
        planned=planned,
        skipped=dict(skipped.most_common()),
        peak=peak,
        peak_at=peak_at,
    )


def omitted(found: Workload, only: tuple[str, ...] = ()) -> list[str]:
    """For each operation why its requests are not sent; empty where they are."""
    names = {name for one in found.header.operations for name in (one.slug, one.method.lower())}
    if unknown := set(only) - names:
        raise ConfigError(f"--only {sorted(unknown)}: the workload has {sorted(names)}")
    return [
        one.omitted or ("" if not only or {one.slug, one.method.lower()} & set(only) else "not asked for")
        for one in found.header.operations
    ]


def traffic_of(found: Workload, only: tuple[str, ...] = ()) -> Traffic:
    """What scenarios/load/replayed.py makes of the workload: known here, so that no process must be asked."""
    reasons = omitted(found, only)
    sent = [one for one, reason in zip(found.header.operations, reasons, strict=True) if not reason]
    operations: dict[str, dict[str, Any]] = {
        one.slug: {
            "name": f"{one.method} {one.template}",
            "groups": ["api", "read" if one.method in _SAFE else "write"],
        }
        for one in sent
    }
    flows: dict[str, dict[str, Any]] = {
        one.slug: {"weight": one.count, "operations": [one.slug], "tags": [one.method.lower()]}
        for one in sent
    }
    return Traffic(operations=operations, flows=flows, requests_per_flow=1.0)


def _in_flight(seen: Preview) -> int:
    """As many as the busiest second keeps open until they time out, within bounds."""
    return min(
        max(math.ceil(seen.peak * Load(rate=1.0).timeout_s), load.FEWEST_IN_FLIGHT), load.MOST_IN_FLIGHT
    )


def _seconds(duration: str | None) -> float | None:
    if duration is None:
        return None
    try:
        return quantity.duration(duration)
    except QuantityError as error:
        raise ConfigError(f"--for: {error.problem}") from error
