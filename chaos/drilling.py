"""A drill in being: the same locks, journal, probe and proof as a fault, around our own calls to AWS.

    plan -> probe armed -> journal entry -> the drill's steps -> (later) undo and its proof

A drill leaves the system on what it made, because what is read back afterwards is what it is judged by. So
its undo waits in `later` until the caller closes it; one that was cut or failed is undone at once.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from chaos import alarms, drills, experiment, facts, guard
from chaos.drills import Drill, Facts
from chaos.errors import ChaosError, ConfigError, DriveError, FisError
from chaos.experiment import Experiment
from chaos.facts import Context
from chaos.floor import Watch
from chaos.guard import Plan
from chaos.journal import Entry
from chaos.local import LocalRegion
from chaos.outcome import Outcome, Request, not_started
from chaos.prober import Prober
from chaos.probes import Probe
from chaos.proof import Patience, Proof, prove
from chaos.sight import ENDS
from fixtures import aws
from fixtures.environment import Environment

_ALARM_S = 1.0
_REFUSED = (BotoCoreError, ClientError, ChaosError)


def plan(wanted: Experiment, env: Environment, patience: Patience) -> Plan:
    """What a drill would change, each resource checked, and the hash of exactly this; nothing is changed.

    Raises:
        GuardError: it is not there, or may not be changed.
        FisError: AWS refused.
    """
    table = experiment.drill_options(wanted, env)
    guard.check_names(env, {"drill": table})
    if wanted.stop_alarm not in env.aws.alarms:
        raise ConfigError(f"{env.path} has no alarm {wanted.stop_alarm!r}", path=wanted.path)
    with asking("tell what the drill would change"):
        found = made(table, env, patience).targets()
        for target in found:
            guard.check_target(env, target, table["tags"])
    return Plan(targets=found, hash=guard.hash_of({"drill": table}, found))


def made(table: Mapping[str, Any], env: Environment, patience: Patience) -> Drill:
    """The drill that a `drill` table describes, in this environment."""
    options = {key: value for key, value in table.items() if key != "kind"}
    return drills.kind(str(table["kind"])).make(options, env, patience.poll_s)


def drive(request: Request, chosen: Plan, prober: Prober) -> Outcome:
    """Run a drill whose locks are open; see `driver.run`."""
    env, wanted = request.env, request.experiment
    region = LocalRegion(path=env.region_file) if env.region_file else None
    table = experiment.drill_options(wanted, env)
    drill = made(table, env, request.patience)
    if request.stop.is_set() or time.time() >= request.deadline:
        return not_started(wanted, "no time was left to start it")
    with ExitStack() as stack:
        stack.enter_context(prober)
        with asking("prepare the drill"):
            planned = drill.prepare(uuid.uuid4().hex[:8])
        context = Context(env=env, region=region, template={}, arns=chosen.arns)
        running = Drilling(
            request=request,
            table=table,
            drill=drill,
            plan=chosen,
            facts=planned,
            prober=prober,
            context=context,
        )
        stack.enter_context(running.journalled())
        running.perform()
        outcome = running.outcome()
        if outcome.state == "completed" and request.later is not None:
            kept = stack.pop_all()
            request.later.callback(_uninterrupted, kept.close)
        return outcome


@dataclass(slots=True, kw_only=True)
class Drilling:
    """Enter `journalled`, then `perform`; leaving the block undoes the drill and proves it."""

    request: Request
    table: Mapping[str, Any]
    drill: Drill
    plan: Plan
    facts: Facts
    prober: Prober
    context: Context
    state: str = "not-started"
    reason: str = ""
    cut: str = ""
    served: Proof = field(default_factory=lambda: Proof(gone=False, detail="not looked at"))

    @contextmanager
    def journalled(self) -> Iterator[Entry]:
        """The journal entry: written first, closed when the undo is proven, and only then.

        Raises:
            DriveError: it is not.
        """
        request, env, region = self.request, self.request.env, self.context.region
        entry = request.journal.open(
            run_id=request.run_id,
            folder=str(request.folder.resolve()),
            system=request.experiment.system,
            experiment=request.experiment.name,
            environment=env.name,
            kind=env.kind,
            endpoint=env.aws.endpoint,
            region_file=str(env.region_file) if env.region_file else None,
            region_started=region.info().started if region else None,
            plan_hash=self.plan.hash,
            targets=list(self.plan.arns),
            drill=dict(self.table),
            drill_facts=dict(self.facts),
            probe=request.experiment.probe,
            probe_options={"every_s": request.experiment.every_s, **request.options},
            undo="put the names back and delete what was made, as drill_facts say; see chaos/drills",
        )
        try:
            yield entry
        finally:
            proof = undone(
                self.drill,
                self.table,
                self.facts,
                probe=self.prober.probe,
                context=self.context,
                patience=request.patience,
            )
            request.event("undo", verified=proof.gone, detail=proof.detail)
            if proof.gone:
                request.journal.close(entry.id, proof.detail)
            else:
                raise DriveError(f"{request.experiment.name}: {proof.detail}; run gameday abort")

    def perform(self) -> None:
        """Every step, unless something ends it before; then the proof that the system serves again."""
        request = self.request
        self.prober.begin()
        self.state = "running"
        watch = Watch(floor=request.experiment.floor, good=request.good)
        alarm = _Alarm(
            client=aws.client(request.env, "cloudwatch"),
            name=alarms.name_of(request.env.aws.alarms[request.experiment.stop_alarm]),
        )
        try:
            for _ in self.drill.perform(self.facts, request.event):
                self.cut = self._due() or watch.broken() or alarm.rings()
                if self.cut:
                    break
        except _REFUSED as error:
            self.state, self.reason = "failed", str(error)
        if self.state == "running":
            self.state = "stopped" if self.cut else "completed"
        if self.cut:
            request.event("cut", reason=self.cut)
        request.event("drill", state=self.state, reason=self.cut or self.reason, plan=self.plan.hash)
        if self.state == "completed":
            kind = drills.kind(str(self.table["kind"]))
            self.served = prove(self.prober, kind.FACTS, self.context, request.patience, touched=True)

    def outcome(self) -> Outcome:
        """How it went so far; the undo has its own event."""
        first, last = self.prober.first, self.prober.last
        return Outcome(
            experiment=self.request.experiment.name,
            id=str(self.facts.get("restored", "")),
            state=self.state,
            reason=self.reason,
            actions={},
            cut=self.cut,
            expected=True,
            observed=first is not None,
            first=first.t if first else None,
            last=last.t if last else None,
            verified=self.served.gone or self.state != "completed",
            detail=self.served.detail,
            plan_hash=self.plan.hash,
        )

    def _due(self) -> str:
        if self.request.stop.is_set():
            return "interrupted"
        return "its phase was over" if time.time() >= self.request.deadline else ""


@dataclass(slots=True, kw_only=True)
class _Alarm:
    """The stop alarm: FIS does not watch it for a drill."""

    client: Any
    name: str
    _asked: float = 0.0

    def rings(self) -> str:
        """Why the drill must end, looking once a second; empty while it need not."""
        if time.monotonic() - self._asked < _ALARM_S:
            return ""
        self._asked = time.monotonic()
        return alarms.ringing(self.client, self.name)


def undone(
    drill: Drill,
    table: Mapping[str, Any],
    planned: Facts,
    *,
    probe: Probe,
    context: Context,
    patience: Patience,
) -> Proof:
    """Undo a drill and prove it: three good looks of the probe in a row, and the facts of its kind."""
    try:
        detail = drill.undo(planned)
    except _REFUSED as error:
        return Proof(gone=False, detail=f"the undo was refused: {error}")
    deadline = time.monotonic() + patience.gone_s
    actions = drills.kind(str(table["kind"])).FACTS
    while True:
        amiss = facts.problem(actions, context) or _unwell(probe)
        if not amiss:
            return Proof(gone=True, detail=detail)
        if time.monotonic() >= deadline:
            return Proof(gone=False, detail=f"{detail}, but after {patience.gone_s:g} s: {amiss}")
        time.sleep(patience.poll_s)


def _unwell(probe: Probe) -> str:
    for _ in range(ENDS):
        if why := probe.refusal(probe.read()):
            return why
    return ""


@contextmanager
def asking(what: str) -> Iterator[None]:
    """Turn botocore's errors into ours.

    Raises:
        FisError: AWS refused.
    """
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise FisError(f"AWS would not {what}: {error}") from error


def _uninterrupted(action: Callable[[], None]) -> None:
    """Do it in a thread of its own, where a KeyboardInterrupt cannot reach it."""
    box: list[BaseException] = []
    done = threading.Event()

    def boxed() -> None:
        try:
            action()
        except BaseException as error:  # noqa: BLE001 - raised again in the caller's thread
            box.append(error)
        finally:
            done.set()

    threading.Thread(target=boxed, name="gameday-undo").start()
    while not done.is_set():
        try:
            done.wait(0.2)
        except KeyboardInterrupt:
            continue
    if box:
        raise box[0]
