"""What a load is put together from, whether one process drives it or many workers do."""

import gc
import hashlib
import importlib
import json
import resource
from collections.abc import Iterator
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from locust.env import Environment

from scenarios.errors import ManifestError, PrepareError
from scenarios.load import catalog
from scenarios.load.answer import AllowList
from scenarios.load.arrivals import ALONE, Due, Stripe
from scenarios.load.engine import Engine
from scenarios.load.operation import Flow, only
from scenarios.load.plan import LoadPlan
from scenarios.load.sink import Sink

OPEN_S = 60.0
SPARE_FILES = 200
_NEVER = 1_000_000_000  # young collections before an older generation's turn


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """A plan and the scenario that performs it; ``flows`` are those the plan asks for."""

    plan: LoadPlan
    scenario: catalog.Scenario
    flows: dict[str, Flow]

    @property
    def digest(self) -> str:
        """Tells whether two processes would perform the same flows."""
        operations = [(each.slug, each.name, each.expect) for each in self.scenario.operations.values()]
        flows = [(each.name, each.weight, each.operations) for each in self.flows.values()]
        return hashlib.sha256(json.dumps([self.plan.system, operations, flows]).encode()).hexdigest()[:16]


def parts(plan: LoadPlan, where: str) -> Parts:
    """Find the scenario and check the plan against it; ManifestError names ``where`` the plan was read."""
    scenario = catalog.scenario_of(plan)
    if unknown := sorted(set(plan.mix) - scenario.flows.keys()):
        raise ManifestError(f"{where}: load.mix names unknown flows {', '.join(unknown)}")
    if not AllowList(plan.allow_hosts).allows(urlsplit(plan.base_url).hostname or ""):
        raise ManifestError(
            f"{where}: {plan.base_url} is not among allow_hosts {', '.join(plan.allow_hosts)}"
        )
    return Parts(plan=plan, scenario=scenario, flows=only(scenario.flows, plan.only))


def engine(
    found: Parts, *, sink: Sink, quiet: bool = True, stripe: Stripe = ALONE, worker: str = ""
) -> Engine:
    """The engine of one process; under a stripe with its share of the sessions and their numbers."""
    plan = replace(found.plan, sessions=share(found.plan.sessions, stripe))
    return Engine(
        plan=plan,
        flows=found.flows,
        operations=found.scenario.operations,
        sink=sink,
        quiet=quiet,
        stripe=stripe,
        schedule=_recorded(plan),
        worker=worker,
    )


def _recorded(plan: LoadPlan) -> Iterator[Due] | None:
    """The schedule of a recorded workload; None leaves the engine to the plan's own."""
    if plan.replay is None:
        return None
    replayed = importlib.import_module("scenarios.load.replayed")
    schedule: Iterator[Due] = replayed.schedule(plan)
    return schedule


def share(sessions: int, stripe: Stripe) -> int:
    """How many of the sessions this worker holds: the remainder goes to the first ones."""
    return sessions // stripe.of + (stripe.index < sessions % stripe.of)


def environment(found: Parts) -> Environment:
    """Locust's environment around the scenario's users."""
    plan = found.plan
    return Environment(
        user_classes=[found.scenario.user], host=plan.base_url, tags=list(plan.only) or None, stop_timeout=0
    )


def open_within(sessions: int) -> float:
    """Seconds that opening (logging in) so many sessions may take."""
    return OPEN_S + sessions / 50


def make_room(sessions: int) -> None:
    """Raise the limit of open files as far as it may be raised; PrepareError when that is too little."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if hard != resource.RLIM_INFINITY and sessions + SPARE_FILES > hard:
        raise PrepareError(
            f"{sessions} sessions need about {sessions + SPARE_FILES} open files, the limit is {hard}: raise "
            f"it (ulimit -Hn {sessions + SPARE_FILES}, LimitNOFILE= of a service) or take more workers"
        )


def settle_memory() -> None:
    """Keep the collector from walking what start-up has left behind: its pauses would be start lag.

    Young objects are looked at in small steps, and never again: with thousands of arrivals in flight 50,000
    of them took 50 to 100 ms at once, the older ones 1 to 2 s. An arrival leaves no cycles behind, so what
    is not found young is hardly garbage.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(2_000, _NEVER, _NEVER)
