"""The locks before a fault: whose account this is, what would be hit, and whether anybody would notice harm.

1. The account that the credentials belong to and the region are the environment's own, the local region is on
   loopback, and nothing is called `prod`.
2. What could be hit is resolved without breaking anything (FIS `skip-all`, with every selection widened to
   ALL), and each of those resources carries its owner's opt-in tags; what an Automation document acts on is
   no target of FIS and found in its parameters (`chaos.documents`). The plan's hash covers the template and
   all of them.
3. The stop alarm exists and is OK (`chaos.alarms.await_ok`).

The experiment role's own rights are the lock that this code cannot check; see docs/faults.md.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError

from chaos import documents, owners
from chaos.errors import GuardError, UnreachableError
from chaos.fis import Fis, Target
from chaos.local import LOOPBACK
from fixtures import aws
from fixtures.environment import Environment

# `prod`, `production`, `eu-prod-1`, `prodeu`; not `product`, `products`.
_PROD = re.compile(r"prod(?!uct(?!ion))", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What an experiment may hit, and the hash of exactly this template on exactly these resources."""

    targets: tuple[Target, ...]
    hash: str

    @property
    def arns(self) -> tuple[str, ...]:
        """The candidates' ARNs, sorted."""
        return tuple(sorted({target.arn for target in self.targets}))


def check_account(env: Environment) -> None:
    """Lock 1, the account.

    Raises:
        GuardError: another account, another region, a local environment whose endpoint is not on loopback, or
            an identity that cannot be told (UnreachableError).
    """
    host = urlsplit(env.aws.endpoint or "").hostname
    if env.kind == "region" and host not in LOOPBACK:
        raise GuardError(
            f"{env.path}: a local environment with the endpoint {env.aws.endpoint!r}; expected loopback"
        )
    client = aws.client(env, "sts")
    try:
        account = client.get_caller_identity()["Account"]
    except (BotoCoreError, ClientError) as error:
        raise UnreachableError(
            f"the caller's account cannot be told: {error}; check the credentials"
        ) from error
    if account != env.aws.account:
        raise GuardError(f"credentials of account {account}; {env.path} allows {env.aws.account} only")
    if client.meta.region_name != env.aws.region:
        raise GuardError(f"region {client.meta.region_name}; {env.path} allows {env.aws.region} only")


def check_names(env: Environment, template: Mapping[str, Any]) -> None:
    """Lock 1, names: nothing in the environment or the template may be called `prod`.

    Raises:
        GuardError: something is.
    """
    addresses = [
        env.aws.endpoint or "",
        env.aws.lock_bucket or "",
        *env.urls.values(),
        *env.aws.roles.values(),
        *env.aws.alarms.values(),
    ]
    _refuse_prod((env.name, *addresses, *_words(template)), f"environment {env.name!r}")


def check_target(env: Environment, target: Target, opt_in: Mapping[str, str]) -> None:
    """Lock 2 for one resource.

    Raises:
        GuardError: it lies in another account or region, lacks the opt-in tags, or is called `prod`.
    """
    parts = target.arn.split(":")
    if len(parts) < 6 or parts[0] != "arn":
        raise GuardError(f"target {target.name!r} resolved to {target.arn!r}; expected an ARN to check")
    if parts[4] != env.aws.account or parts[3] not in ("", env.aws.region):
        raise GuardError(
            f"{target.arn} is outside {env.aws.account}/{env.aws.region}, which is all {env.path} allows"
        )
    tags = owners.tags(env, target)
    _refuse_prod((target.arn, *tags.keys(), *tags.values()), target.arn)
    missing = {key: value for key, value in opt_in.items() if tags.get(key) != value}
    if missing:
        raise GuardError(f"{target.arn} carries {dict(tags)}; its owner has to opt in with {missing}")


def plan(
    env: Environment,
    fis: Fis,
    template: Mapping[str, Any],
    *,
    tags: Mapping[str, str],
    stopped: Callable[[], bool],
    timeout_s: float,
    pause_s: float = 0.2,
) -> Plan:
    """Lock 2: resolve everything that the template could hit, breaking nothing, and check each resource.

    `COUNT` and `PERCENT` pick at random each time; so the preview widens them to ALL, and the driver stops an
    experiment that hits anything outside the plan.

    Raises:
        GuardError: nothing resolves, the preview does not end, or a resource may not be broken.
        FisError: FIS refused.
    """
    targets = template.get("targets") or {}
    found = (
        _preview(fis, template, tags=tags, stopped=stopped, timeout_s=timeout_s, pause_s=pause_s)
        if targets
        else ()
    )
    for name in targets:
        if not any(target.name == name for target in found):
            raise GuardError(
                f"target {name!r} resolves to nothing; are the resources there, tagged and running?"
            )
    for target in found:
        check_target(env, target, targets[target.name].get("resourceTags", {}))
    acted_on = documents.targets(env, template)
    for target, opt_in in acted_on:
        check_target(env, target, opt_in)
    found = (*found, *(target for target, _ in acted_on))
    return Plan(targets=found, hash=hash_of(template, found))


def hash_of(template: Mapping[str, Any], targets: Iterable[Target]) -> str:
    """sha256 over the template and the ARNs, independent of their order."""
    body = {"template": template, "targets": sorted({(target.name, target.arn) for target in targets})}
    return hashlib.sha256(json.dumps(body, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _preview(
    fis: Fis,
    template: Mapping[str, Any],
    *,
    tags: Mapping[str, str],
    stopped: Callable[[], bool],
    timeout_s: float,
    pause_s: float,
) -> tuple[Target, ...]:
    wide = {name: {**target, "selectionMode": "ALL"} for name, target in template["targets"].items()}
    # Before a run nobody publishes what the stop alarm watches; and a preview breaks nothing to be stopped.
    unstopped = {**template, "targets": wide, "stopConditions": [{"source": "none"}]}
    template_id = fis.create_template(unstopped, tags)
    try:
        status = fis.start(template_id, token=uuid.uuid4().hex, tags=tags, mode="skip-all")
        deadline = time.monotonic() + timeout_s
        while not status.over:
            if stopped() or time.monotonic() >= deadline:
                fis.stop(status.id)
                raise GuardError(
                    f"the preview {status.id} was given up in state {status.state}; nothing was broken"
                )
            time.sleep(pause_s)
            status = fis.status(status.id)
        if status.state != "completed":
            raise GuardError(f"the preview {status.id} {status.state}: {status.reason}; nothing was broken")
        return fis.resolved(status.id)
    finally:
        fis.delete_template(template_id)


def _refuse_prod(words: Iterable[str], where: str) -> None:
    for word in words:
        if _PROD.search(word):
            raise GuardError(f"{where}: {word!r} says prod; faults are refused there")


def _words(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, Mapping):
        return [word for key, item in value.items() for word in (str(key), *_words(item))]
    if isinstance(value, list | tuple):
        return [word for item in value for word in _words(item)]
    return []
