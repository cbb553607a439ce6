"""Which scenarios there are: the files of this folder's parent, each with one FlowUser of its own.

Two more are made of what a plan carries instead of a file: one URL, and a recorded workload.
"""

import importlib
from dataclasses import dataclass
from pathlib import Path

from scenarios.errors import UnknownSystemError
from scenarios.load.operation import Flow, Operation, flows_of
from scenarios.load.plan import LoadPlan
from scenarios.load.users import FlowUser

FOLDER = Path(__file__).resolve().parent.parent
_NOT_SYSTEMS = frozenset({"__init__", "errors"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One system's traffic."""

    system: str
    user: type[FlowUser]
    operations: dict[str, Operation]
    flows: dict[str, Flow]


def systems() -> list[str]:
    """Names of the systems that have a scenario."""
    return sorted(path.stem for path in FOLDER.glob("*.py") if path.stem not in _NOT_SYSTEMS)


def load(system: str) -> Scenario:
    """The scenario of this system; UnknownSystemError names the ones there are."""
    if system not in systems():
        raise UnknownSystemError(
            f"no scenario for {system!r} in {FOLDER}; choose from {', '.join(systems()) or 'none yet'}"
        )
    module = importlib.import_module(f"scenarios.{system}")
    users = [
        member
        for member in vars(module).values()
        if isinstance(member, type) and issubclass(member, FlowUser) and member.__module__ == module.__name__
    ]
    if len(users) != 1:
        raise UnknownSystemError(
            f"{module.__file__}: expected one class derived from FlowUser, found {len(users)}"
        )
    return of_user(system, users[0])


def scenario_of(plan: LoadPlan) -> Scenario:
    """What this plan drives: one URL, a recorded workload, or the traffic of its system.

    ScenarioError when the plan does not say enough.
    """
    if plan.request is None and plan.replay is None:
        return load(plan.system)
    # imported when asked for: both import this module
    maker = importlib.import_module(f"scenarios.load.{'url' if plan.request else 'replayed'}")
    made: Scenario = maker.scenario(plan)
    return made


def of_user(system: str, user: type[FlowUser]) -> Scenario:
    """The scenario a user class declares; UnknownSystemError when its flows use unlisted operations."""
    operations = {each.slug: each for each in user.operations}
    flows = flows_of(user)
    used = {slug for flow in flows.values() for slug in flow.operations}
    if missing := sorted(used - operations.keys()):
        raise UnknownSystemError(
            f"{user.__name__}.operations lacks {', '.join(missing)}, which its flows use"
        )
    return Scenario(system=system, user=user, operations=operations, flows=flows)
