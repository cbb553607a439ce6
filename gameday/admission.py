"""Whether a run may begin: the shared lock is its own, and every lock that needs no traffic is open."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING

from chaos import credentials, lock, planning
from chaos.errors import GuardError, UnreachableError
from chaos.experiment import Experiment
from chaos.guard import Plan
from chaos.lock import Held
from chaos.proof import Patience
from fixtures.environment import Environment
from gameday import standing
from gameday.errors import ConfigError, Interrupted

if TYPE_CHECKING:
    from gameday.run import Request

_HASH = re.compile(r"[0-9a-f]{12,64}")


def hashes(words: Sequence[str], experiments: Iterable[str]) -> dict[str, str]:
    """The approved plans of a run by experiment, from `[EXPERIMENT=]HASH`; none means that any will do.

    Raises:
        ConfigError: a word that is no hash, an experiment that the run has not, or one that is left out.
    """
    known = sorted(set(experiments))
    found: dict[str, str] = {}
    for word in words:
        name, _, text = word.rpartition("=")
        name = name or (known[0] if len(known) == 1 else "")
        if name not in known or not _HASH.fullmatch(text):
            raise ConfigError(
                f"--plan-hash {word!r}; expected EXPERIMENT=HASH as gameday plan prints it, of {known}"
            )
        found[name] = text
    missing = [name for name in known if name not in found]
    if found and missing:
        raise ConfigError(f"--plan-hash is missing for {missing}; expected one for each experiment, or none")
    return found


@contextmanager
def admitted(
    request: Request, env: Environment, run_id: str, stop: threading.Event, say: Callable[[str], None]
) -> Iterator[Held | None]:
    """Hold the shared lock, where there is one.

    On entry nothing is left of an earlier run, and each experiment hits what it may.

    Raises:
        LockError: somebody else holds it.
        GuardError: a lock is closed, or a plan is not the approved one.
        Interrupted: `stop` was set meanwhile.
    """
    with _locked(request, env, run_id, stop, say) as held:
        if held is not None and held.after:
            say(f"lock taken over from {held.after}")
        _ready(request, env, run_id, stop)
        yield held


def _locked(
    request: Request, env: Environment, run_id: str, stop: threading.Event, say: Callable[[str], None]
) -> AbstractContextManager[Held | None]:
    if env.kind == "url":
        return nullcontext()
    if env.aws.lock_bucket is None:
        say(f"no lock: {env.path} names no aws.lock_bucket, so nothing keeps a second run off {env.name}")
        return nullcontext()
    return lock.held(env, request.plan.system, run_id=run_id, stop=stop)


def _ready(request: Request, env: Environment, run_id: str, stop: threading.Event) -> None:
    if not request.experiments:
        return
    try:
        # A fault may come as late as the last phase.
        credentials.check(env, need_s=request.plan.seconds + Patience.of(env).recovery_s)
        planning.vacate(env, request.plan.system)
        wanted = request.experiments.values()
        found = planning.plans(wanted, env, run_id=run_id, commit="", stopped=stop.is_set)
        for name, plan in found.items():
            planning.agree(name, plan, request.approved.get(name, ""))
    except GuardError as error:
        if stop.is_set():
            raise Interrupted("interrupted before anything was sent") from error
        raise


def resolved(experiments: Mapping[str, Experiment], env: Environment) -> dict[str, Plan] | str:
    """The plan of each experiment as it would be now; or, in words, why nobody could be asked.

    Raises:
        GuardError: a lock is closed.
        FisError: FIS refused.
    """
    there = standing.resolved(env)
    if there.kind == "region" and not str(there.aws.endpoint).startswith("http"):
        return f"no region of {env.name!r} is up (gameday region up --env {env.name})"
    try:
        return planning.plans(experiments.values(), there, run_id="plan", commit="", stopped=lambda: False)
    except UnreachableError as error:
        return str(error)
