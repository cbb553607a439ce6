"""Facts beside the probe, and the region's control behind them."""

from __future__ import annotations

import socket
import threading
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from chaos import facts
from chaos.errors import ControlError
from chaos.facts import Context
from chaos.local import LocalRegion
from fixtures import aws
from fixtures.region import info
from fixtures.region.fis import catalog
from tests.chaos.stage import Stage, local

FAILOVER = "aws:rds:failover-db-cluster"
STOP_TASK = "aws:ecs:stop-task"


def context(region: LocalRegion | None, **template: Any) -> Context:
    return Context(env=local(1), region=region, template=template, arns=("arn:a",))


def test_every_facts_file_belongs_to_an_action() -> None:
    """The file's name is the action's."""
    actions = {
        name.removeprefix("aws:").replace(":", "_").replace("-", "_") for name in catalog.load().actions
    }
    assert not set(facts.names()) - actions


def test_a_standby_must_be_there_after_a_failover(stage: Stage) -> None:
    """The writer alone is not enough."""
    assert stage.env.region_file is not None
    there = context(LocalRegion(path=stage.env.region_file))
    assert facts.problem([FAILOVER], there) == ""
    stage.control.standby_ready = False
    assert "standby ready: False" in facts.problem([FAILOVER], there)


def test_actions_without_facts_have_none() -> None:
    """The probe alone proves those."""
    assert facts.problem(["aws:fis:wait"], context(None)) == ""


def stubbed(monkeypatch: pytest.MonkeyPatch, service: str) -> Stubber:
    client = boto3.client(service, region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    monkeypatch.setattr(aws, "client", lambda *_: client)
    stub = Stubber(client)
    stub.activate()
    return stub


@pytest.mark.parametrize(
    ("status", "writers", "said"),
    [
        ("available", [True, False], ""),
        ("failing-over", [True], "failing-over"),
        ("available", [False], "writers []"),
    ],
)
def test_on_aws_a_cluster_is_available_with_one_writer(
    monkeypatch: pytest.MonkeyPatch, status: str, writers: list[bool], said: str
) -> None:
    """As RDS describes it."""
    members = [{"DBInstanceIdentifier": f"i{n}", "IsClusterWriter": w} for n, w in enumerate(writers)]
    cluster = {"DBClusterIdentifier": "c", "Status": status, "DBClusterMembers": members}
    stub = stubbed(monkeypatch, "rds")
    stub.add_response("describe_db_clusters", {"DBClusters": [cluster]}, {"DBClusterIdentifier": "arn:a"})
    found = facts.problem([FAILOVER], context(None))
    assert (said in found) if said else found == ""


@pytest.mark.parametrize(("running", "said"), [(2, ""), (1, "runs 1 of 2")])
def test_on_aws_a_service_runs_as_many_as_it_wants(
    monkeypatch: pytest.MonkeyPatch, running: int, said: str
) -> None:
    """As ECS describes it."""
    service = {"serviceName": "api", "runningCount": running, "desiredCount": 2}
    stub = stubbed(monkeypatch, "ecs")
    stub.add_response("describe_services", {"services": [service]}, {"cluster": "c", "services": ["api"]})
    targets = {"tasks": {"parameters": {"cluster": "c", "service": "api"}}, "other": {}}
    found = facts.problem([STOP_TASK], context(None, targets=targets))
    assert (said in found) if said else found == ""


def test_what_cannot_be_told_is_amiss(tmp_path: Path) -> None:
    """A fact that cannot be asked for does not hold."""
    gone = LocalRegion(path=tmp_path / "region.json")
    assert "cannot be told" in facts.problem([FAILOVER], context(gone))


def test_control_says_what_the_region_refuses(stage: Stage) -> None:
    """The region's own reason comes through."""
    assert stage.env.region_file is not None
    with pytest.raises(ControlError, match="unknown command explode"):
        LocalRegion(path=stage.env.region_file).ask("explode")


@pytest.mark.parametrize(
    ("control", "said"),
    [("", "expected a loopback"), ("10.0.0.1:80", "expected a loopback"), ("127.0.0.1:1", "does not answer")],
)
def test_control_is_asked_on_loopback_only(tmp_path: Path, control: str, said: str) -> None:
    """Another host, or nobody, is an error with the address."""
    write(tmp_path, control)
    with pytest.raises(ControlError, match=said):
        LocalRegion(path=tmp_path).ask("status")


def test_a_control_that_talks_nonsense_is_said(tmp_path: Path) -> None:
    """Half an answer is no answer."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def once() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(100)
                connection.sendall(b"[1]\n")

        thread = threading.Thread(target=once)
        thread.start()
        write(tmp_path, f"127.0.0.1:{server.getsockname()[1]}")
        with pytest.raises(ControlError, match="does not answer"):
            LocalRegion(path=tmp_path).ask("status")
        thread.join()


def write(folder: Path, control: str) -> None:
    found = info.RegionInfo(
        environment="local",
        system="lexohub",
        pid=1,
        started=1.0,
        state="ready",
        endpoints={"control": control},
    )
    info.write(folder / "region.json", found)
