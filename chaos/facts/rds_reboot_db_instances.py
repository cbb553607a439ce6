"""After a reboot: every instance is there again, and a standby could take over."""

from __future__ import annotations

from chaos.facts import Context, rds_failover_db_cluster
from fixtures import aws


def problem(context: Context) -> str:
    """Local: the supervisor is idle and has a standby. AWS: each instance is available."""
    if context.region is not None:
        return rds_failover_db_cluster.problem(context)
    client = aws.client(context.env, "rds")
    for arn in context.arns:
        for instance in client.describe_db_instances(DBInstanceIdentifier=arn)["DBInstances"]:
            if instance["DBInstanceStatus"] != "available":
                return f"{instance['DBInstanceIdentifier']} is {instance['DBInstanceStatus']}"
    return ""
