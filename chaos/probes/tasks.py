"""How many are there: the tasks of a service, by process on the local region and by ECS on AWS.

Broken: an armed task is gone and fewer than were armed are healthy. Restored: an armed one is gone, and as
many as were armed are alive and healthy.
"""

from __future__ import annotations

import http.client
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psutil
from botocore.exceptions import BotoCoreError, ClientError

from chaos.errors import ControlError, ProbeError
from chaos.local import LocalRegion
from chaos.probes import Probe, Reading
from chaos.sight import Phase
from fixtures import aws
from fixtures.environment import Environment
from fixtures.region.info import Service

REQUIRED = frozenset({"cluster", "service"})
OPTIONAL = frozenset({"health"})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Counting:
    """The comparison that both kinds share; a reading is `{"alive": [ids], "healthy": [ids]}`."""

    service: str

    def refusal(self, reading: Reading) -> str:
        """Armed with every task alive and healthy only."""
        if not reading["alive"]:
            return f"service {self.service!r} has no task"
        ill = sorted(set(reading["alive"]) - set(reading["healthy"]))
        return f"service {self.service!r}: {', '.join(ill)} not healthy" if ill else ""

    def compare(self, armed: Reading, reading: Reading) -> tuple[Phase, str]:
        """See the module."""
        gone = sorted(set(armed["alive"]) - set(reading["alive"]))
        counts = f"{len(reading['healthy'])} of {len(armed['alive'])} healthy"
        if not gone:
            return Phase.ARMED, counts
        restored = len(reading["healthy"]) >= len(armed["alive"])
        return Phase.RESTORED if restored else Phase.BROKEN, f"{counts}; gone: {', '.join(gone)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalTasks(_Counting):
    """Processes of the local region whose names start with `<service>-`."""

    region: LocalRegion
    health: str
    slowest_s: float = 0.0

    def read(self) -> Reading:
        """Ids are `<name>:<pid>`, so that a replacement under the same name counts as another task."""
        try:
            services = self.region.info().services
        except ControlError as error:
            raise ProbeError(str(error)) from error
        mine = {name: item for name, item in services.items() if name.startswith(f"{self.service}-")}
        alive = {f"{name}:{item.pid}": item for name, item in sorted(mine.items()) if _runs(item.pid)}
        return {"alive": list(alive), "healthy": [key for key, item in alive.items() if self._well(item)]}

    def _well(self, item: Service) -> bool:
        if not item.port:
            return item.healthy
        connection = http.client.HTTPConnection("127.0.0.1", item.port, timeout=1.0)
        try:
            connection.request("GET", self.health, headers={"Connection": "close"})
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class EcsTasks(_Counting):
    """Tasks as ECS describes them; UNKNOWN health is taken as healthy where no check is defined."""

    client: Any
    cluster: str
    slowest_s: float = 2.0

    def read(self) -> Reading:
        """Ids are task ARNs."""
        try:
            tasks = self._tasks()
        except (BotoCoreError, ClientError) as error:
            raise ProbeError(f"ECS cannot be asked about {self.cluster}/{self.service}: {error}") from error
        alive = [task for task in tasks if task["lastStatus"] == "RUNNING"]
        well = [task for task in alive if task.get("healthStatus", "UNKNOWN") != "UNHEALTHY"]
        return {"alive": [task["taskArn"] for task in alive], "healthy": [task["taskArn"] for task in well]}

    def _tasks(self) -> list[dict[str, Any]]:
        pages = self.client.get_paginator("list_tasks").paginate(
            cluster=self.cluster, serviceName=self.service
        )
        arns = [arn for page in pages for arn in page["taskArns"]]
        found: list[dict[str, Any]] = []
        for start in range(0, len(arns), 100):
            found += self.client.describe_tasks(cluster=self.cluster, tasks=arns[start : start + 100])[
                "tasks"
            ]
        return found


def make(options: Mapping[str, Any], env: Environment, region: LocalRegion | None) -> Probe:
    """Build the probe for the environment's kind.

    Raises:
        ProbeError: a local environment without its region.
    """
    service = str(options["service"])
    if env.kind == "aws":
        return EcsTasks(client=aws.client(env, "ecs"), cluster=str(options["cluster"]), service=service)
    if region is None:
        raise ProbeError(f"probe tasks on {env.name!r}: the region's region.json is needed and was not given")
    return LocalTasks(region=region, service=service, health=str(options.get("health", "/health")))


def _runs(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
