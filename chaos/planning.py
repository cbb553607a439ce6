"""Before anything starts: whether the place is free, what could be hit, and whether that was agreed."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from chaos import drilling, experiment, guard, journal, reconcile
from chaos.errors import GuardError
from chaos.experiment import Experiment
from chaos.fis import Fis
from chaos.guard import Plan
from chaos.journal import Journal
from chaos.outcome import EXPERIMENT_TAG, PLAN_TAG, PREVIEW, RUN_TAG, origin
from chaos.proof import Patience
from fixtures.environment import Environment


def vacate(
    env: Environment, system: str, *, log: Journal | None = None, patience: Patience | None = None
) -> None:
    """See to what a process that is gone left open here; refuse while anything of this suite still runs.

    Raises:
        GuardError: it cannot be proven gone, or an experiment on `system` is running.
        FisError: FIS does not answer.
    """
    reconcile.settle(env, log or journal.default(), patience or Patience.of(env))
    alone(Fis.of(env), system)


def alone(fis: Fis, system: str) -> None:
    """Refuse while FIS runs an experiment of this suite on `system`, whoever started it.

    Raises:
        GuardError: it does.
    """
    for status in fis.experiments():
        mine = status.tags.get(EXPERIMENT_TAG, "").startswith(f"{system}/")
        if mine and not status.over and status.tags.get(PLAN_TAG) != PREVIEW:
            raise GuardError(
                f"{status.tags[EXPERIMENT_TAG]} of run {status.tags.get(RUN_TAG)} is {status.state} in FIS "
                f"({status.id}); one at a time. If its run is dead: gameday abort"
            )


def plans(
    wanted: Iterable[Experiment],
    env: Environment,
    *,
    run_id: str,
    commit: str,
    stopped: Callable[[], bool],
    patience: Patience | None = None,
) -> dict[str, Plan]:
    """What each experiment could hit and its plan's hash, by name; nothing is broken.

    Raises:
        UnreachableError: the account cannot be asked.
        GuardError: a lock is closed; a target resolves to nothing, or to what may not be broken.
        FisError: FIS refused or does not answer.
    """
    wait = patience or Patience.of(env)
    guard.check_account(env)
    fis = Fis.of(env)
    found: dict[str, Plan] = {}
    for one in wanted:
        if one.drill:
            found[one.name] = drilling.plan(one, env, wait)
            continue
        template = experiment.resolve(one, env)
        guard.check_names(env, template)
        found[one.name] = guard.plan(
            env,
            fis,
            template,
            tags=origin(one, run_id=run_id, commit=commit, plan_hash=PREVIEW),
            stopped=stopped,
            timeout_s=wait.preview_s,
            pause_s=wait.poll_s,
        )
    return found


def agree(name: str, plan: Plan, approved: str) -> None:
    """Refuse a plan other than the approved one; "" approves of any.

    Raises:
        GuardError: template, environment or resources have changed since.
    """
    if not plan.hash.startswith(approved):
        targets = ", ".join(plan.arns) or "no resources"
        raise GuardError(
            f"{name}: the plan is {plan.hash}, not the approved {approved}: its template, the environment or "
            f"the resources have changed (now {targets}); see gameday plan"
        )
