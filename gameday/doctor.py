"""`gameday doctor`: whether each experiment could be run now, found out with read-only calls."""

from __future__ import annotations

from typing import Any

import click

from chaos import experiment, prerequisites
from chaos.experiment import Experiment
from chaos.prerequisites import Finding
from fixtures import environment
from fixtures.environment import Environment
from gameday import standing
from gameday.errors import ConfigError, RegionError
from gameday.exitcodes import ExitCode
from gameday.exits import exits

_MARK = {"there": "ok", "missing": "MISSING", "needless": "-"}


@click.command("doctor")
@click.argument("experiments", nargs=-1, metavar="[EXPERIMENT]...")
@click.option("--env", "env_name", default="local", show_default=True, metavar="ENV",
              help="Environment: a name or a .toml file.")  # fmt: skip
@click.option("--system", default="lexohub", show_default=True)
@exits
def doctor(experiments: tuple[str, ...], env_name: str, system: str) -> ExitCode:
    """Check what the experiments need before anybody waits for one; exit 5 if anything is missing.

    Only reads. On the local region it looks at the one that `gameday region up` left running.

    \b
    Examples:
      gameday doctor --env local
      gameday doctor --env staging aurora-failover api-task-kill
    """  # noqa: D301 - click wants the character
    env = _there(environment.load(env_name))
    folder = experiment.FOLDER / system
    chosen = [experiment.load(folder / f"{name}.json") for name in _named(experiments, system)]
    found = examined(chosen, env)
    for finding, needed_by in found.items():
        click.echo(f"{_MARK[finding.state]:<8} {finding.kind:<12} {finding.said}")
        if finding.state == "missing":
            click.echo(f"{'':<21} needed by {', '.join(needed_by)}; {finding.remedy}")
    missing = [finding for finding in found if finding.state == "missing"]
    click.echo(f"{len(chosen)} experiments on {env.name}: {len(missing) or 'nothing'} missing")
    return ExitCode.BROKEN if missing else ExitCode.PASS


def examined(chosen: list[Experiment], env: Environment) -> dict[Finding, list[str]]:
    """Every finding once, with the experiments that it is about."""
    found: dict[Finding, list[str]] = {}
    clients: dict[str, Any] = {}
    for one in chosen:
        for finding in prerequisites.of(one, env, clients):
            needed_by = found.setdefault(finding, [])
            if one.name not in needed_by:
                needed_by.append(one.name)
    return found


def _there(env: Environment) -> Environment:
    resolved = standing.resolved(env)
    if resolved.kind == "region" and resolved.region_file is None:
        raise RegionError(
            f"no region of {env.name!r} is up to look at; start one with: gameday region up --env {env.name}"
        )
    return resolved


def _named(experiments: tuple[str, ...], system: str) -> list[str]:
    known = experiment.names(system)
    wrong = sorted(set(experiments) - set(known))
    if wrong or not known:
        raise ConfigError(f"no experiments {wrong} of {system!r}; expected some of {known}")
    return list(experiments) or known
