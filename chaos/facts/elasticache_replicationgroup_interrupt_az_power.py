"""After a zone without power: the cache has a primary, and a replica that follows it."""

from __future__ import annotations

from chaos.facts import Context
from fixtures import aws
from fixtures.region.cache_group import PRIMARY, REPLICA


def problem(context: Context) -> str:
    """Local: the region lists both as healthy. AWS: each group is available and has a replica."""
    if context.region is not None:
        services = context.region.info().services
        ill = [name for name in (PRIMARY, REPLICA) if name not in services or not services[name].healthy]
        return f"{', '.join(ill)} not healthy" if ill else ""
    client = aws.client(context.env, "elasticache")
    for arn in context.arns:
        name = arn.rsplit(":", 1)[-1]
        for group in client.describe_replication_groups(ReplicationGroupId=name)["ReplicationGroups"]:
            nodes = [len(one["NodeGroupMembers"]) for one in group["NodeGroups"]]
            if group["Status"] != "available" or min(nodes, default=0) < 2:
                return f"{name} is {group['Status']} with {nodes} nodes"
    return ""
