import json

import pytest

from tests.scenarios.face.commands import counts, locust, rows
from tests.scenarios.face.shop_server import shop


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """What one HttpUser found when it made every kind of call, and the summary of its run."""
    file = tmp_path_factory.mktemp("calls") / "calls.json"
    with shop() as server:
        _, summary, said = locust(
            "calls", "--headless", "-u", "1", "-t", "20s", "-H", server.url, CALLS=str(file)
        )
    assert file.exists(), said
    return json.loads(file.read_text()), summary


def test_methods(made):
    """Every method of the client arrives as itself."""
    assert made[0]["methods"] == ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "GET", 200]


def test_arguments(made):
    """json, data, params, headers, auth, cookies, context and absolute URLs mean what they mean in Locust."""
    found = made[0]["arguments"]
    assert found["json"]["body"] == '{"x": [1]}'
    assert (
        found["json"]["headers"]["content-type"] == found["json"]["headers"]["accept"] == "application/json"
    )
    assert found["form"]["body"] == "x=1+2&y=a&y=b"
    assert found["form"]["headers"]["content-type"] == "application/x-www-form-urlencoded"
    assert "content-type" not in found["text"]["headers"]
    assert found["params"]["query"] == {"z": "0", "q": "a b"}
    assert (found["headers"]["headers"]["x-own"], found["headers"]["headers"]["x-always"]) == ("1", "no")
    assert found["auth"]["headers"]["authorization"] == "Basic bWU6c2VjcmV0"
    assert found["cookie"]["headers"]["cookie"] == "session=s-17"
    assert found["cookie"]["headers"]["x-gameday-run"].startswith("calls-locust-")
    assert found["absolute"] == "/abs"
    assert ["GET", "/ctx", None, {"user": 7, "extra": 1}] in made[0]["told"]


def test_multipart(made):
    """A field and a file go as multipart/form-data."""
    sent = made[0]["arguments"]["upload"]
    assert sent["headers"]["content-type"].startswith("multipart/form-data; boundary=")
    assert 'name="a"\r\n\r\n1\r\n' in sent["body"]
    assert 'name="doc"; filename="d.txt"\r\nContent-Type: text/plain\r\n\r\ncontent\r\n' in sent["body"]


def test_answers(made):
    """Status, ok, text, streams, redirects only when asked for, time-outs per request, refused hosts."""
    found = made[0]["answers"]
    assert found["one"][:3] == [200, True, True]
    assert found["elapsed"]
    assert found["gone"] == [404, False, "StatusError"]
    assert found["text"] == ["häuser\nund", ["one", "two", "three"], 3]
    assert found["stream"] == ["one", "one\ntwo\nthree"]
    assert found["redirect"] == [302, 200, {"from": "redirect"}]
    assert found["slow"] == [0, False, None, "timeout", True]
    assert (found["refused"], found["forbidden"], found["no block"]) == ("connect", "content", "LocustError")
    assert made[0]["failures"][:3] == [0, None, "reset"]


@pytest.mark.parametrize(
    ("name", "told", "kind"),
    [
        ("fine", None, None),
        ("wrong", "not what I wanted", "content"),
        ("leaky", "somebody else's", "leak"),
        ("by status", "500: as you wish", "http_5xx"),
        ("after", None, None),
        ("never opened", None, None),
        ("raised", "", "content"),
        ("wrong answer", "another path", "content"),
        ("/slow", "no complete answer within 0.2 s", "timeout"),
    ],
)
def test_whoever_decides_it_is_recorded_once(made, name, told, kind):
    """catch_response and rest: one entry each for Locust and for us, also after an exception."""
    events = [each for each in made[0]["told"] if each[1] == name]
    assert len(events) == 1
    assert (events[0][2] is None) == (told is None)
    assert (told or "") in (events[0][2] or "")
    assert counts(made[1], f"GET {name} [closed]") == (1, 1, int(kind is None), int(kind is not None))
    if kind:
        assert f"bad: GET {name} [closed]: {kind} 1" in made[1]


def test_rest(made):
    """Rest parses JSON, asks for it, and fails what is none."""
    assert made[0]["rest"] == ["application/json", None, True]
    assert "bad: GET no json [closed]: content 1" in made[1]


def test_a_closed_run_says_so(made):
    """Every operation is marked, and the summary warns."""
    assert all(name.endswith("[closed]") or name == "all" for name in rows(made[1]))
    assert "an outage is hardly sampled" in made[1]


def test_kinds_of_other_clients_exceptions(made):
    """Exceptions of requests, urllib3, builtins and Locust fall into the classes of our own."""
    assert made[0]["kinds"] == {
        "reset": "reset",
        "connect": "connect",
        "timeout": "timeout",
        "builtin": "timeout",
        "protocol": "protocol",
        "said": "content",
        "said of a 503": "http_5xx",
        "unknown": "content",
    }
