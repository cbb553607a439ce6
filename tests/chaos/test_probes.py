"""Probes: comparisons as tables, and each kind against something real that goes away and comes back."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from chaos import probes
from chaos.errors import GuardError, ProbeError
from chaos.local import LocalRegion
from chaos.prober import Prober
from chaos.probes import identity, tasks
from chaos.sight import Phase
from fixtures.region import info
from fixtures.region.info import RegionInfo, Service
from tests.chaos.stage import Writer, local, until, writer

A, B, R = Phase.ARMED, Phase.BROKEN, Phase.RESTORED


@pytest.fixture
def who() -> Iterator[Writer]:
    with writer() as found:
        yield found


def probe_of(who: Writer) -> probes.Probe:
    options = {"url": f"http://127.0.0.1:{who.port}/health/writer", "field": "writer"}
    return probes.kind("identity").make(options, local(1), None)


@pytest.mark.parametrize("name", probes.names())
def test_every_file_is_a_probe(name: str) -> None:
    """Each file of the folder says which options it takes."""
    kind = probes.kind(name)
    assert isinstance(kind.REQUIRED | kind.OPTIONAL, frozenset)
    assert callable(kind.make)


def test_an_unknown_kind_is_named() -> None:
    """The refusal lists what there is."""
    with pytest.raises(ProbeError, match="identity"):
        probes.kind("crystal_ball")


@pytest.mark.parametrize(
    ("reading", "phase"),
    [
        ({"status": 200, "value": "a"}, A),
        ({"status": 200, "value": "b"}, R),
        ({"status": 503, "error": "status 503"}, B),
        ({"status": 0, "error": "refused"}, B),
    ],
)
def test_identity_compares_with_the_armed_value(reading: dict[str, Any], phase: Phase) -> None:
    """Broken without a 200, restored with another value."""
    probe = identity.Identity(url="http://x", field="writer")
    assert probe.compare({"status": 200, "value": "a"}, reading)[0] is phase


@pytest.mark.parametrize(
    ("alive", "healthy", "phase"),
    [
        ("ab", "ab", A),
        ("ab", "a", A),  # ill but there: not what this probe looks for
        ("b", "b", B),
        ("bc", "b", B),  # the replacement is there and not healthy yet
        ("bc", "bc", R),
        ("cd", "cd", R),
        ("", "", B),
    ],
)
def test_tasks_compares_with_the_armed_ones(alive: str, healthy: str, phase: Phase) -> None:
    """Broken from the moment an armed task is gone until as many are healthy again."""
    probe = tasks.LocalTasks(service="api", region=LocalRegion(path=Path("x")), health="/health")
    armed = {"alive": ["a", "b"], "healthy": ["a", "b"]}
    assert probe.compare(armed, {"alive": list(alive), "healthy": list(healthy)})[0] is phase


def test_identity_sees_a_server_go_away_and_come_back_as_another(who: Writer) -> None:
    """First and last sight of a port that is really closed and opened again."""
    edges: list[str] = []
    with Prober(probe=probe_of(who), every_s=0.02, record=lambda edge, _: edges.append(edge)) as prober:
        prober.begin()
        who.down()
        assert prober.await_first(5)
        assert not prober.await_gone(0.1)
        who.identity = "second"
        who.up()
        assert prober.await_gone(5)
        first, last = prober.first, prober.last
    assert edges == ["first", "last"]
    assert first is not None
    assert last is not None
    assert first.t < last.t
    assert last.detail == "writer is second, was first"


def test_an_armed_state_that_comes_back_counts_as_gone_after_some_calm(who: Writer) -> None:
    """The same writer back again is no failover, and no fault either once it has stayed."""
    with Prober(probe=probe_of(who), every_s=0.02) as prober:
        prober.begin()
        who.status = 503
        assert prober.await_first(5)
        who.status = 200
        assert prober.await_gone(5, calm=20)
        assert prober.last is None


def test_what_is_seen_before_the_start_does_not_count(who: Writer) -> None:
    """A probe that is armed and not begun records nothing."""
    with Prober(probe=probe_of(who), every_s=0.01) as prober:
        who.down()
        assert not prober.await_first(0.2)
        who.up()


@pytest.mark.parametrize(("status", "said"), [(503, "status 503"), (404, "status 404")])
def test_a_probe_is_not_armed_on_something_broken(who: Writer, status: int, said: str) -> None:
    """The refusal says what was seen."""
    who.status = status
    with pytest.raises(ProbeError, match=said), Prober(probe=probe_of(who), every_s=0.01, arm_s=0.1):
        pass


def test_a_200_without_the_field_is_broken(who: Writer) -> None:
    """A page that answers 200 to everything proves nothing."""
    probe = identity.Identity(url=f"http://127.0.0.1:{who.port}/", field="leader")
    assert "without the field" in probe.refusal(probe.read())


def test_a_silent_server_is_broken_within_the_timeout() -> None:
    """A port that accepts and never answers does not hold the probe up."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        reading = identity.Identity(url=url, field="writer", timeout_s=0.05).read()
    assert reading["status"] == 0
    assert "imeout" in reading["error"] or "timed out" in reading["error"]


@pytest.mark.parametrize("url", ["http://example.com/", "ftp://127.0.0.1/", "region:edge/health"])
def test_a_probe_goes_nowhere_else(url: str) -> None:
    """Hosts outside the allow-list and other schemes are refused before anything is sent."""
    with pytest.raises((GuardError, ProbeError)):
        probes.kind("identity").make({"url": url, "field": "writer"}, local(1), None)


def sleeper() -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])


def write_region(path: Path, services: dict[str, Service]) -> None:
    info.write(
        path,
        RegionInfo(
            environment="local", system="lexohub", pid=1, started=1.0, state="ready", services=services
        ),
    )


def test_tasks_sees_a_process_die_and_its_replacement_become_healthy(tmp_path: Path, who: Writer) -> None:
    """Real processes, one of them killed; the replacement counts once its health check answers."""
    file = tmp_path / "region.json"
    victim, other, third = sleeper(), sleeper(), sleeper()
    try:
        services = {"api-0": Service(pid=victim.pid), "api-1": Service(pid=other.pid), "apis": Service(pid=1)}
        write_region(file, services)
        probe = probes.kind("tasks").make(
            {"cluster": "lexohub", "service": "api"}, local(1), LocalRegion(path=file)
        )
        with Prober(probe=probe, every_s=0.02) as prober:
            assert prober.armed is not None
            assert len(prober.armed["alive"]) == 2
            prober.begin()
            victim.send_signal(signal.SIGKILL)
            assert prober.await_first(5)
            who.status = 503
            write_region(file, {**services, "api-0": Service(pid=third.pid, port=who.port, generation=2)})
            assert not prober.await_gone(0.2)
            who.status = 200
            assert prober.await_gone(5)
            assert prober.last is not None
    finally:
        for child in (victim, other, third):
            child.kill()
            child.wait()


def test_tasks_tells_when_the_region_is_gone(tmp_path: Path) -> None:
    """Without its region.json the probe cannot tell, and says so instead of seeing a fault."""
    file = tmp_path / "region.json"
    child = sleeper()
    try:
        write_region(file, {"api-0": Service(pid=child.pid)})
        probe = probes.kind("tasks").make(
            {"cluster": "c", "service": "api"}, local(1), LocalRegion(path=file)
        )
        with Prober(probe=probe, every_s=0.02) as prober:
            prober.begin()
            file.unlink()
            assert not prober.await_gone(5)
            until(lambda: "region.json" in prober.latest)
    finally:
        child.kill()
        child.wait()


def test_tasks_without_a_region_file_is_refused() -> None:
    """A local environment needs its region."""
    with pytest.raises(ProbeError, match="region"):
        probes.kind("tasks").make({"cluster": "c", "service": "api"}, local(1), None)


def test_tasks_asks_ecs_on_aws() -> None:
    """Every page of tasks is described; stopped ones are not alive, UNHEALTHY ones not healthy."""
    client = boto3.client("ecs", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    arns = [f"arn:aws:ecs:us-east-1:123456789012:task/c/{n}" for n in "abc"]
    query = {"cluster": "c", "serviceName": "api"}
    states = [("RUNNING", "HEALTHY"), ("RUNNING", "UNHEALTHY"), ("STOPPED", "UNKNOWN")]
    described = [
        {"taskArn": arn, "lastStatus": last, "healthStatus": health}
        for arn, (last, health) in zip(arns, states, strict=True)
    ]
    with Stubber(client) as stub:
        stub.add_response("list_tasks", {"taskArns": arns[:2], "nextToken": "n"}, query)
        stub.add_response("list_tasks", {"taskArns": arns[2:]}, {**query, "nextToken": "n"})
        stub.add_response("describe_tasks", {"tasks": described}, {"cluster": "c", "tasks": arns})
        reading = tasks.EcsTasks(service="api", client=client, cluster="c").read()
    assert reading == {"alive": arns[:2], "healthy": arns[:1]}


def test_none_sees_nothing() -> None:
    """The probe of a run without a fault is quiet at once."""
    with Prober(probe=probes.kind("none").make({}, local(1), None), every_s=0.01) as prober:
        prober.begin()
        assert prober.await_gone(5)
        assert prober.first is None
