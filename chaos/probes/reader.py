"""The readers of a database cluster: asked themselves on the local region, RDS asked about them on AWS.

Broken: a reader that was armed does not answer, or is not available. Restored: all of them are there, and one
was started anew. Readers are found by what they are, not by their tags: a writer that is tagged as a reader
and restarted is not seen here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import asyncpg
from botocore.exceptions import BotoCoreError, ClientError

from chaos.errors import ControlError, ProbeError
from chaos.local import LocalRegion
from chaos.probes import Probe, Reading
from chaos.sight import Phase
from fixtures import aws
from fixtures.environment import Environment
from fixtures.region.postgres import connection

REQUIRED = frozenset({"cluster"})
OPTIONAL: frozenset[str] = frozenset()
_ANSWER_S = 1.0
_DAY_MIN = 24 * 60
_STARTED = "SELECT pg_postmaster_start_time()::text, pg_is_in_recovery()"
_TROUBLE = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Comparing:
    """The comparison that both kinds share: a reading is `{"readers": {name: started}, "error": words}`."""

    cluster: str

    def refusal(self, reading: Reading) -> str:
        """Armed with readers that are there only."""
        if reading["error"]:
            return f"cluster {self.cluster}: {reading['error']}"
        return "" if reading["readers"] else f"cluster {self.cluster} has no reader"

    def compare(self, armed: Reading, reading: Reading) -> tuple[Phase, str]:
        """See the module."""
        if reading["error"]:
            return Phase.BROKEN, str(reading["error"])
        if missing := sorted(set(armed["readers"]) - set(reading["readers"])):
            return Phase.BROKEN, f"no reader {', '.join(missing)}"
        anew = sorted(name for name, at in armed["readers"].items() if reading["readers"][name] != at)
        if not anew:
            return Phase.ARMED, f"{len(reading['readers'])} readers as armed"
        return Phase.RESTORED, f"started anew: {', '.join(anew)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalReaders(_Comparing):
    """Asks the standby itself, on a new connection each time."""

    region: LocalRegion
    slowest_s: float = 0.0

    def read(self) -> Reading:
        """When each standby's server was started."""
        try:
            services = self.region.info().services
        except ControlError as error:
            raise ProbeError(str(error)) from error
        found: dict[str, str] = {}
        for name, service in services.items():
            if service.role == "standby":
                try:
                    found[name] = asyncio.run(_started(service.port))
                except _TROUBLE as error:
                    return {"readers": {}, "error": f"{name}: {type(error).__name__}: {error}"}
        return {"readers": found, "error": ""}


@dataclass(frozen=True, slots=True, kw_only=True)
class RdsReaders(_Comparing):
    """Asks RDS, and its events for restarts."""

    client: Any
    slowest_s: float = 2.0

    def read(self) -> Reading:
        """When each reader was last restarted, as the events of a day tell; empty if it was not."""
        try:
            return self._found()
        except (BotoCoreError, ClientError) as error:
            raise ProbeError(f"RDS cannot be asked about {self.cluster}: {error}") from error

    def _found(self) -> Reading:
        (cluster,) = self.client.describe_db_clusters(DBClusterIdentifier=self.cluster)["DBClusters"]
        found: dict[str, str] = {}
        for member in cluster["DBClusterMembers"]:
            name = member["DBInstanceIdentifier"]
            if member["IsClusterWriter"]:
                continue
            (instance,) = self.client.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"]
            if instance["DBInstanceStatus"] != "available":
                return {"readers": {}, "error": f"{name} is {instance['DBInstanceStatus']}"}
            found[name] = self._restarted(name)
        return {"readers": found, "error": ""}

    def _restarted(self, name: str) -> str:
        events = self.client.describe_events(
            SourceIdentifier=name,
            SourceType="db-instance",
            EventCategories=["availability"],
            Duration=_DAY_MIN,
        )["Events"]
        return max((str(one["Date"]) for one in events if "restarted" in one["Message"].lower()), default="")


def make(options: Mapping[str, Any], env: Environment, region: LocalRegion | None) -> Probe:
    """Build the probe for the environment's kind.

    Raises:
        ProbeError: a local environment without its region.
    """
    cluster = str(options["cluster"])
    if env.kind == "aws":
        return RdsReaders(cluster=cluster, client=aws.client(env, "rds"))
    if region is None:
        raise ProbeError(f"probe reader on {env.name!r}: its region.json is needed and was not given")
    return LocalReaders(cluster=cluster, region=region)


async def _started(port: int) -> str:
    async with asyncio.timeout(_ANSWER_S), connection(port) as link:
        started, follows = await link.fetchrow(_STARTED)
    if not follows:
        raise ConnectionError("it is no standby any more")
    return str(started)
