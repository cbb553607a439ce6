"""Databases: there is somebody to fail over to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from chaos.prerequisites import Asked, Finding, matching


def check(asked: Asked) -> Iterator[Finding]:
    """A cluster needs a reader, an instance that is rebooted with failover a standby in another zone."""
    for action in asked.actions("aws:rds:failover-db-cluster"):
        for target in asked.targets_of(action):
            for cluster in matching(asked, target) or ():
                yield _cluster(asked, cluster.arn, cluster.description)
    for action in asked.actions("aws:rds:reboot-db-instances"):
        if str(action.get("parameters", {}).get("forceFailover")).lower() != "true":
            continue
        for target in asked.targets_of(action):
            for instance in matching(asked, target) or ():
                yield _instance(asked, instance.arn, instance.description)


def _cluster(asked: Asked, arn: str, described: Mapping[str, Any]) -> Finding:
    members = described.get("DBClusterMembers", [])
    readers = [member for member in members if not member.get("IsClusterWriter")]
    if readers:
        return asked.there(f"{arn} has {len(readers)} to fail over to")
    return asked.missing(f"{arn} has no reader to fail over to", "add a reader in another zone")


def _instance(asked: Asked, arn: str, described: Mapping[str, Any]) -> Finding:
    if described.get("MultiAZ") or described.get("DBClusterIdentifier"):
        return asked.there(f"{arn} has a standby")
    return asked.missing(f"{arn} is in one zone only: it cannot be failed over", "make it Multi-AZ")
