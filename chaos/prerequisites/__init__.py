"""What must be there before an experiment can be run: one file per kind, each with `check(asked)`.

A file's stem is the kind, and the folder is the list. `check` yields a finding for each thing that it looked
at, with read-only calls; it raises botocore's errors as they come. Where a prerequisite holds on AWS alone,
it is `needless` on the local region, which does by itself what AWS needs help for.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from botocore.exceptions import BotoCoreError, ClientError

from chaos import experiment
from chaos.errors import ChaosError, ConfigError
from chaos.experiment import Experiment
from fixtures import aws
from fixtures.environment import Environment

State = Literal["there", "missing", "needless"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at: what was found, and how to get what is missing."""

    kind: str
    state: State
    said: str
    remedy: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One resource that a target could be; `description` is what its service says of it."""

    arn: str
    tags: Mapping[str, str]
    description: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One experiment in one environment. The methods that yield findings do so for the file's own kind."""

    env: Environment
    experiment: Experiment
    template: Mapping[str, Any]
    kind: str = ""
    clients: dict[str, Any] = field(default_factory=dict)

    def client(self, service: str) -> Any:
        """The boto3 client of a service."""
        if service not in self.clients:
            self.clients[service] = aws.client(self.env, service)
        return self.clients[service]

    def actions(self, prefix: str) -> Iterator[Mapping[str, Any]]:
        """The template's actions whose id begins so."""
        for action in self.template.get("actions", {}).values():
            if action["actionId"].startswith(prefix):
                yield action

    def targets_of(self, action: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        """What an action is aimed at, as the template says it."""
        for name in action.get("targets", {}).values():
            yield self.template["targets"][name]

    def there(self, said: str) -> Finding:
        """It is as it must be."""
        return Finding(kind=self.kind, state="there", said=said)

    def missing(self, said: str, remedy: str) -> Finding:
        """It is not."""
        return Finding(kind=self.kind, state="missing", said=said, remedy=remedy)

    def needless(self, said: str) -> Finding:
        """Nobody needs it here."""
        return Finding(kind=self.kind, state="needless", said=said)


def names() -> list[str]:
    """The kinds there are: this folder's files."""
    return sorted(path.stem for path in Path(__file__).parent.glob("[a-z]*.py"))


def of(
    wanted: Experiment,
    env: Environment,
    clients: dict[str, Any] | None = None,
    *,
    kinds: Iterable[str] | None = None,
) -> list[Finding]:
    """Look at what an experiment needs in a resolved environment, at every kind or at some.

    `clients` are used, and filled, for those who ask again.
    """
    try:
        template = experiment.resolve(wanted, env)
    except ConfigError as error:
        remedy = f"name it in {env.path}"
        return [Finding(kind="environment", state="missing", said=str(error), remedy=remedy)]
    shared = {} if clients is None else clients
    found: list[Finding] = []
    for kind in kinds or names():
        asked = Asked(env=env, experiment=wanted, template=template, kind=kind, clients=shared)
        check: Callable[[Asked], Iterator[Finding]] = importlib.import_module(f"{__name__}.{kind}").check
        try:
            found += check(asked)
        except (BotoCoreError, ClientError, ChaosError) as error:
            found.append(
                asked.missing(f"cannot be looked at: {error}", "let this identity read it, or see the error")
            )
    return found


def matching(asked: Asked, target: Mapping[str, Any]) -> list[Resource] | None:
    """The resources of a target's type that carry its tags; None where the type cannot be listed here."""
    from fixtures.region.fis import inventory  # noqa: PLC0415 - it loads boto3

    lister: Any = inventory.find(target["resourceType"])
    if lister is None:
        return None
    wanted = target.get("resourceTags", {}).items()
    return [
        Resource(arn=each.arn, tags=each.tags, description=each.description)
        for each in lister(asked, target.get("parameters", {}))
        if wanted <= each.tags.items()
    ]
