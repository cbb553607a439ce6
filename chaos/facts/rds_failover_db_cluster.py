"""After a failover: a writer, and a standby that could take the next one."""

from __future__ import annotations

from chaos.facts import Context
from fixtures import aws


def problem(context: Context) -> str:
    """Local: the supervisor is idle and has a standby. AWS: each cluster is available and has one writer."""
    if context.region is not None:
        status = context.region.ask("failover-status")
        if status.get("state") == "idle" and status.get("standby_ready"):
            return ""
        return f"failover state {status.get('state')!r}, standby ready: {bool(status.get('standby_ready'))}"
    client = aws.client(context.env, "rds")
    for arn in context.arns:
        for cluster in client.describe_db_clusters(DBClusterIdentifier=arn)["DBClusters"]:
            writers = [m["DBInstanceIdentifier"] for m in cluster["DBClusterMembers"] if m["IsClusterWriter"]]
            if cluster["Status"] != "available" or len(writers) != 1:
                return f"{cluster['DBClusterIdentifier']} is {cluster['Status']} with writers {writers}"
    return ""
