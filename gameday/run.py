"""One run: region, traffic, phases and faults as nested blocks, then the judge and the report."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from chaos import metrics
from chaos.errors import ChaosError
from chaos.experiment import Experiment
from fixtures.environment import Environment
from fixtures.errors import FixtureError
from gameday import admission, folder, limits, live, past
from gameday.crew import Crew
from gameday.errors import ConfigError, FolderError, GamedayError, WorkersLostError
from gameday.exitcodes import ExitCode
from gameday.interrupts import interrupts
from gameday.plan import Plan
from gameday.process import ROOT
from gameday.region import STANDING, region, standing
from gameday.timeline import Timeline
from gameday.traffic import Traffic, traffic
from reports import render
from slo import judge, objective, policy, record, verdict
from slo.errors import SloError
from slo.manifest import Manifest
from slo.objective import Objective
from slo.record import Record
from slo.verdict import Verdicts

INTERRUPTED = "interrupted"
_SYSTEM = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Everything a run needs, read and checked before anything starts.

    `own_targets` is the text of the run's own objectives.toml, where its system has no file of them; `load`
    adds to what the plan's load says in the manifest; `crew` are the workers that share it; `approved`
    are the plan hashes by experiment that may be applied (none: whatever resolves).
    """

    plan: Plan
    env: Environment
    objectives: tuple[Objective, ...]
    experiments: Mapping[str, Experiment]
    traffic: Traffic
    out: Path
    command: str
    use_standing: bool = False
    own_targets: str = ""
    load: Mapping[str, object] = field(default_factory=dict)
    crew: Crew | None = None
    approved: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse what must not be sent.

        Raises:
            ConfigError: more requests per second than the environment allows, or faults where nothing keeps
                two runs apart.
        """
        if self.experiments and self.env.kind == "aws" and self.env.aws.lock_bucket is None:
            raise ConfigError(
                f"{self.plan.name} has faults, and {self.env.path} names no aws.lock_bucket; expected the S3 "
                "bucket in which runs agree on who is next; nothing was sent"
            )
        load, allowed = self.plan.load, f"{self.env.max_rate:g}/s (max_rate in {self.env.path})"
        if load.rate > self.env.max_rate:
            raise ConfigError(
                f"{self.plan.name} sends {load.rate:g}/s; environment {self.env.name!r} allows {allowed}; "
                "nothing was sent"
            )
        at_once = load.users * self.traffic.requests_per_flow
        if load.model == "users" and at_once > self.env.max_rate * load.think_s:
            raise ConfigError(
                f"{self.plan.name} has {load.users} users who think for {load.think_s:g} s and may send more "
                f"than environment {self.env.name!r} allows, {allowed}; expected a think time of at least "
                f"{at_once / self.env.max_rate:g} s; nothing was sent"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A finished run: where it is, what was judged, and the exit code."""

    path: Path
    verdicts: Verdicts
    code: ExitCode


def run(request: Request, say: Callable[[str], None]) -> Result:
    """Do it.

    Raises:
        GamedayError, FixtureError, ChaosError: nothing was measured (the region did not start, somebody else
            holds the lock, a target resolves to nothing).
    """
    connections = limits.at_once({**asdict(request.plan.load), **request.load})
    workers = request.crew.local + request.crew.remote if request.crew else 1
    limits.ensure(
        connections, workers=workers, edge=request.env.kind == "region" and not request.use_standing
    )
    with interrupts() as stop:
        with ExitStack() as place:
            env = place.enter_context(_place(request, stop))
            run_id = folder.name(request.plan)
            lock = place.enter_context(admission.admitted(request, env, run_id, stop, say))
            planted = _planted(request)
            path = folder.create(request.out, run_id)
            opened = folder.begin(
                path,
                plan=request.plan,
                env=env,
                traffic=request.traffic,
                objectives=request.objectives,
                experiments=request.experiments,
                command=request.command,
                own_targets=request.own_targets,
                load=request.load,
                crew=request.crew,
                defects=planted,
            )
            say(f"run folder {path}")
            if planted:
                say(f"planted on purpose: {', '.join(planted)}")
            reason, broken = _measure(request, env, opened, stop, say)
            if lock is not None and lock.lost:
                reason, broken = lock.lost, True
                say(f"cut short: {reason}")
        say("judging")
        opened.close("cut-short" if reason else "complete", reason)
        verdicts = _judged(path)
    return Result(path=path, verdicts=verdicts, code=_code(verdicts, reason, broken=broken))


def judge_and_report(path: Path) -> Verdicts:
    """Judge a run folder with its objectives and render it; the only place where both meet."""
    past.set_out(path)
    found = record.read(path)
    verdicts = judge.judge(found, _targets_of(found), now=time.time())
    verdict.write(path, verdicts)
    render.render(path)
    return verdicts


def judge_by(path: Path, file: Path) -> Verdicts:
    """Judge a run by another file of objectives; nothing is written.

    Those that the plan drives are asked, and those that the run's own objectives do not know. Of faults a new
    one is asked of every experiment.

    Raises:
        ConfigError: the file says something wrong, or names operations that the run did not have.
    """
    found = record.read(path)
    slugs = found.manifest.operations
    known = {*slugs, *(f"@{group}" for groups in slugs.values() for group in groups)}
    asked = objective.load(file, known=known)
    usual = {one.id for one in _targets_of(found)}
    return judge.judge(replace(found, manifest=_asking(found.manifest, asked, usual)), asked, now=time.time())


def _asking(described: Manifest, asked: tuple[Objective, ...], usual: set[str]) -> Manifest:
    ids = {one.id for one in asked}
    new = tuple(one.id for one in asked if one.id not in usual)
    of_faults = tuple(one.id for one in asked if one.id in new and one.phase == "fault")
    driven = (*(name for name in described.objectives if name in ids), *new)
    experiments = tuple(
        replace(one, judge=(*(name for name in one.judge if name in ids), *of_faults))
        for one in described.experiments
    )
    least = min(described.least_passes, len(driven))
    return replace(described, objectives=driven, experiments=experiments, least_passes=least)


def _targets_of(found: Record) -> tuple[Objective, ...]:
    """A run's own objectives if it has any, else its system's; none for a run that was only to measure."""
    own = found.folder / folder.OBJECTIVES
    if own.is_file():
        return objective.load(own)
    return () if found.manifest.policy == policy.MEASURE else targets(found.manifest.system)


def _judged(path: Path) -> Verdicts:
    """Judge the run just measured: a record that cannot be read now is the suite's fault, not the user's."""
    try:
        return judge_and_report(path)
    except SloError as error:
        raise FolderError(f"measured, but it cannot be judged: {error}") from error


def _planted(request: Request) -> tuple[str, ...]:
    """The defects that are known to be in the region, whoever named them."""
    shared = request.use_standing and request.env.kind == "region"
    return standing(request.env).defects if shared else request.plan.defects


@contextmanager
def _place(request: Request, stop: threading.Event) -> Iterator[Environment]:
    """The resolved environment, with its region under it where it has one."""
    env = request.env
    if env.kind != "region":
        yield env.resolved(None)
    elif request.use_standing:
        yield env.resolved(standing(env), STANDING / env.name / "region.json")
    else:
        with region(env, request.plan.system, stop=stop, defects=request.plan.defects) as (up, file):
            yield env.resolved(up, file)


def _measure(
    request: Request,
    env: Environment,
    opened: folder.Folder,
    stop: threading.Event,
    say: Callable[[str], None],
) -> tuple[str, bool]:
    """Traffic, faults and metrics; why the run was cut short ("" when whole), and whether something broke."""
    started = time.time()
    reason, broken = "", False
    try:
        if not _drive(request, env, opened, stop, say):
            reason = INTERRUPTED
    except (GamedayError, FixtureError, ChaosError, SloError, OSError) as error:
        reason, broken = str(error), not isinstance(error, WorkersLostError)
        say(f"cut short: {error}")
    if env.kind == "url":
        return reason, broken
    try:
        metrics.collect(env, opened.path, started, time.time())
    except (ChaosError, FixtureError, OSError) as error:
        say(f"no metrics: {error}")
    return reason, broken


def _drive(
    request: Request,
    env: Environment,
    opened: folder.Folder,
    stop: threading.Event,
    say: Callable[[str], None],
) -> bool:
    with ExitStack() as stack:
        process = stack.enter_context(traffic(opened.path, timeout_s=request.plan.load.timeout_s))
        timeline = Timeline(
            plan=request.plan,
            env=env,
            folder=opened.path,
            commit=str(opened.manifest["git"]["commit"]),
            objectives=request.objectives,
            experiments=request.experiments,
            traffic=process,
            stop=stop,
            say=say,
            approved=request.approved,
        )
        watcher = stack.enter_context(
            live.watch(opened.path, lambda: timeline.now, _publisher(env, request.plan.system))
        )
        timeline.good = watcher.good
        return timeline.walk()


def _publisher(env: Environment, system: str) -> Callable[[float], None] | None:
    """How the stop alarm hears of the good ratio; None where there is no alarm."""
    if env.kind == "url":
        return None
    return lambda ratio: metrics.publish_good_ratio(env, system, ratio)


def targets(system: str) -> tuple[Objective, ...]:
    """Every objective of `system`; ConfigError when it has none."""
    if not _SYSTEM.fullmatch(system):
        raise ConfigError(f"no system is called {system!r}; expected the name of a file in slo/targets")
    path = ROOT / "slo" / "targets" / f"{system}.toml"
    return objective.load(path)


def _code(verdicts: Verdicts, reason: str, *, broken: bool) -> ExitCode:
    if reason == INTERRUPTED:
        return ExitCode.INTERRUPTED
    if broken:
        return ExitCode.BROKEN
    return ExitCode(verdicts.exit)


def writable(out: Path) -> Path:
    """`out`, made if it is not there; FolderError when it cannot be."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FolderError(f"cannot make {out}: {error.strerror or error}; choose another --out") from error
    return out
