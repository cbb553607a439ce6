"""Reads and cross-checks everything that a run needs, before anything starts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from chaos import experiment
from chaos.experiment import Experiment
from fixtures import environment, quantity
from fixtures.errors import ConfigError as QuantityError
from gameday import admission, catalog, defects, plan, replayed
from gameday.crew import Crew
from gameday.errors import ConfigError
from gameday.plan import Load, Phase, Plan
from gameday.run import Request, targets
from gameday.traffic import Traffic, describe
from slo.manifest import select
from slo.objective import Objective

WARMUP_S = 10.0
DEFAULT_RATE = "50/s"
DEFAULT_DURATION = "150s"
_BY_REQUESTS = {
    "latency",
    "errors",
    "availability",
    "attainment",
    "leaks",
    "wrong_content",
    "stale_reads",
    "unclear",
}
_BY_LEDGER = {
    "lost_writes",
    "duplicated_writes",
    "jobs_completed",
    "lost_updates",
    "out_of_order",
    "undelivered",
    "redelivered",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line changes about a plan; None and empty leave it as it is."""

    env: str
    only: tuple[str, ...] = ()
    rate: str | None = None
    duration: str | None = None
    no_faults: bool = False
    seed: int | None = None
    use_standing: bool = False
    crew: Crew | None = None
    workload: Path | None = None
    speed: float = 1.0
    objectives: tuple[str, ...] = ()
    defects: tuple[str, ...] = ()
    plan_hashes: tuple[str, ...] = ()


def request(name: str, options: Options, *, out: Path = Path("runs"), command: str = "") -> Request:
    """A run of the plan `name`, or of the system `name` without a plan file.

    Raises:
        ConfigError: and its kin of other packages; nothing was sent.
    """
    env = environment.load(options.env)
    if options.workload is not None:
        return _replay(name, options.workload, options, env=env, out=out, command=command)
    if options.objectives or options.speed != 1.0:
        raise ConfigError("--speed and --objective go with --replay; a plan and a system have their own")
    if _is_plan(name):
        chosen = _changed(plan.load(name), options)
        defects.allowed(chosen.defects, chosen.system, env, standing=options.use_standing)
        traffic = describe(chosen.system, chosen.load.only)
        objectives = targets(chosen.system)
        if options.only or options.no_faults or options.rate:
            chosen = _narrowed(chosen, objectives, traffic)
    else:
        defects.allowed(options.defects, name, env, standing=options.use_standing)
        traffic = describe(name, options.only)
        objectives = targets(name)
        chosen = _adhoc(name, options, objectives, traffic)
    _known(chosen, objectives)
    return Request(
        plan=chosen,
        env=env,
        objectives=objectives,
        experiments=experiments(chosen),
        traffic=traffic,
        out=out,
        command=command,
        use_standing=options.use_standing,
        approved=admission.hashes(options.plan_hashes, chosen.experiments),
        crew=options.crew,
    )


def experiments(chosen: Plan) -> dict[str, Experiment]:
    """The plan's experiments by name.

    Raises:
        ConfigError: a drill is not the last; its undo waits for the read-back, and nothing else may be broken
            meanwhile.
    """
    folder = plan.EXPERIMENTS / chosen.system
    found = {name: experiment.load(folder / f"{name}.json") for name in chosen.experiments}
    early = [name for name in chosen.experiments[:-1] if found[name].drill]
    if early:
        raise ConfigError(
            f"{chosen.name}: {early[0]} is a drill, undone after the read-back; expected it to be the last"
        )
    return found


def drivable(one: Objective, traffic: Traffic, rate: float, phases: tuple[Phase, ...]) -> bool:
    """Whether this traffic in these phases gives the objective something to judge.

    A target that is a rate needs at least that rate: 50/s prove nothing about 100 searches a second.
    """
    names = {phase.name for phase in phases}
    if one.phase not in names and one.phase != "all":
        return False
    if one.sli in _BY_LEDGER:
        return "@write" in traffic.driven() and traffic.ledger_sets.issuperset(one.sets)
    if one.sli == "throughput":
        return traffic.rate_of(one.operations, rate) >= one.expr.limit
    if one.sli not in _BY_REQUESTS:
        return False
    if one.each:
        return _often_enough(one, traffic, rate, phases)
    return not one.operations or bool(traffic.driven() & set(one.operations))


def _often_enough(one: Objective, traffic: Traffic, rate: float, phases: tuple[Phase, ...]) -> bool:
    """Whether even the rarest of its operations comes as often as the objective asks for."""
    seconds = sum(phase.for_s for phase in phases if one.phase in (phase.name, "all"))
    mine = select(one.operations, {slug: each["groups"] for slug, each in traffic.operations.items()})
    rates = [traffic.rate_of((slug,), rate) for slug in mine if slug in traffic.driven()]
    return bool(rates) and min(rates) * seconds >= one.min_samples


def _replay(
    name: str, workload: Path, options: Options, *, env: environment.Environment, out: Path, command: str
) -> Request:
    if options.defects:
        raise ConfigError("--defect does not go with --replay; expected a plan or a system")
    if options.plan_hashes:
        raise ConfigError("--plan-hash does not go with --replay, which has no experiments")
    if options.rate or options.no_faults:
        raise ConfigError("--rate and --no-faults do not go with --replay; --speed makes it faster or slower")
    wish = replayed.Wish(
        file=workload,
        speed=options.speed,
        duration=options.duration,
        only=options.only,
        objectives=options.objectives,
        seed=1 if options.seed is None else options.seed,
    )
    return replayed.request(
        name, wish, env, out=out, command=command, crew=options.crew, use_standing=options.use_standing
    )


def _is_plan(name: str) -> bool:
    if name.endswith(".toml") or name in plan.names():
        return True
    if name in catalog.scenarios():
        return False
    raise ConfigError(f"no plan or system {name!r}; plans: {plan.names()}; systems: {catalog.scenarios()}")


def _changed(chosen: Plan, options: Options) -> Plan:
    load = replace(chosen.load, only=options.only or chosen.load.only)
    if options.rate and (load.stages or load.model == "users"):
        raise ConfigError(f"{chosen.name} has no one rate to replace; expected no --rate with this plan")
    if options.rate:
        load = replace(load, rate=_rate(options.rate))
    if options.seed is not None:
        load = replace(load, seed=options.seed)
    phases = chosen.phases
    if options.duration:
        seconds = _duration(options.duration)
        phases = tuple(replace(phase, for_s=seconds) if phase.name == "steady" else phase for phase in phases)
    if options.no_faults:
        phases = tuple(phase for phase in phases if phase.name in {"warmup", "steady"})
    planted = (*chosen.defects, *options.defects)
    return replace(chosen, load=load, phases=phases, defects=planted)


def _narrowed(chosen: Plan, objectives: tuple[Objective, ...], traffic: Traffic) -> Plan:
    """Drop objectives that the changed plan no longer drives; they are then printed as not driven."""
    known = {one.id: one for one in objectives}
    unasked = _BY_REQUESTS | _BY_LEDGER | {"throughput"}
    names = {phase.name for phase in chosen.phases} | {"all"}
    kept = tuple(
        name
        for name in chosen.objectives
        if name not in known
        or (known[name].sli in unasked and drivable(known[name], traffic, chosen.load.rate, chosen.phases))
        or (known[name].sli not in unasked and known[name].phase in names)
    )
    if not kept:
        raise ConfigError(
            f"nothing of {chosen.name} is left to judge with these options; expected at least one objective"
        )
    return replace(chosen, objectives=kept, least_passes=min(chosen.least_passes, len(kept)))


def _adhoc(system: str, options: Options, objectives: tuple[Objective, ...], traffic: Traffic) -> Plan:
    rate = _rate(options.rate or DEFAULT_RATE)
    steady = _duration(options.duration or DEFAULT_DURATION)
    phases = (Phase(name="warmup", for_s=WARMUP_S), Phase(name="steady", for_s=steady))
    driven = tuple(
        one.id for one in objectives if drivable(one, traffic, rate, phases) and not one.expr.relative
    )
    if not driven:
        raise ConfigError(f"no objective of {system} can be judged at {rate:g}/s with {list(options.only)}")
    return Plan(
        name="-".join((system, *options.only)),
        system=system,
        policy="local",
        objectives=driven,
        least_passes=len(driven),
        load=Load(rate=rate, only=options.only, seed=1 if options.seed is None else options.seed),
        phases=phases,
        defects=options.defects,
    )


def _known(chosen: Plan, objectives: tuple[Objective, ...]) -> None:
    unknown = sorted(set(chosen.objectives) - {one.id for one in objectives})
    if unknown:
        raise ConfigError(
            f"{chosen.name}: no objectives {unknown} in slo/targets/{chosen.system}.toml; "
            f"expected ids from {sorted(one.id for one in objectives)}"
        )


def _rate(text: str) -> float:
    try:
        return quantity.rate(text)
    except QuantityError as error:
        raise ConfigError(f"--rate: {error.problem}") from error


def _duration(text: str) -> float:
    try:
        return quantity.duration(text)
    except QuantityError as error:
        raise ConfigError(f"--for: {error.problem}") from error
