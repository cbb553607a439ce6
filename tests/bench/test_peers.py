"""What each tool says of its run, from recorded output."""

import pytest

from bench.errors import BenchError
from bench.peers import k6, ours, stock

K6 = """{"http_reqs":{"type":"counter","contains":"default","values":{"count":201,"rate":100.4}},
"http_req_duration":{"type":"trend","contains":"time",
"values":{"p(50)":0.253353,"p(90)":0.674951,"p(99)":2.083066,"max":4.816295}},
"http_req_failed":{"type":"rate","contains":"default","values":{"rate":0,"passes":2,"fails":199}},
"dropped_iterations":{"type":"counter","contains":"default","values":{"count":3,"rate":1.5}}}"""
LOCUST = """Aggregated  1  2  71

{"requests": 85, "failures": 1, "p50_ms": 1, "p90_ms": 5, "p99_ms": 71}
"""
OURS = """{"intended": 200, "sent": 198, "ok": 195, "bad": {"dropped_system": 2, "timeout": 3},
"latency_ms": {"p50": 2.273, "p90": 3.647, "p99": 9.239, "p999": 12.087, "max": 12.087},
"start_lag_ms": {"p50": 0.9641, "p99": 2.6852, "max": 3.6987}}"""


def test_k6() -> None:
    """Dropped iterations were intended and not sent."""
    said = k6.read(K6)
    assert (said.requests, said.sent, said.intended) == (201, 201, 204)
    assert (said.ok, said.bad) == (199, 5)
    assert (said.p50_ms, said.p90_ms, said.p99_ms) == (0.253353, 0.674951, 2.083066)


def test_locust() -> None:
    """Its own statistics stand in the last line."""
    said = stock.read(LOCUST)
    assert (said.requests, said.ok, said.bad) == (85, 84, 1)
    assert (said.p50_ms, said.p99_ms) == (1, 71)


def test_ours() -> None:
    """Every class of bad counts."""
    said = ours.read(OURS)
    assert (said.intended, said.sent, said.ok, said.bad) == (200, 198, 195, 5)
    assert (said.p99_ms, said.lag_p99_ms) == (9.239, 2.6852)


def test_durations_suit_each_tool() -> None:
    """Locust takes whole seconds only; users share the rate."""
    argv = stock.paced("http://127.0.0.1:1/", users=20, rate=200.0, for_s=6.5).argv
    assert argv[argv.index("--run-time") + 1] == "7s"
    assert stock.paced("http://127.0.0.1:1/", users=20, rate=200.0, for_s=6.5).env == {"BENCH_PACE": "10.0"}


@pytest.mark.parametrize("read", [k6.read, stock.read, ours.read])
@pytest.mark.parametrize("output", ["", "no JSON", "{}", "[]", "null"])
def test_other_output_is_said(read: object, output: str) -> None:
    """A tool that did not finish its report is an error with a name, not a zero."""
    assert callable(read)
    with pytest.raises(BenchError, match="cannot be read"):
        read(output)
