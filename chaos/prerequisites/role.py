"""The experiment's role: it exists, and FIS may assume it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from botocore.exceptions import ClientError

from chaos.prerequisites import Asked, Finding

SERVICE = "fis.amazonaws.com"
_REMEDY = "deploy a role for this class of experiments that trusts fis.amazonaws.com"


def check(asked: Asked) -> Iterator[Finding]:
    """IAM's GetRole carries the trust policy."""
    if asked.experiment.drill:
        return
    arn = str(asked.template["roleArn"])
    if asked.env.kind == "region":
        yield asked.needless(f"the local region assumes no role ({arn})")
        return
    try:
        role = asked.client("iam").get_role(RoleName=arn.rsplit("/", 1)[-1])["Role"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchEntity":
            raise
        yield asked.missing(f"the role {arn} does not exist", _REMEDY)
        return
    if role["Arn"] != arn:
        yield asked.missing(f"the role is {role['Arn']}, not {arn}", "correct [aws.roles] of the environment")
    elif not any(_lets_fis_in(rule) for rule in _rules(role["AssumeRolePolicyDocument"])):
        yield asked.missing(f"{SERVICE} may not assume the role {arn}", _REMEDY)
    else:
        yield asked.there(f"{SERVICE} may assume the role {arn}")


def _rules(document: Any) -> list[Mapping[str, Any]]:
    policy = json.loads(unquote(document)) if isinstance(document, str) else document
    rules = policy.get("Statement", [])
    return [rules] if isinstance(rules, Mapping) else list(rules)


def _lets_fis_in(rule: Mapping[str, Any]) -> bool:
    principal = rule.get("Principal")
    services = principal.get("Service", []) if isinstance(principal, Mapping) else []
    actions = rule.get("Action", [])
    allowed = {"sts:AssumeRole", "sts:*", "*"} & set([actions] if isinstance(actions, str) else actions)
    named = SERVICE in ([services] if isinstance(services, str) else services)
    return rule.get("Effect") == "Allow" and named and bool(allowed)
