"""One experiment, from the locks to the proof that its fault is gone.

    check -> plan -> probe armed -> journal entry -> template -> experiment

Each is a `with` block inside the one before, so whatever happens - an error, SIGINT, the deadline, the stop
alarm - the way out is the same: the experiment is stopped and waited for, the template deleted, the fault
proven gone, and only then the journal entry closed. The whole way runs in a thread of its own, where a
KeyboardInterrupt cannot reach it: the first SIGINT asks it to stop, a second one changes nothing.
"""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack
from pathlib import Path

from chaos import alarms, credentials, drilling, experiment, guard, journal, planning, probes, reconcile
from chaos.errors import GuardError
from chaos.experiment import Experiment
from chaos.facts import Context
from chaos.fault import Fault
from chaos.fis import Fis
from chaos.floor import Good
from chaos.journal import Journal
from chaos.local import LocalRegion
from chaos.outcome import PREVIEW, Outcome, Request, not_started
from chaos.prober import Prober
from chaos.proof import Patience
from chaos.reconcile import Undone, abort
from fixtures.environment import Environment

__all__ = ["Outcome", "Undone", "abort", "run"]

_LOOK_S = 0.2


def run(
    wanted: Experiment,
    env: Environment,
    folder: Path,
    *,
    stop: threading.Event,
    deadline: float,
    run_id: str,
    commit: str,
    approved: str = "",
    good: Good | None = None,
    later: ExitStack | None = None,
    log: Journal | None = None,
    patience: Patience | None = None,
) -> Outcome:
    """Run one experiment and undo it; events go to `folder/events.jsonl`.

    `stop` set, or `deadline` (epoch seconds) reached: the experiment is stopped, waited for and undone first.
    `approved` is the hash that its plan must have; `good` shows how the traffic fares: too few good answers
    for too long (the experiment's floor) stop it as well. A drill that went well leaves its undo in `later`,
    for after the read-back; without it the drill is undone before this returns.
    A KeyboardInterrupt meanwhile sets `stop`. The fault is over when this returns: an outcome that is not
    `verified` has left its journal entry open.

    Raises:
        ConfigError: the environment lacks what the experiment names.
        GuardError: a lock is closed; nothing was broken.
        ProbeError: the probe could not be armed; nothing was broken.
        FisError: FIS refused or fell silent; what had been started is undone as far as it could be proven.
        JournalError: the journal cannot be written.
    """
    request = Request(
        experiment=wanted,
        env=env,
        folder=folder,
        stop=stop,
        deadline=deadline,
        run_id=run_id,
        commit=commit,
        options=experiment.observe_options(wanted, env),
        journal=log or journal.default(),
        patience=patience or Patience.of(env),
        approved=approved,
        good=good,
        later=later,
    )
    box: list[Outcome | BaseException] = []
    done = threading.Event()
    threading.Thread(target=_boxed, args=(request, box, done), name="gameday-fault").start()
    _await(done, stop)
    if isinstance(box[0], BaseException):
        raise box[0]
    return box[0]


def _await(done: threading.Event, stop: threading.Event) -> None:
    # Not Thread.join: a KeyboardInterrupt inside it makes Python 3.11 take the thread for dead.
    while not done.is_set():
        try:
            done.wait(_LOOK_S)
        except KeyboardInterrupt:
            stop.set()


def _boxed(request: Request, box: list[Outcome | BaseException], done: threading.Event) -> None:
    try:
        box.append(_run(request))
    except BaseException as error:  # noqa: BLE001 - raised again in the caller's thread
        box.append(error)
    finally:
        done.set()


def _run(request: Request) -> Outcome:
    try:
        return _drive(request)
    except GuardError:
        if not request.stop.is_set():
            raise
        return not_started(request.experiment, "interrupted before it was started")


def _drive(request: Request) -> Outcome:
    env, wanted, patience = request.env, request.experiment, request.patience
    template = {} if wanted.drill else experiment.resolve(wanted, env)
    guard.check_names(env, template)
    guard.check_account(env)
    credentials.check(env, need_s=max(0.0, request.deadline - time.time()) + patience.recovery_s)
    fis = Fis.of(env)
    reconcile.settle(env, request.journal, patience)
    planning.alone(fis, wanted.system)
    alarms.await_ok(env, wanted.stop_alarm, timeout_s=patience.alarm_s, stopped=request.stop.is_set)
    plan = (
        drilling.plan(wanted, env, patience)
        if wanted.drill
        else guard.plan(
            env,
            fis,
            template,
            tags=request.tags(PREVIEW),
            stopped=request.stop.is_set,
            timeout_s=patience.preview_s,
            pause_s=patience.poll_s,
        )
    )
    planning.agree(wanted.name, plan, request.approved)
    region = LocalRegion(path=env.region_file) if env.region_file else None
    prober = Prober(
        probe=probes.kind(wanted.probe).make(request.options, env, region),
        every_s=wanted.every_s,
        record=request.saw,
        arm_s=patience.arm_s,
    )
    if wanted.drill:
        return drilling.drive(request, plan, prober)
    context = Context(env=env, region=region, template=template, arns=plan.arns)
    if request.stop.is_set() or time.time() >= request.deadline:
        return not_started(wanted, "no time was left to start it")
    with prober:
        fault = Fault(request=request, fis=fis, plan=plan, prober=prober, context=context)
        with fault.journalled(), fault.template(template) as template_id, fault.running(template_id):
            fault.watch()
        return fault.outcome()
