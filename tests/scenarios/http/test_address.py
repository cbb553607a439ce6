"""Names are looked up again during a run, connections are spread, the network's floor is measured."""

import json
import subprocess
import sys
from contextlib import ExitStack

import pytest

from tests.scenarios.http.hostile import OK, ask, scripted
from tests.scenarios.runs import ROOT

FIRST, SECOND = "127.0.0.2", "127.0.0.3"


@pytest.fixture
def two_hosts():
    """Servers on two addresses with one port: the port and what each was asked."""
    with ExitStack() as servers:
        port, first = servers.enter_context(scripted([OK] * 9, [OK] * 9, host=FIRST))
        _, second = servers.enter_context(scripted([OK] * 9, [OK] * 9, host=SECOND, port=port))
        yield port, first, second


def case(port, name, answers, *requests, ttl_s=0.1):
    """A session with a resolver that gives these answers one after the other."""
    url = {"url": f"http://{name}:{port}/"}
    return {
        "session": {"allow": [name]},
        "names": {name: answers},
        "ttl_s": ttl_s,
        "requests": [url | request for request in requests],
    }


def test_a_name_is_looked_up_again(two_hosts):
    """A connection to an address that has left the record is not used again: a failover becomes visible."""
    port, first, second = two_hosts
    moving = case(port, "moving.test", [[FIRST], [SECOND]], {}, {"pause": 0.2}, {"pause": 0.2}, {})
    found = ask({"moving": moving})["moving"]
    results = found["results"]
    assert ({each["counted"] for each in results}, found["counted"]) == ({1}, 0)
    assert [each["status"] for each in results] == [200] * 4
    assert len(first) in (1, 2)  # the request that finds the record old still uses it
    assert len(first) + len(second) == 4
    assert f"Host: moving.test:{port}\r\n" in second[0]


def test_a_kept_connection_survives_a_look_up(two_hosts):
    """As long as its address stays in the record, in whatever company."""
    port, first, second = two_hosts
    growing = case(port, "growing.test", [[FIRST], [SECOND, FIRST]], {}, {"pause": 0.2}, {"pause": 0.2})
    ask({"growing": growing})
    assert (len(first), len(second)) == (3, 0)


def test_new_connections_are_spread(two_hosts):
    """Round robin over the record."""
    port, first, second = two_hosts
    spread = case(
        port, "spread.test", [[FIRST, SECOND]], *[{"headers": {"Connection": "close"}}] * 4, ttl_s=5
    )
    with ExitStack() as servers:  # servers that close, so that every request needs a connection
        closing = OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
        port, first = servers.enter_context(scripted(*[[closing]] * 4, host=FIRST))
        _, second = servers.enter_context(scripted(*[[closing]] * 4, host=SECOND, port=port))
        for request in spread["requests"]:
            request["url"] = f"http://spread.test:{port}/"
        ask({"spread": spread})
    assert (len(first), len(second)) == (2, 2)


def test_an_address_that_refuses_is_passed_over(two_hosts):
    """The next one of the record is tried."""
    port, _, second = two_hosts
    half = case(port, "half.test", [["127.0.0.9", SECOND]], {})
    (result,) = ask({"half": half})["half"]["results"]
    assert result["status"] == 200
    assert len(second) == 1


def test_a_failed_look_up_leaves_the_record(two_hosts):
    """A hiccup of the resolver is not the system's; a name that never resolved is a failure to connect."""
    port, first, _ = two_hosts
    found = ask({
        "hiccup": case(port, "hiccup.test", [[FIRST], []], {}, {"pause": 0.15}, {"pause": 0.15}),
        "unknown": case(port, "unknown.test", [[]], {}),
    })  # fmt: skip
    assert [each["status"] for each in found["hiccup"]["results"]] == [200] * 3
    assert len(first) == 3
    (result,) = found["unknown"]["results"]
    assert result["kind"] == "connect"
    assert "unknown.test" in result["says"]
    assert "does not resolve" in result["says"]


FLOOR = """
import json
from scenarios.errors import TransportError
from scenarios.load.http.address import round_trip
found = [round_trip("127.0.0.1", {port})]
try:
    round_trip("127.0.0.1", 1)
except TransportError as error:
    found.append(error.kind)
print(json.dumps(found))
"""


def test_the_floor_is_measured():
    """The time to connect, in seconds; a failure to connect where nobody listens."""
    with scripted(*[[]] * 5) as (port, _):
        done = subprocess.run(
            [sys.executable, "-c", FLOOR.format(port=port)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
    floor, failure = json.loads(done.stdout)
    assert 0 < floor < 0.5
    assert failure == "connect"
