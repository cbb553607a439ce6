"""Probes and facts of the cache and of a database's readers: tables, AWS's answers, bad servers."""

from __future__ import annotations

import socket
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from chaos import facts, probes
from chaos.errors import ProbeError
from chaos.facts import Context
from chaos.local import LocalRegion
from chaos.probes import cache, reader
from chaos.sight import Phase
from fixtures import aws
from fixtures.region import info
from fixtures.region.info import RegionInfo, Service
from tests.chaos.stage import local

A, B, R = Phase.ARMED, Phase.BROKEN, Phase.RESTORED
POWER = "aws:elasticache:replicationgroup-interrupt-az-power"
REBOOT = "aws:rds:reboot-db-instances"
GROUP_ARN = "arn:aws:elasticache:us-east-1:123456789012:replicationgroup:g"
DB_ARN = "arn:aws:rds:us-east-1:123456789012:db:i"


@pytest.mark.parametrize(
    ("primary", "replicas", "error", "phase"),
    [
        ("a", 1, "", A),
        ("", 0, "refused", B),
        ("a", 0, "", B),  # the replica is away
        ("b", 0, "", B),  # it took over, and nobody follows it
        ("b", 1, "", R),
    ],
)
def test_cache_compares_with_the_armed_group(primary: str, replicas: int, error: str, phase: Phase) -> None:
    """A fault lasts until as many replicas as before follow some primary."""
    probe = cache.LocalCache(group="g", region=LocalRegion(path=Path("x")))
    armed = {"primary": "a", "replicas": 1, "error": ""}
    assert probe.compare(armed, {"primary": primary, "replicas": replicas, "error": error})[0] is phase


@pytest.mark.parametrize(
    ("reading", "why"),
    [
        ({"primary": "a", "replicas": 1, "error": ""}, ""),
        ({"primary": "a", "replicas": 0, "error": ""}, "nobody follows"),
        ({"primary": "", "replicas": 0, "error": "refused"}, "refused"),
    ],
)
def test_cache_is_armed_with_a_replica_only(reading: dict[str, Any], why: str) -> None:
    """Without one a failover would be an outage."""
    said = cache.LocalCache(group="g", region=LocalRegion(path=Path("x"))).refusal(reading)
    assert (why in said) if why else said == ""


@pytest.mark.parametrize(
    ("readers", "error", "phase"),
    [
        ({"r": "1"}, "", A),
        ({"r": "1", "s": "5"}, "", A),  # one more than before
        ({}, "r: refused", B),
        ({"s": "5"}, "", B),
        ({"r": "2"}, "", R),
    ],
)
def test_reader_compares_with_the_armed_servers(readers: dict[str, str], error: str, phase: Phase) -> None:
    """A server that was started anew was away, even if nobody looked in between."""
    probe = reader.LocalReaders(cluster="c", region=LocalRegion(path=Path("x")))
    armed = {"readers": {"r": "1"}, "error": ""}
    assert probe.compare(armed, {"readers": readers, "error": error})[0] is phase


def test_reader_is_not_armed_without_a_reader() -> None:
    """Nor with one that does not answer."""
    probe = reader.LocalReaders(cluster="c", region=LocalRegion(path=Path("x")))
    assert "has no reader" in probe.refusal({"readers": {}, "error": ""})
    assert "r: refused" in probe.refusal({"readers": {}, "error": "r: refused"})
    assert probe.refusal({"readers": {"r": "1"}, "error": ""}) == ""


def there(tmp_path: Path, **services: Service) -> LocalRegion:
    up = RegionInfo(
        environment="local", system="lexohub", pid=1, started=1.0, state="ready", services=services
    )
    info.write(tmp_path, up)
    return LocalRegion(path=tmp_path)


@pytest.mark.parametrize(
    ("said", "reading"),
    [
        (
            "role:master\r\nconnected_slaves:2\r\nslave0:ip=1,state=online\r\nslave1:ip=2,state=wait_bgsave\r\n"
            "master_replid:abc\r\n",
            {"primary": "abc", "replicas": 1, "error": ""},
        ),
        ("role:slave\r\n", {"primary": "", "replicas": 0, "error": "the endpoint's server is a slave"}),
        (
            None,
            {"primary": "", "replicas": 0, "error": "ValueError: Redis answered b'-LOADING wait\\r\\n'"},
        ),
    ],
)
def test_cache_reads_what_redis_says(tmp_path: Path, said: str | None, reading: dict[str, Any]) -> None:
    """Replicas count once they are online; a server that loads, or follows, is no primary."""
    answer = b"-LOADING wait\r\n" if said is None else f"${len(said)}\r\n{said}\r\n".encode()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def once() -> None:
            link, _ = server.accept()
            with link:
                link.recv(100)
                link.sendall(answer)

        thread = threading.Thread(target=once)
        thread.start()
        found = there(tmp_path, redis=Service(pid=1, port=server.getsockname()[1]))
        assert cache.LocalCache(group="g", region=found).read() == reading
        thread.join()
    assert "refused" in cache.LocalCache(group="g", region=found).read()["error"]


def test_a_standby_that_is_away_is_no_reader(tmp_path: Path) -> None:
    """Its name is in the reason; a region without a cache cannot be looked at."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    found = there(tmp_path, **{"postgres-1": Service(pid=1, port=port, role="standby")})
    assert "postgres-1: Connect" in reader.LocalReaders(cluster="c", region=found).read()["error"]
    with pytest.raises(ProbeError, match="names no cache"):
        cache.LocalCache(group="g", region=found).read()


@pytest.mark.parametrize("kind", ["cache", "reader"])
def test_without_a_region_file_they_are_refused(kind: str) -> None:
    """A local environment needs its region."""
    with pytest.raises(ProbeError, match=f"probe {kind}"):
        probes.kind(kind).make({"group": "g", "cluster": "c"}, local(1), None)


def client(service: str) -> Any:
    return boto3.client(service, region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")


def described(status: str, *roles: str) -> dict[str, Any]:
    """A replication group as AWS describes it."""
    members = [{"CacheClusterId": f"g-{n}", "CurrentRole": role} for n, role in enumerate(roles)]
    group = {"ReplicationGroupId": "g", "Status": status, "NodeGroups": [{"NodeGroupMembers": members}]}
    return {"ReplicationGroups": [group]}


@pytest.mark.parametrize(
    ("answer", "reading"),
    [
        (
            described("available", "replica", "primary"),
            {"primary": "g-1", "replicas": 1, "error": ""},
        ),
        (
            described("modifying", "primary", "replica"),
            {"primary": "", "replicas": 0, "error": "the group is modifying with primaries ['g-0']"},
        ),
        (
            described("available", "replica"),
            {"primary": "", "replicas": 0, "error": "the group is available with primaries []"},
        ),
    ],
)
def test_cache_asks_elasticache_on_aws(answer: dict[str, Any], reading: dict[str, Any]) -> None:
    """Who is the primary, and how many nodes are beside it."""
    elasticache = client("elasticache")
    with Stubber(elasticache) as stub:
        stub.add_response("describe_replication_groups", answer, {"ReplicationGroupId": "g"})
        assert cache.ElastiCache(group="g", client=elasticache).read() == reading


@pytest.mark.parametrize("status", ["available", "rebooting"])
def test_reader_asks_rds_on_aws(status: str) -> None:
    """Readers only, with the newest restart that RDS tells of."""
    rds = client("rds")
    members = [{"DBInstanceIdentifier": name, "IsClusterWriter": name == "w"} for name in ("w", "r")]
    events = [
        {"Message": "DB instance restarted", "Date": datetime(2026, 11, 21, hour, tzinfo=UTC)}
        for hour in (9, 11)
    ]
    with Stubber(rds) as stub:
        clusters = {"DBClusters": [{"DBClusterMembers": members}]}
        stub.add_response("describe_db_clusters", clusters, {"DBClusterIdentifier": "c"})
        instances = {"DBInstances": [{"DBInstanceStatus": status}]}
        stub.add_response("describe_db_instances", instances, {"DBInstanceIdentifier": "r"})
        if status == "available":
            stub.add_response("describe_events", {"Events": events})
        reading = reader.RdsReaders(cluster="c", client=rds).read()
    if status == "available":
        assert reading == {"readers": {"r": "2026-11-21 11:00:00+00:00"}, "error": ""}
    else:
        assert reading == {"readers": {}, "error": "r is rebooting"}


def on_aws(monkeypatch: pytest.MonkeyPatch, action: str, arn: str, answer: dict[str, Any]) -> str:
    """What the facts of an action find amiss, given one answer of AWS."""
    service = arn.split(":")[2]
    known = client(service)
    monkeypatch.setattr(aws, "client", lambda *_: known)
    call = {"elasticache": "describe_replication_groups", "rds": "describe_db_instances"}[service]
    with Stubber(known) as stub:
        stub.add_response(call, answer)
        return facts.problem([action], Context(env=local(1), region=None, template={}, arns=(arn,)))


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (described("available", "primary", "replica"), ""),
        (described("available", "primary"), "with [1] nodes"),
        (described("modifying", "primary", "replica"), "g is modifying"),
    ],
)
def test_a_replica_must_be_back_after_a_power_cut(
    monkeypatch: pytest.MonkeyPatch, answer: dict[str, Any], said: str
) -> None:
    """The primary alone is not enough."""
    found = on_aws(monkeypatch, POWER, GROUP_ARN, answer)
    assert (said in found) if said else found == ""


@pytest.mark.parametrize(("status", "said"), [("available", ""), ("rebooting", "i is rebooting")])
def test_every_instance_must_be_back_after_a_reboot(
    monkeypatch: pytest.MonkeyPatch, status: str, said: str
) -> None:
    """As RDS describes it."""
    answer = {"DBInstances": [{"DBInstanceIdentifier": "i", "DBInstanceStatus": status}]}
    found = on_aws(monkeypatch, REBOOT, DB_ARN, answer)
    assert (said in found) if said else found == ""


def test_a_region_that_lists_an_ill_replica_has_a_problem(tmp_path: Path) -> None:
    """Both nodes have to be there."""
    ill = there(
        tmp_path, redis=Service(pid=1, port=2), **{"redis-replica": Service(pid=3, port=4, healthy=False)}
    )
    asked = Context(env=local(1), region=ill, template={}, arns=())
    assert "redis-replica not healthy" in facts.problem([POWER], asked)
