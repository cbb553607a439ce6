"""Parses every shipped file and follows every name from one to another; sends nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from chaos import experiment
from chaos.errors import ChaosError
from fixtures import environment
from fixtures.errors import ConfigError as EnvironmentConfigError
from fixtures.errors import FixtureError
from fixtures.region.defects import catalogue
from gameday import catalog, plan, prepare, traffic
from gameday.errors import GamedayError
from gameday.run import targets
from slo import objective
from slo.errors import SloError
from slo.objective import Objective
from slo.source import line_of

_PROBLEMS = (GamedayError, FixtureError, ChaosError, SloError)


def everything(say: Callable[[str], object]) -> list[str]:
    """Problems of all shipped files, each with its file and line; empty when all is well."""
    problems: list[str] = []
    for what, checks in (
        ("environments", _environments()),
        ("targets and scenarios", _systems()),
        ("experiments", _experiments()),
        ("plans", _plans()),
        ("defects", _defects()),
    ):
        found = list(checks)
        problems += [problem for problem in found if problem]
        say(f"{what}: {len(found) - sum(map(bool, found))} of {len(found)} good")
    return problems


def located(error: Exception) -> str:
    """The error's message with file and line, also for errors that only know the key's path."""
    if not isinstance(error, EnvironmentConfigError) or error.path is None:
        return str(error)
    try:
        line = line_of(error.path.read_text("utf-8"), error.keys) if error.keys else 0
    except (OSError, UnicodeDecodeError):
        line = 0
    return f"{error.path}:{line}: {error.problem}" if line else str(error)


def _environments() -> Iterator[str]:
    for name in environment.names():
        yield _tried(partial(environment.load, name))


def _systems() -> Iterator[str]:
    for system in catalog.systems():
        yield _tried(partial(_operations_exist, system))


def _experiments() -> Iterator[str]:
    for system in catalog.systems():
        for name in catalog.experiments(system):
            yield _tried(partial(_judged, system, name))


def _plans() -> Iterator[str]:
    for name in plan.names():
        yield _tried(partial(prepare.request, name, prepare.Options(env="local")))


def _defects() -> Iterator[str]:
    for system in catalog.systems():
        yield _tried(partial(_caught, system))


def _tried(action: Callable[[], object]) -> str:
    try:
        action()
    except _PROBLEMS as error:
        return located(error)
    return ""


def _operations_exist(system: str) -> None:
    sent = traffic.describe(system)
    known = sent.operations.keys() | {
        f"@{group}" for one in sent.operations.values() for group in one["groups"]
    }
    objective.load(Path(targets(system)[0].path), known=known)


def _caught(system: str) -> None:
    known = {one.id for one in targets(system)}
    for found in catalogue.of(catalogue.folder_of(system)).values():
        if found.catches not in known:
            raise GamedayError(
                f"{found.path}: CATCHES is {found.catches!r}; expected an id of slo/targets/{system}.toml"
            )


def _judged(system: str, name: str) -> None:
    path: Path = plan.EXPERIMENTS / system / f"{name}.json"
    found = experiment.load(path)
    objectives: tuple[Objective, ...] = targets(system)
    known = {one.id for one in objectives}
    for key, ids in (("judge", found.judge), ("steady_state", found.steady_state)):
        if missing := sorted(set(ids) - known):
            line = line_of(path.read_text("utf-8"), (key,))
            raise GamedayError(
                f"{path}:{line}: {key} names {missing}; expected ids of slo/targets/{system}.toml"
            )
