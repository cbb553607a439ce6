"""Probes of what functions suffer: answers at a URL, a metric of CloudWatch; and the fact behind them."""

from __future__ import annotations

import http.server
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError

from chaos import facts, probes
from chaos.errors import ControlError, GuardError, ProbeError
from chaos.facts import Context
from chaos.local import LocalRegion
from chaos.memory import Memory
from chaos.prober import Prober
from chaos.probes import answers, metric
from chaos.sight import Phase
from fixtures import aws
from fixtures.environment import Environment
from tests.chaos.stage import local

A, B, R = Phase.ARMED, Phase.BROKEN, Phase.RESTORED


class Site(http.server.ThreadingHTTPServer):
    """Answers with `status` after `late_s`, and keeps what was asked for."""

    daemon_threads = True

    def __init__(self) -> None:
        self.status, self.late_s = 401, 0.0
        self.asked: list[str] = []
        super().__init__(("127.0.0.1", 0), _Get)

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.server_address[1]}/search?q=probe"


class _Get(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        site = cast(Site, self.server)
        site.asked.append(self.path)
        time.sleep(site.late_s)
        self.send_response(site.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as found:
        threading.Thread(target=found.serve_forever, args=(0.01,), daemon=True).start()
        yield found
        found.shutdown()


@pytest.mark.parametrize(
    ("looks", "seen"),
    [([], False), ([True], False), ([True, False, True], False), ([True, True], True)],
)
def test_a_fault_is_remembered_once_it_has_begun(looks: list[bool], seen: bool) -> None:
    """One odd look is none, as for the sight; what was seen stays seen."""
    memory = Memory()
    for broken in looks:
        memory.take(broken=broken)
    assert memory.seen is seen
    assert memory.take(broken=False) is seen


@pytest.mark.parametrize(
    ("bad", "seen", "phase"), [(0, False, A), (1, False, A), (2, False, B), (2, True, B), (1, True, R)]
)
def test_answers_compares_the_bad_ones_with_the_least(bad: int, seen: bool, phase: Phase) -> None:
    """Fewer than make it broken are as armed, unless it was broken before."""
    probe = answers.Answers(url="http://x", least=2)
    armed = {"bad": 0, "of": 20, "last": "", "seen": False}
    assert probe.compare(armed, {"bad": bad, "of": 20, "last": "", "seen": seen})[0] is phase


@pytest.mark.parametrize("fault", ["late", "failing"])
def test_answers_sees_a_url_become_bad_and_well_again(site: Site, fault: str) -> None:
    """Late ones and failed ones alike; a refusal to let us in is an answer."""
    options = {"url": site.url, "above_ms": 300, "window": 4, "least": 2, "timeout_s": 2}
    probe = probes.kind("answers").make(options, local(1), None)
    with Prober(probe=probe, every_s=0.01) as prober:
        prober.begin()
        assert not prober.await_first(0.1)
        site.late_s, site.status = (0.35, 401) if fault == "late" else (0.0, 502)
        assert prober.await_first(5)
        site.late_s, site.status = 0.0, 401
        assert prober.await_gone(5)
        assert prober.last is not None
        assert prober.last.detail.endswith("of 4 answers bad")
    assert set(site.asked) == {"/search?q=probe"}


def test_answers_is_not_armed_on_bad_ones(site: Site) -> None:
    """One of them is let pass; the refusal counts them and says what the newest was."""
    probe = answers.Answers(url=site.url, window=3, least=2)
    site.status = 503
    assert probe.refusal(probe.read()) == ""
    assert "2 of 2 answers bad, lately 'status 503'" in probe.refusal(probe.read())
    probe.url = "http://127.0.0.1:1/"
    assert "refused" in str(probe.read()["last"])


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"url": "http://example.com/"}, "example.com"),
        ({"url": "region:edge/x"}, "expected http"),
        ({"url": "http://127.0.0.1/", "window": 2, "least": 3}, "3 bad answers of 2"),
        ({"url": "http://127.0.0.1/", "least": 0}, "0 bad answers of 20"),
    ],
)
def test_answers_goes_nowhere_else(options: dict[str, Any], problem: str) -> None:
    """Other hosts, other schemes and numbers that mean nothing are refused before anything is sent."""
    with pytest.raises((GuardError, ProbeError), match=problem):
        probes.kind("answers").make(options, local(1), None)


OF = {"namespace": "AWS/Lambda", "metric": "Errors", "dimensions": {"FunctionName": "mine"}}


@pytest.mark.parametrize(
    ("total", "seen", "phase"), [(0.0, False, A), (3.0, False, B), (3.0, True, B), (0.0, True, R)]
)
def test_metric_compares_with_its_limit(total: float, seen: bool, phase: Phase) -> None:
    """Above it broken, and restored where it was above before."""
    probe = metric.Metric(client=None, namespace="", metric="", dimensions=(), period_s=5, window_s=15)
    assert probe.compare({"sum": 0.0, "seen": False}, {"sum": total, "seen": seen})[0] is phase


def test_metric_adds_up_its_own_series(env: Environment) -> None:
    """What CloudWatch has of the last seconds, of these dimensions and no others; nothing is zero."""
    probe = cast(metric.Metric, probes.kind("metric").make(OF, env, None))
    assert probe.refusal(probe.read()) == ""
    for function, at, value in (("mine", 0, 2.0), ("mine", 3, 1.0), ("mine", 600, 9.0), ("other", 0, 9.0)):
        datum = {
            "MetricName": "Errors",
            "Dimensions": [{"Name": "FunctionName", "Value": function}],
            "Timestamp": datetime.fromtimestamp(time.time() - at, UTC),
            "Value": value,
        }
        aws.client(env, "cloudwatch").put_metric_data(Namespace="AWS/Lambda", MetricData=[datum])
    reading = probe.read()
    assert reading["sum"] == 3.0
    assert "Errors is 3 in 15 s before anything was broken" in probe.refusal(reading)


def test_metric_tells_when_it_cannot_ask() -> None:
    """CloudWatch's refusal is no fault of the system."""

    def refuse(**_: object) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "GetMetricData")

    client = SimpleNamespace(get_metric_data=refuse)
    probe = metric.Metric(client=client, namespace="", metric="E", dimensions=(), period_s=5, window_s=15)
    with pytest.raises(ProbeError, match="cannot be asked for E"):
        probe.read()


@pytest.mark.parametrize("dimensions", [{}, "FunctionName=mine"])
def test_metric_without_dimensions_is_refused(env: Environment, dimensions: Any) -> None:
    """Without any it would be another metric, which may not exist."""
    with pytest.raises(ProbeError, match="expected an object"):
        probes.kind("metric").make(OF | {"dimensions": dimensions}, env, None)


class _Held(LocalRegion):
    """A region whose control server tells of these leases, or of nothing."""

    leases: list[dict[str, str]] | None = None

    def ask(self, do: str, **_: Any) -> dict[str, Any]:
        if self.leases is None:
            raise ControlError(f"no answer to {do}")
        return {"leases": self.leases}


@pytest.mark.parametrize("action", ["error", "add-delay", "http-integration-response"])
@pytest.mark.parametrize(
    ("leases", "said"),
    [
        ([], ""),
        ([{"lease": "EXP1/x", "kind": "task-stress"}], ""),
        ([{"lease": "EXP1/x", "kind": "function-faults"}], "still held: EXP1/x"),
        (None, "cannot be told: no answer to leases"),
    ],
)
def test_no_fault_of_functions_is_held_afterwards(action: str, leases: Any, said: str, tmp_path: Any) -> None:
    """The region's own word, for each of the three actions; AWS takes its faults back by itself."""

    class Region(_Held):
        pass

    Region.leases = leases
    action = f"aws:lambda:invocation-{action}"
    there = Context(env=local(1), region=Region(path=tmp_path), template={}, arns=())
    assert facts.problem([action], there) == (f"{action}: {said}" if said else "")
    assert facts.problem([action], Context(env=local(1), region=None, template={}, arns=())) == ""
