"""What an Automation document acts on: FIS resolves no targets for `aws:ssm:start-automation-execution`.

The document and the resource that its parameters name are found here, so that the guard can ask their owners'
opt-in as it does for every target, and the plan's hash covers them. A parameter of which it is not known
whether it names a resource is refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from chaos.errors import GuardError
from chaos.fis import Target
from fixtures.environment import Environment

ACTION = "aws:ssm:start-automation-execution"
DOCUMENT = "aws:ssm:document"
_RESOURCES = {
    "QueueName": ("aws:sqs:queue", "arn:aws:sqs:{region}:{account}:{name}"),
    "DomainName": ("aws:opensearch:domain", "arn:aws:es:{region}:{account}:domain/{name}"),
}
_OTHERS = {"Actions", "AutomationAssumeRole", "Duration", "RestoreRole"}
_NAME = re.compile(r"[A-Za-z0-9_-]+")
_HERE = "arn:aws:ssm:${env.region}:${env.account}:document/"


def problems(template: Mapping[str, Any], *, system: str) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """What is wrong with the documents of an experiment file, where, and what was expected."""
    actions = {name: one for name, one in template["actions"].items() if one.get("actionId") == ACTION}
    opt_in = {"gameday": "ready", "system": system}
    if actions and not opt_in.items() <= template.get("tags", {}).items():
        yield (
            ("template", "tags"),
            f"tags are {template.get('tags', {})}; expected at least {opt_in}, which what a document acts on "
            "must carry",
        )
    for name, action in actions.items():
        parameters, where = action.get("parameters", {}), ("template", "actions", name, "parameters")
        arn = str(parameters.get("documentArn", ""))
        if not arn.startswith(_HERE) or not _NAME.fullmatch(arn.removeprefix(_HERE)):
            yield (*where, "documentArn"), f"documentArn is {arn!r}; expected {_HERE}NAME"
        try:
            _named(parameters)
        except ValueError as error:
            yield (*where, "documentParameters"), str(error)


def targets(env: Environment, template: Mapping[str, Any]) -> tuple[tuple[Target, Mapping[str, str]], ...]:
    """The documents of a resolved template and what they act on, each with the tags that it must carry.

    Raises:
        GuardError: it does not say what is acted on, or asks nobody for an opt-in.
    """
    found: list[tuple[Target, Mapping[str, str]]] = []
    opt_in = template.get("tags", {})
    for name, action in template["actions"].items():
        if action["actionId"] != ACTION:
            continue
        if opt_in.get("gameday") != "ready" or not opt_in.get("system"):
            raise GuardError(
                f"action {name!r}: the template's tags {dict(opt_in)} are no opt-in to ask for; "
                "expected gameday=ready and a system"
            )
        parameters = action["parameters"]
        document = _target(name, DOCUMENT, parameters["documentArn"])
        found.append((document, {"gameday": "ready"}))
        try:
            named = _named(parameters)
        except ValueError as error:
            raise GuardError(f"action {name!r}: {error}") from error
        for parameter, value in named.items():
            kind, shape = _RESOURCES[parameter]
            arn = shape.format(region=env.aws.region, account=env.aws.account, name=value)
            found.append((_target(name, kind, arn), opt_in))
    return tuple(found)


def _target(name: str, kind: str, arn: str) -> Target:
    return Target(name=name, type=kind, information={"arn": arn})


def _named(parameters: Mapping[str, Any]) -> dict[str, str]:
    """The parameters that name what is acted on; ValueError says what is wrong with them."""
    text = str(parameters.get("documentParameters", ""))
    try:
        given = json.loads(text)
    except ValueError:
        given = None
    if not isinstance(given, dict):
        raise ValueError(f"documentParameters is {text!r}; expected a JSON object")  # noqa: TRY004 - the file's fault
    if strange := sorted(set(given) - _RESOURCES.keys() - _OTHERS):
        known = sorted(_RESOURCES.keys() | _OTHERS)
        raise ValueError(f"documentParameters has {strange}; expected some of {known}: could it name more?")
    named = {key: value for key, value in given.items() if key in _RESOURCES}
    if not named:
        raise ValueError(f"documentParameters names nothing to act on; expected one of {sorted(_RESOURCES)}")
    for key, value in named.items():
        if not isinstance(value, str) or not _NAME.fullmatch(value):
            raise ValueError(f"{key} is {value!r}; expected a plain name")
    return named
