"""`gameday export`: experiments in the form that other tools take."""

from __future__ import annotations

import json
from pathlib import Path

import click

from chaos import experiment
from fixtures import environment
from gameday import catalog
from gameday.errors import ConfigError
from gameday.exits import exits
from gameday.plan import EXPERIMENTS


@click.group()
def export() -> None:
    """Experiments in the form that other tools take.

    Example: gameday export fis aurora-failover --env local
    """


@export.command()
@click.argument("name", metavar="EXPERIMENT")
@click.option("--env", "env_name", default="local", show_default=True, metavar="ENV",
              help="Environment: a name or a .toml file.")  # fmt: skip
@exits
def fis(name: str, env_name: str) -> None:
    """Print an experiment's template as `aws fis create-experiment-template` takes it.

    Roles, alarms, account and region are those of ENV. EXPERIMENT is a name, SYSTEM/NAME where two systems
    have one of that name, or a file. What is started from it passes none of the locks of `gameday run`.

    \b
    Examples:
      gameday export fis aurora-failover --env local > failover.json
      gameday export fis lexohub/noop | aws fis create-experiment-template --cli-input-json file:///dev/stdin
    """  # noqa: D301 - click wants the character
    found = experiment.load(_file(name))
    if found.drill:
        raise ConfigError(
            f"{found.path} is a drill of ours; FIS has no part in it, so there is nothing to export"
        )
    click.echo(json.dumps(experiment.resolve(found, environment.load(env_name)), indent=2))


def _file(name: str) -> Path:
    """The file meant by a name, a system and a name, or a path; ConfigError lists what there is."""
    if name.endswith(".json"):
        return Path(name)
    known = {f"{system}/{one}": EXPERIMENTS / system / f"{one}.json"
             for system in catalog.systems() for one in catalog.experiments(system)}  # fmt: skip
    meant = [path for each, path in known.items() if name in (each, path.stem)]
    if len(meant) != 1:
        what = "no experiment" if not meant else "more than one experiment"
        raise ConfigError(f"{what} {name!r}; expected one of {sorted(known)} or a .json file")
    return meant[0]
