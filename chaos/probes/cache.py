"""The cache's primary and who follows it: asked of Redis on the local region, of ElastiCache on AWS.

Broken: no primary, or fewer replicas than when armed. Restored: another primary than the armed one, with as
many replicas. ElastiCache tells who is the primary only where cluster mode is off.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from chaos.errors import ControlError, ProbeError
from chaos.local import LocalRegion
from chaos.probes import Probe, Reading
from chaos.sight import Phase
from fixtures import aws
from fixtures.environment import Environment
from fixtures.region.cache_group import PRIMARY

REQUIRED = frozenset({"group"})
OPTIONAL: frozenset[str] = frozenset()
_ANSWER_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Comparing:
    """The comparison that both kinds share: a reading is `{"primary": id, "replicas": n, "error": words}`."""

    group: str

    def refusal(self, reading: Reading) -> str:
        """Armed with a primary and somebody to take over only."""
        if reading["error"]:
            return f"cache {self.group}: {reading['error']}"
        return "" if reading["replicas"] else f"cache {self.group}: nobody follows the primary"

    def compare(self, armed: Reading, reading: Reading) -> tuple[Phase, str]:
        """See the module."""
        if reading["error"]:
            return Phase.BROKEN, str(reading["error"])
        count = f"{reading['replicas']} of {armed['replicas']} replicas"
        if reading["replicas"] < armed["replicas"]:
            return Phase.BROKEN, f"the primary has {count}"
        if reading["primary"] == armed["primary"]:
            return Phase.ARMED, f"the primary has {count}"
        return Phase.RESTORED, f"the primary is {reading['primary']}, was {armed['primary']}, and has {count}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalCache(_Comparing):
    """Asks Redis on the cache's endpoint, on a new connection each time."""

    region: LocalRegion
    slowest_s: float = 0.0

    def read(self) -> Reading:
        """The id is that of the server's replication history, which no other server has."""
        try:
            port = self.region.info().services[PRIMARY].port
        except (ControlError, KeyError) as error:
            raise ProbeError(f"{self.region.path} names no cache: {error}") from error
        try:
            found = _replication(port)
        except (OSError, ValueError) as error:
            return _nobody(f"{type(error).__name__}: {error}")
        if found.get("role") != "master":
            return _nobody(f"the endpoint's server is a {found.get('role', 'server that does not say what')}")
        following = [key for key, text in found.items() if key.startswith("slave") and "state=online" in text]
        return {"primary": found["master_replid"], "replicas": len(following), "error": ""}


@dataclass(frozen=True, slots=True, kw_only=True)
class ElastiCache(_Comparing):
    """Asks ElastiCache, which tells minutes later than a client notices."""

    client: Any
    slowest_s: float = 2.0

    def read(self) -> Reading:
        """Ids are those of cache clusters."""
        try:
            answer = self.client.describe_replication_groups(ReplicationGroupId=self.group)
        except (BotoCoreError, ClientError) as error:
            raise ProbeError(f"ElastiCache cannot be asked about {self.group}: {error}") from error
        (group,) = answer["ReplicationGroups"]
        members = [member for one in group["NodeGroups"] for member in one["NodeGroupMembers"]]
        primaries = [one["CacheClusterId"] for one in members if one.get("CurrentRole") == "primary"]
        if group["Status"] != "available" or not primaries:
            return _nobody(f"the group is {group['Status']} with primaries {primaries}")
        replicas = len(members) - len(primaries)
        return {"primary": ", ".join(sorted(primaries)), "replicas": replicas, "error": ""}


def make(options: Mapping[str, Any], env: Environment, region: LocalRegion | None) -> Probe:
    """Build the probe for the environment's kind.

    Raises:
        ProbeError: a local environment without its region.
    """
    group = str(options["group"])
    if env.kind == "aws":
        return ElastiCache(group=group, client=aws.client(env, "elasticache"))
    if region is None:
        raise ProbeError(f"probe cache on {env.name!r}: the region's region.json is needed and was not given")
    return LocalCache(group=group, region=region)


def _nobody(why: str) -> Reading:
    return {"primary": "", "replicas": 0, "error": why}


def _replication(port: int) -> dict[str, str]:
    """Redis's own account of its replication."""
    with socket.create_connection(("127.0.0.1", port), timeout=_ANSWER_S) as link:
        link.sendall(b"INFO replication\r\n")
        with link.makefile("rb") as stream:
            head = stream.readline()
            if not head.startswith(b"$"):
                raise ValueError(f"Redis answered {head!r}")
            lines = stream.read(int(head[1:])).decode().splitlines()
    return {key: text for key, _, text in (line.partition(":") for line in lines)}
