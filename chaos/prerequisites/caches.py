"""ElastiCache: a group whose zone loses power needs nodes in another, and to move by itself."""

from __future__ import annotations

from collections.abc import Iterator

from chaos.prerequisites import Asked, Finding

_ACTION = "aws:elasticache:replicationgroup-interrupt-az-power"


def check(asked: Asked) -> Iterator[Finding]:
    """DescribeReplicationGroups, of the groups that carry the tags."""
    client = asked.client("elasticache") if any(asked.actions(_ACTION)) else None
    for action in asked.actions(_ACTION):
        for target in asked.targets_of(action):
            wanted = target.get("resourceTags", {}).items()
            assert client is not None, "made above"
            for page in client.get_paginator("describe_replication_groups").paginate():
                for group in page["ReplicationGroups"]:
                    listed = client.list_tags_for_resource(ResourceName=group["ARN"])["TagList"]
                    if wanted <= {pair["Key"]: pair["Value"] for pair in listed}.items():
                        yield _group(asked, group)


def _group(asked: Asked, group: dict[str, object]) -> Finding:
    off = [key for key in ("MultiAZ", "AutomaticFailover") if group.get(key) != "enabled"]
    if off:
        states = ", ".join(f"{key} is {group.get(key)}" for key in off)
        return asked.missing(f"{group['ARN']}: {states}", "enable Multi-AZ with automatic failover")
    return asked.there(f"{group['ARN']} is Multi-AZ and fails over by itself")
