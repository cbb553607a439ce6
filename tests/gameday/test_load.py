"""`gameday load` before anything is sent: what it refuses, what it warns of, what it writes down."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from gameday import load, shape, target
from gameday.cli import main
from gameday.errors import ConfigError
from gameday.exitcodes import ExitCode
from gameday.process import ROOT
from slo import policy

HERE = "http://127.0.0.1:1/"


def gameday(*words: str) -> Result:
    return CliRunner().invoke(main, list(words))


def prepared(**options: Any) -> load.Prepared:
    return load.prepare(load.Options(**{"url": HERE, "arrivals": "50/s"} | options), out=Path("runs"))


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ((HERE,), "--arrivals 200/s"),
        ((HERE, "--arrivals", "5/s", "--users", "3"), "either --arrivals"),
        ((HERE, "--arrivals", "fast"), "'300/s'"),
        ((HERE, "--arrivals", "200"), "'300/s'"),
        ((HERE, "--arrivals", "0/s"), "more than zero"),
        ((HERE, "--arrivals", "5/s", "--for", "20"), "'90s'"),
        ((HERE, "--arrivals", "5/s", "--for", "1ms"), "at least 1 s"),
        ((HERE, "--arrivals", "5/s", "--warmup", "soon"), "'90s'"),
        ((HERE, "--arrivals", "5/s", "--timeout", "0s"), "more than zero"),
        ((HERE, "--arrivals", "5/s", "--think", "1s"), "--think goes with --users"),
        ((HERE, "--users", "5", "--sessions", "9"), "--sessions goes with --arrivals"),
        ((HERE, "--users", "5", "--poisson"), "--poisson goes with --arrivals"),
        ((HERE, "--users", "0"), "range"),
        ((HERE, "--users", "5", "--shape", "ramp:9/s"), "--shape goes with --arrivals"),
        ((HERE, "--arrivals", "5/s", "--shape", "wave:9/s"), "no shape 'wave'"),
        ((HERE, "--arrivals", "5/s", "--shape", "ramp:9"), "expected ramp:400/s"),
        ((HERE, "--arrivals", "5/s", "--shape", "steps:9/s"), "number of steps"),
        ((HERE, "--arrivals", "5/s", "--objective", "p99 < 1s"), "'p(99) < 500ms'"),
        ((HERE, "--arrivals", "5/s", "--objective", "p(99) < 5"), "500ms"),
        ((HERE, "--arrivals", "5/s", "--objective", "count == 0"), "not about requests"),
        ((HERE, "--arrivals", "5/s", "--objective", "max < 1s", "--objective", "max < 1s"), "once"),
        ((HERE, "--arrivals", "5/s", "--method", "GET /"), "e.g. GET"),
        ((HERE, "--arrivals", "5/s", "--method", "connect"), "e.g. GET"),
        ((HERE, "--arrivals", "5/s", "--header", "Accept"), "'Name: value'"),
        ((HERE, "--arrivals", "5/s", "--header", "Sp ace: x"), "'Name: value'"),
        ((HERE, "--arrivals", "5/s", "--header", "X: a\nY: b"), "control character"),
        ((HERE, "--arrivals", "5/s", "--header", "X: \N{SNOWMAN}"), "Latin-1"),
        ((HERE, "--arrivals", "5/s", "--header", "Host: other"), "set by gameday itself"),
        ((HERE, "--arrivals", "5/s", "--header", "X: 1", "--header", "x: 2"), "each name once"),
        ((HERE, "--arrivals", "5/s", "--header", "X: env:NO_SUCH"), "environment variable NO_SUCH"),
        ((HERE, "--arrivals", "5/s", "--body", "@/no/such/file"), "@file"),
        (("127.0.0.1:80", "--arrivals", "5/s"), "http://127.0.0.1:8080/path"),
        (("ftp://127.0.0.1/", "--arrivals", "5/s"), "http or https"),
        (("http:///x", "--arrivals", "5/s"), "no host"),
        (("http://127.0.0.1:99999/", "--arrivals", "5/s"), "http://127.0.0.1:8080/path"),
        (("http://127.0.0.1:0/", "--arrivals", "5/s"), "no port"),
        (("http://[::1/", "--arrivals", "5/s"), "http://127.0.0.1:8080/path"),
        (("http://me:pw@127.0.0.1/", "--arrivals", "5/s"), "--header"),
        (("http://127.0.0.1/a b", "--arrivals", "5/s"), "percent-encoded"),
        (("http://127.0.0.1/\N{SNOWMAN}", "--arrivals", "5/s"), "percent-encoded"),
        (("http://example.com/", "--arrivals", "5/s"), "--allow-host example.com"),
        (("http://127.0.0.1.example.com/", "--arrivals", "5/s"), "--allow-host"),
        (("http://0.0.0.0/", "--arrivals", "5/s"), "--allow-host 0.0.0.0"),
        (("http://169.254.169.254/", "--arrivals", "5/s", "--allow-host", "example.com"), "not allowed"),
    ],
)
def test_what_cannot_be_meant_exits_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], expected: str
) -> None:
    """With what was expected, and before a socket is opened or a folder made."""

    def no_socket(*_: Any, **__: Any) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", no_socket)
    shown = gameday("load", *words, "--out", str(tmp_path / "runs"))
    assert (shown.exit_code, shown.stdout) == (ExitCode.USAGE, "")
    assert expected in shown.stderr
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "[::1]", "localhost", "LOCALHOST"])
def test_loopback_may_always_be_loaded(host: str) -> None:
    """By its address or its name; nothing is resolved to find out."""
    assert prepared(url=f"http://{host}:8080/x").request.env.allow_hosts == (host.strip("[]").lower(),)


def test_another_host_may_be_loaded_when_it_is_named() -> None:
    """And only that host is then allowed to the traffic."""
    found = prepared(url="https://Staging.example/x?q=1#top", allow_hosts=("staging.example",))
    assert found.request.env.allow_hosts == ("staging.example",)
    assert found.request.load["request"] == {
        "method": "GET", "url": "https://Staging.example/x?q=1", "headers": {}, "body": "",
    }  # fmt: skip


def test_secrets_reach_the_traffic_but_no_file() -> None:
    """Neither the manifest's request nor the command that repeats the run holds them."""
    words = [
        "gameday",
        "load",
        HERE,
        "--header",
        "Authorization: Bearer hunter2",
        "--header=X-Api-Key: hunter3",
    ]
    options = load.Options(
        url=HERE,
        arrivals="5/s",
        headers=("Authorization: Bearer hunter2", "X-Api-Key: hunter3", "Accept: */*"),
    )
    found = load.prepare(options, out=Path("runs"), command=words)
    written = json.dumps([found.request.load, found.request.command])
    assert "hunter" not in written
    assert "Authorization: env:GAMEDAY_HEADER_1" in written
    assert "*/*" in written
    with found.secrets():
        assert os.environ["GAMEDAY_HEADER_1"] == "Bearer hunter2"
        assert os.environ["GAMEDAY_HEADER_2"] == "hunter3"
    assert "GAMEDAY_HEADER_1" not in os.environ


def test_a_reference_is_taken_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """`env:NAME` names a variable of the user's own."""
    monkeypatch.setenv("STAGING_TOKEN", "Bearer hunter2")
    found = prepared(headers=("Authorization: env:STAGING_TOKEN",))
    assert found.target.secrets == {}
    assert found.target.headers == {"Authorization": "env:STAGING_TOKEN"}


def test_a_body_makes_it_a_post(tmp_path: Path) -> None:
    """From the command line or a file, text or not; JSON is called JSON."""
    path = tmp_path / "body.bin"
    path.write_bytes(b"\xff\x00")
    said, read = prepared(body='{"a": 1}').target, prepared(body=f"@{path}", method="put").target
    assert (said.method, said.headers["Content-Type"]) == ("POST", "application/json")
    assert (read.method, read.headers["Content-Type"]) == ("PUT", "application/octet-stream")
    assert said.document()["body"] == '{"a": 1}'
    assert read.document()["body_base64"] == "/wA="


@pytest.mark.parametrize(
    ("arrivals", "objective", "shortest"),
    [
        ("200/s", "p(99) < 500ms", 120),
        ("1/s", "p(99) < 500ms", 299),
        ("200/s", "rate < 0.01%", 150),
        ("200/s", "value > 99.9%", 120),
        ("200/s", "value >= 100/s", 120),
        ("200/s", "max < 1s", 0),
    ],
)
def test_the_shortest_time_that_can_decide_is_said(arrivals: str, objective: str, shortest: int) -> None:
    """Twelve blocks of 10 s, and as many arrivals as the budget needs without a bad one."""
    found = prepared(arrivals=arrivals, objectives=(objective,), duration="20s")
    assert [f"--for {shortest}s" in warning for warning in found.warnings] == [True] * bool(shortest)
    assert not prepared(arrivals=arrivals, objectives=(objective,), duration="300s").warnings


@pytest.mark.parametrize("text", ["ramp:90/s", "steps:3:90/s", "spike:120/s"])
def test_a_shape_comes_after_the_warm_up(text: str) -> None:
    """25 s measured after 2 s of warm-up, half of them a ramp; the peak sets the cap of what is in flight."""
    found = prepared(arrivals="30/s", shape=text, duration="25s", warmup="2s")
    stages = found.request.plan.load.stages
    assert sum(stage["for_s"] for stage in stages) == 27.0
    assert found.request.plan.load.max_in_flight == (1200 if "spike" in text else 900)
    assert shape.read(text, rate=30, warmup_s=2, for_s=25).mean == 60.0


def test_without_objectives_the_run_is_to_measure() -> None:
    """Nothing is warned of and nothing asked for."""
    plan = prepared().request.plan
    assert (plan.policy, plan.objectives, plan.least_passes) == (policy.MEASURE, (), 0)


def test_objectives_get_names_and_the_same_question_is_asked_once() -> None:
    """Names say what is asked; two limits of one quantile are two objectives."""
    texts = (
        "p(99) < 1s",
        "p(99.9) < 2s",
        "p(99)<500ms",
        "rate < 1%",
        "value > 99%",
        "value > 5/s",
        "max < 9s",
    )
    found = prepared(objectives=texts).request
    assert [one.id for one in found.objectives] == [
        *("latency-p99", "latency-p99-9", "latency-p99-2"),
        *("errors", "availability", "throughput", "latency-max"),
    ]
    assert found.plan.least_passes == len(texts)
    assert all(one.operations == ("request",) and one.decides for one in found.objectives)


def test_the_traffic_is_what_the_scenario_makes_of_it() -> None:
    """The operations written down before the start are those the traffic process has."""
    found = prepared(url=HERE + "a/b?c=d", method="delete").request
    command = [sys.executable, "-m", "scenarios.load.describe", "url", "--load", json.dumps(found.load)]
    said = json.loads(subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout)
    assert said["operations"] == found.traffic.operations
    assert said["flows"] == found.traffic.flows
    assert said["mean_requests"] == found.traffic.requests_per_flow


@given(st.text(max_size=40))
def test_no_text_breaks_the_reading_of_a_url(text: str) -> None:
    """A target or a ConfigError, never anything else; and never another host than loopback."""
    try:
        found = target.read(text)
    except ConfigError:
        return
    assert target.is_loopback(found.host)


@given(st.text(max_size=20), st.text(max_size=20))
def test_no_text_breaks_the_reading_of_a_header(name: str, value: str) -> None:
    """What is accepted fits on one line and can be encoded."""
    try:
        found = target.read(HERE, headers=(f"{name}: {value}",))
    except ConfigError:
        return
    for key, shown in found.headers.items():
        line = f"{key}: {found.secrets.get(shown.removeprefix('env:'), shown)}".encode("latin-1")
        assert not {b"\r", b"\n"} & {line[place : place + 1] for place in range(len(line))}
