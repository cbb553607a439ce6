"""Restore an Aurora cluster to a point in time, and let the application use what was restored.

    restore        RestoreDBClusterToPointInTime beside the cluster that is served, and one instance in it
    switch         the served cluster is renamed, its instances are rebooted to end the connections that they
                   hold, and the restored one gets its name: with the name go the endpoints
    undo           the names are changed back, and the restored cluster is deleted

The point is `back` before the start, or the latest restorable one if that is earlier. Which cluster is which
is told by their resource ids, which no renaming changes.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from chaos.drills import Facts, Tell
from chaos.errors import FisError, GuardError
from chaos.fis import Target
from fixtures import aws
from fixtures.environment import Environment
from fixtures.region.fis import duration

REQUIRED = frozenset({"tags", "back"})
OPTIONAL: frozenset[str] = frozenset()
FACTS = ("aws:rds:failover-db-cluster",)

_FAILED = frozenset({"failed", "cloning-failed", "migration-failed", "restore-error", "deleting"})
_PATIENCE_S = 1800.0


def problems(options: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """`back` is a duration of ISO 8601."""
    try:
        duration.seconds(str(options["back"]))
    except ValueError as error:
        yield "back", f"{error}; expected how long before the start, such as PT1M"


def make(options: Mapping[str, Any], env: Environment, poll_s: float) -> Restore:
    """Build the drill."""
    return Restore(
        client=aws.client(env, "rds"),
        tags=options["tags"],
        back_s=duration.seconds(options["back"]) * env.time_scale,
        poll_s=poll_s,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Restore:
    """The drill; `client` is a boto3 client of `rds`."""

    client: Any
    tags: Mapping[str, str]
    back_s: float
    poll_s: float

    def targets(self) -> tuple[Target, ...]:
        """The one cluster that carries the tags."""
        found = [one for one in self._clusters() if self.tags.items() <= _tags(one).items()]
        if len(found) != 1:
            names = [one["DBClusterIdentifier"] for one in found]
            raise GuardError(f"clusters with the tags {dict(self.tags)}: {names}; expected exactly one")
        information = {"dbClusterArn": str(found[0]["DBClusterArn"])}
        return (Target(name="cluster", type="aws:rds:cluster", information=information),)

    def prepare(self, name: str) -> Facts:
        """Names, the resource id of the served cluster, and the point in time (epoch seconds, whole)."""
        (target,) = self.targets()
        served = self._cluster(target.arn.rsplit(":", 1)[-1])
        latest = served["LatestRestorableTime"].timestamp()
        cluster = str(served["DBClusterIdentifier"])
        return {
            "cluster": cluster,
            "resource": str(served["DbClusterResourceId"]),
            "restored": f"{cluster}-restored-{name}",
            "retired": f"{cluster}-retired-{name}",
            "to": math.floor(min(time.time() - self.back_s, latest)),
        }

    def perform(self, facts: Facts, tell: Tell) -> Iterator[None]:
        """See the module."""
        served = self._cluster(facts["cluster"])
        writer = self._writer(served)
        tell("drill", state="running", step="restore", to=facts["to"], restored=facts["restored"])
        self.client.restore_db_cluster_to_point_in_time(**_restore(facts, served))
        yield from self._available(facts["restored"])
        self.client.create_db_instance(**_instance(facts, writer))
        yield from self._instance_available(f"{facts['restored']}-1")
        tell("drill", state="running", step="switch")
        yield from self._renamed(facts["cluster"], facts["retired"])
        for member in served["DBClusterMembers"]:
            name = str(member["DBInstanceIdentifier"])
            self.client.reboot_db_instance(DBInstanceIdentifier=name)
            yield from self._instance_available(name)
        # Nobody writes now: between the one database and the other.
        tell("rewind", to=float(facts["to"]))
        yield from self._renamed(facts["restored"], facts["cluster"])
        tell("drill", state="running", step="serving", restored=facts["cluster"])

    def undo(self, facts: Facts) -> str:
        """See the module."""
        deadline = time.monotonic() + _PATIENCE_S
        cluster, restored = facts["cluster"], facts["restored"]
        done: list[str] = []
        now = {str(one["DbClusterResourceId"]): one for one in self._clusters()}
        if facts["resource"] not in now:
            raise FisError(f"the cluster once called {cluster} ({facts['resource']}) is gone; look in RDS")
        old = str(now[facts["resource"]]["DBClusterIdentifier"])
        if old != cluster:
            if any(one["DBClusterIdentifier"] == cluster for one in now.values()):
                self._until(self._renamed(cluster, restored), deadline)
            self._until(self._renamed(old, cluster), deadline)
            done.append(f"{old} is {cluster} again")
        if self._exists(restored):
            self._delete(restored, deadline)
            done.append(f"{restored} deleted")
        return "; ".join(done) or f"{cluster} is as it was"

    def _delete(self, name: str, deadline: float) -> None:
        for member in self._cluster(name)["DBClusterMembers"]:
            self.client.delete_db_instance(
                DBInstanceIdentifier=member["DBInstanceIdentifier"], SkipFinalSnapshot=True
            )
        self.client.delete_db_cluster(DBClusterIdentifier=name, SkipFinalSnapshot=True)
        self._until(self._gone(name), deadline)

    def _renamed(self, name: str, to: str) -> Iterator[None]:
        self.client.modify_db_cluster(
            DBClusterIdentifier=name, NewDBClusterIdentifier=to, ApplyImmediately=True
        )
        yield
        yield from self._gone(name)
        yield from self._available(to)

    def _gone(self, name: str) -> Iterator[None]:
        while self._exists(name):
            yield from self._pause()

    def _available(self, name: str) -> Iterator[None]:
        while True:
            # a cluster that is being renamed is not found under either name for a while
            status = str(self._cluster(name)["Status"]) if self._exists(name) else "renaming"
            if status == "available":
                return
            if status in _FAILED:
                raise FisError(f"the cluster {name} is {status}; see its events in RDS")
            yield from self._pause()

    def _instance_available(self, name: str) -> Iterator[None]:
        while True:
            found = self.client.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]
            status = str(found["DBInstanceStatus"])
            if status == "available":
                return
            if status in _FAILED:
                raise FisError(f"the instance {name} is {status}; see its events in RDS")
            yield from self._pause()

    def _pause(self) -> Iterator[None]:
        time.sleep(self.poll_s)
        yield

    def _until(self, steps: Iterator[None], deadline: float) -> None:
        for _ in steps:
            if time.monotonic() >= deadline:
                raise FisError(f"RDS takes longer than {_PATIENCE_S:g} s; gameday abort goes on")

    def _clusters(self) -> list[dict[str, Any]]:
        pages = self.client.get_paginator("describe_db_clusters").paginate()
        return [cluster for page in pages for cluster in page["DBClusters"]]

    def _exists(self, name: str) -> bool:
        try:
            self._cluster(name)
        except ClientError as error:
            if error.response["Error"]["Code"] == "DBClusterNotFoundFault":
                return False
            raise
        return True

    def _cluster(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.client.describe_db_clusters(DBClusterIdentifier=name)["DBClusters"][0]
        return found

    def _writer(self, cluster: Mapping[str, Any]) -> dict[str, Any]:
        names = [m["DBInstanceIdentifier"] for m in cluster["DBClusterMembers"] if m["IsClusterWriter"]]
        if len(names) != 1:
            raise FisError(f"{cluster['DBClusterIdentifier']} has the writers {names}; expected one")
        found: dict[str, Any] = self.client.describe_db_instances(DBInstanceIdentifier=names[0])[
            "DBInstances"
        ][0]
        return found


def _restore(facts: Facts, served: Mapping[str, Any]) -> dict[str, Any]:
    """What RestoreDBClusterToPointInTime does not take over by itself is that of the served cluster."""
    groups = [one["VpcSecurityGroupId"] for one in served.get("VpcSecurityGroups", [])]
    more = {
        "DBSubnetGroupName": _own(served.get("DBSubnetGroup")),
        "DBClusterParameterGroupName": _own(served.get("DBClusterParameterGroup")),
        "VpcSecurityGroupIds": groups,
        "Port": served.get("Port"),
        "ServerlessV2ScalingConfiguration": served.get("ServerlessV2ScalingConfiguration"),
    }
    return {
        "DBClusterIdentifier": facts["restored"],
        "SourceDBClusterIdentifier": facts["cluster"],
        "RestoreToTime": datetime.fromtimestamp(facts["to"], UTC),
        "DeletionProtection": False,
        "Tags": _pairs(served),
        **{key: value for key, value in more.items() if value},
    }


def _instance(facts: Facts, writer: Mapping[str, Any]) -> dict[str, Any]:
    """One instance like the writer that is served: without one a restored cluster has only storage."""
    groups = [_own(one["DBParameterGroupName"]) for one in writer.get("DBParameterGroups", [])]
    return {
        "DBInstanceIdentifier": f"{facts['restored']}-1",
        "DBClusterIdentifier": facts["restored"],
        "DBInstanceClass": writer["DBInstanceClass"],
        "Engine": writer["Engine"],
        "Tags": _pairs(writer),
        **({"DBParameterGroupName": groups[0]} if groups and groups[0] else {}),
    }


def _own(name: str | None) -> str | None:
    """A group of the owner's own; a default one comes by itself."""
    return None if name is None or name == "default" or name.startswith("default.") else name


def _tags(cluster: Mapping[str, Any]) -> dict[str, str]:
    return {pair["Key"]: pair["Value"] for pair in cluster.get("TagList", [])}


def _pairs(resource: Mapping[str, Any]) -> list[dict[str, str]]:
    """The owner's tags; those of AWS itself may not be given."""
    return [dict(pair) for pair in resource.get("TagList", []) if not pair["Key"].startswith("aws:")]
