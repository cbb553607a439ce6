"""A small stage for faults: real sockets and processes, moto, the local FIS endpoint, and no system."""

from __future__ import annotations

import contextlib
import http.client
import http.server
import json
import os
import socket
import socketserver
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from chaos.fis import Fis
from chaos.journal import Journal
from chaos.proof import Patience
from fixtures import aws, environment
from fixtures.environment import Environment
from fixtures.region import info

QUICK = Patience(
    alarm_s=0.5,
    preview_s=15.0,
    poll_s=0.02,
    silence_s=2.0,
    end_s=15.0,
    onset_s=0.5,
    gone_s=10.0,
    calm=10,
    arm_s=1.5,
)
ALARM = "gameday-lexohub-customer-impact"
CLUSTER = "lexohub-cluster"
OPT_IN = {"gameday": "ready", "system": "lexohub"}


def until(condition: Callable[[], object], timeout_s: float = 15.0) -> None:
    """Poll until `condition` holds; fails the test otherwise."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "not within the time"
        time.sleep(0.01)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


@contextmanager
def process(*arguments: str, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """`python ARGUMENTS` until it answers on `port`; gone after the block."""
    child = subprocess.Popen(
        [sys.executable, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=Path.cwd()
    )
    try:
        until(lambda: answers(port) or child.poll() is not None, 30)
        assert child.poll() is None
        yield child
    finally:
        child.kill()
        child.wait()


@dataclass(slots=True)
class Writer:
    """Answers `{"writer": identity}` on one port; `down` closes the port, `up` opens it again."""

    identity: str = "first"
    status: int = 200
    port: int = 0
    _server: http.server.ThreadingHTTPServer | None = None

    def up(self) -> None:
        """Open the port."""
        writer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = json.dumps({"writer": writer.identity, "path": self.path}).encode()
                self.send_response(writer.status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def down(self) -> None:
        """Close the port: connections are refused."""
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            self._server = None


@contextmanager
def writer() -> Iterator[Writer]:
    found = Writer()
    found.up()
    try:
        yield found
    finally:
        found.down()


class Control(socketserver.ThreadingTCPServer):
    """The region's control protocol: a failover closes the writer's port for `detection_s`."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, writer: Writer, detection_s: float) -> None:
        self.writer, self.detection_s = writer, detection_s
        self.state, self.standby_ready, self.failovers = "idle", True, 0
        super().__init__(("127.0.0.1", 0), _Line)

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """The answer to one request."""
        if request["do"] == "failover-status":
            ready = {"state": self.state, "writer": self.writer.identity, "standby_ready": self.standby_ready}
            return {"ok": True, **ready}
        if request["do"] == "failover":
            if self.state != "idle":
                return {"ok": False, "error": "a failover is under way"}
            self.failovers += 1
            self.state, self.standby_ready = "down", False
            self.writer.down()
            threading.Thread(target=self._promote, daemon=True).start()
            return {"ok": True, "killed_pid": 1, "killed_at": time.time()}
        return {"ok": False, "error": f"unknown command {request['do']}"}

    def _promote(self) -> None:
        time.sleep(self.detection_s)
        self.writer.identity = f"writer-{self.failovers}"
        self.writer.up()
        self.state, self.standby_ready = "idle", True


class _Line(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        server: Any = self.server
        answer = server.answer(json.loads(self.rfile.readline()))
        self.wfile.write(json.dumps(answer).encode() + b"\n")


@contextmanager
def control(writer: Writer, detection_s: float = 0.6) -> Iterator[Control]:
    with Control(writer, detection_s) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        until(lambda: server.state == "idle")
        server.shutdown()


class Gateway(http.server.ThreadingHTTPServer):
    """One AWS endpoint: requests signed for FIS go to `fis`, all others to `moto` (both ports)."""

    daemon_threads = True

    def __init__(self, moto: int) -> None:
        self.moto, self.fis = moto, 0
        super().__init__(("127.0.0.1", 0), _Forward)


class _Forward(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _forward(self) -> None:
        gateway: Any = self.server
        port = gateway.fis if "/fis/aws4_request" in self.headers.get("Authorization", "") else gateway.moto
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        upstream = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            upstream.request(self.command, self.path, body, dict(self.headers))
            answer = upstream.getresponse()
            content = answer.read()
        except OSError:
            self.close_connection = True
            return
        finally:
            upstream.close()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("transfer-encoding", "content-length", "connection"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = _forward  # noqa: N815 - the base class asks for these

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def gateway(moto: int) -> Iterator[Gateway]:
    with Gateway(moto) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """What a driver test stands on."""

    env: Environment
    folder: Path
    journal: Journal
    writer: Writer
    control: Control
    stop: threading.Event = field(default_factory=threading.Event)

    def events(self, kind: str) -> list[dict[str, Any]]:
        """The events of a kind, in the order in which they were written."""
        path = self.folder / "events.jsonl"
        lines = [json.loads(line) for line in path.read_text().splitlines()] if path.is_file() else []
        return [line for line in lines if line["kind"] == kind]

    def set_alarm(self, state: str) -> None:
        """Set the stop alarm."""
        aws.client(self.env, "cloudwatch").set_alarm_state(
            AlarmName=ALARM, StateValue=state, StateReason="the test says so"
        )


def local(endpoint_port: int, writer_port: int = 1) -> Environment:
    """The shipped local environment, pointing at the stage."""
    up = info.RegionInfo(
        environment="local",
        system="lexohub",
        pid=os.getpid(),
        started=1.0,
        state="ready",
        endpoints={"aws": f"http://127.0.0.1:{endpoint_port}", "edge": f"http://127.0.0.1:{writer_port}"},
    )
    return environment.load("local").resolved(up)


def furnish(env: Environment) -> None:
    """What the inventory holds: a tagged cluster, one without opt-in, the stop alarm, and the lock bucket."""
    assert env.aws.lock_bucket is not None
    aws.client(env, "s3").create_bucket(Bucket=env.aws.lock_bucket)
    rds, cloudwatch = aws.client(env, "rds"), aws.client(env, "cloudwatch")
    for name, tags in (
        (CLUSTER, OPT_IN),
        ("untagged", {}),
        ("eu-prod-1", {"gameday": "ready", "system": "other"}),
    ):
        rds.create_db_cluster(
            DBClusterIdentifier=name,
            Engine="aurora-postgresql",
            MasterUsername="gameday",
            MasterUserPassword="gamedaygameday",
            Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
        )
    cloudwatch.put_metric_alarm(
        AlarmName=ALARM,
        Namespace="Gameday",
        MetricName="GoodRatio",
        Dimensions=[{"Name": "System", "Value": "lexohub"}],
        Statistic="Average",
        Period=10,
        EvaluationPeriods=6,
        Threshold=0.1,
        ComparisonOperator="LessThanThreshold",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What stages share: the one AWS endpoint (moto and FIS behind it) and the file that FIS follows."""

    port: int
    file: Path


@contextmanager
def ground(moto: int, folder: Path) -> Iterator[Ground]:
    """The AWS endpoint of all stages of a session."""
    file = folder / "region.json"
    with gateway(moto) as front:
        front.fis = free_port()
        arguments = ("-m", "fixtures.region.fis", "--port", str(front.fis), "--region-file", str(file))
        with process(*arguments, port=front.fis):
            yield Ground(port=front.server_address[1], file=file)


@contextmanager
def stage(under: Ground, folder: Path) -> Iterator[Stage]:
    """A stage of its own: control, writer, journal and run folder. No experiment outlives it."""
    run = folder / "lexohub-local-20261121T114500Z-3f9a"
    run.mkdir()
    with writer() as who, control(who) as supervisor:
        env = replace(local(under.port, who.port), region_file=under.file)
        endpoints = {
            "aws": str(env.aws.endpoint),
            "edge": env.urls["api"],
            "control": f"127.0.0.1:{supervisor.server_address[1]}",
        }
        info.write(
            under.file,
            info.RegionInfo(
                environment="local",
                system="lexohub",
                pid=os.getpid(),
                started=time.time(),
                state="ready",
                endpoints=endpoints,
                time_scale=0.005,
                detection_s=supervisor.detection_s,
            ),
        )
        book = Journal(path=folder / "state" / "journal.jsonl")
        try:
            yield Stage(env=env, folder=run, journal=book, writer=who, control=supervisor)
        finally:
            fis = Fis.of(env)
            for status in fis.experiments():
                if not status.over:
                    fis.stop(status.id)
            until(lambda: all(status.over for status in fis.experiments()))
            for template_id, _ in fis.templates():
                fis.delete_template(template_id)
