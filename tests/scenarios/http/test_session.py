"""What one session does over several exchanges: keeps, repeats, follows, remembers, streams, uploads."""

import socket
from contextlib import ExitStack

import pytest

from tests.scenarios.http.hostile import OK, ask, ask_all, close, flood, pause, scripted, silence, then

HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
LAST = HEAD + b"Content-Length: 4\r\nConnection: close\r\n\r\nlast"
ALIEN = "http://elsewhere.test/"


def moved(status, to):
    return b"HTTP/1.1 %d Moved\r\nLocation: %b\r\nContent-Length: 0\r\n\r\n" % (status, to.encode())


def cookie(*lines):
    fields = b"".join(b"Set-Cookie: %b\r\n" % line for line in lines)
    return HEAD + fields + b"Content-Length: 2\r\n\r\nok"


MUCH = {"pieces": ["x" * 1000], "times": 2000, "length": 2_000_000}
IDLE = {"pause": 0.6}
TABLE = {
    # connections
    "kept": ([[OK, CHUNKED + b"2\r\nok\r\n0\r\n\r\n", OK]], [{}, {"method": "POST"}, {}]),
    "kept after HEAD": (
        [[HEAD + b"Content-Length: 9\r\n\r\n", HEAD + b"\r\n", OK]],
        [{"method": "HEAD"}, {"method": "HEAD"}, {}],
    ),
    "HEAD with a body": ([[HEAD + b"Content-Length: 2\r\n\r\nok"], [OK]], [{"method": "HEAD"}, {}]),
    "told to close": ([[LAST], [OK]], [{}, {}]),
    "surplus": ([[OK + OK], [OK]], [{}, {}]),
    "surplus garbage": ([[OK + b"garbage"], [OK]], [{}, {}]),
    "surplus half": ([[OK + b"HT"], [OK]], [{}, {}]),
    "closed at rest": ([[OK], [OK]], [{}, {"method": "POST", "pause": 0.2}]),
    # repeats
    "repeated": ([[OK, close], [OK]], [{}, IDLE]),
    "not repeated: POST": ([[OK, close]], [{}, IDLE | {"method": "POST"}]),
    "not repeated: in use": ([[OK, close]], [{}, {}]),
    "not repeated: new": ([[close]], [{}]),
    "not repeated: answered": ([[OK, then(b"HTTP/1.1 2", close)]], [{}, IDLE]),
    "repeated once": ([[OK, close], [close]], [{}, IDLE]),
    # redirects
    "not followed": ([[moved(302, ALIEN)]], [{}]),
    "followed": ([[moved(301, "/y"), moved(307, "z?q=1#f"), OK]], [{"redirects": 2}]),
    "followed as GET": ([[moved(303, "/y"), OK]], [{"method": "POST", "body": "b", "redirects": 1}]),
    "followed as POST": ([[moved(308, "/y"), OK]], [{"method": "POST", "body": "b", "redirects": 1}]),
    "too many": ([[moved(302, "/x")] * 3], [{"redirects": 2}]),
    "led astray": ([[moved(302, ALIEN)]], [{"redirects": 5}]),
    "led nowhere": ([[moved(302, "http://[/")]], [{"redirects": 5}]),
    "no location": ([[b"HTTP/1.1 302 F\r\nContent-Length: 0\r\n\r\n"]], [{"redirects": 5}]),
    # cookies
    "remembered": (
        [[cookie(b"a=1; Path=/", b"b=2; Path=/other", b"c=3; Max-Age=0", b"d=4; Secure"), OK, OK]],
        [{}, {}, {"headers": {"Cookie": "own=1"}}],
    ),
    # streams and uploads
    "streamed": ([[CHUNKED + b"2\r\nab\r\n2\r\ncd\r\n0\r\n\r\n", OK]], [{"stream": True}, {}]),
    "streamed without end": ([[flood(CHUNKED, b"3e8\r\n" + b"x" * 1000 + b"\r\n")], [OK]], [
        {"stream": True, "stop_after": 300}, {}
    ]),
    "stream cut": ([[then(CHUNKED + b"2\r\nab\r\n", pause(0.1), close)]], [{"stream": True}]),
    "stream late": ([[then(CHUNKED + b"2\r\nab\r\n", silence)]], [{"stream": True, "timeout_s": 0.3}]),
    "uploaded in chunks": ([[OK]], [{"method": "POST", "body": {"pieces": ["abc", "", "de"]}}]),
    "uploaded with a length": ([[OK]], [{"method": "PUT", "body": {"pieces": ["abc", "de"], "length": 5}}]),
    "uploaded too little": ([[OK]], [{"method": "PUT", "body": {"pieces": ["abc"], "length": 5}}]),
    "uploaded much": ([[OK, OK]], [{"method": "POST", "body": MUCH}, {}]),
    # requests that cannot be sent
    "line break": ([], [{"headers": {"X": "a\r\nY: b"}}]),
    "line break in the address": ([], [{"url": "URL/x\r\ny"}]),
    "no name": ([], [{"headers": {"a b": "c"}}]),
    "own framing": ([], [{"headers": {"Content-Length": "3"}}]),
    "no method": ([], [{"method": "GE T"}]),
    "quoted": ([[OK]], [{"url": "URL/ä b?c=ü d%20e"}]),
    "per request": ([[OK, silence]], [{}, {"timeout_s": 0.2}]),
}  # fmt: skip


@pytest.fixture(scope="module")
def found():
    """All cases at once, in one process."""
    table = {name: (scripts, {"requests": requests}) for name, (scripts, requests) in TABLE.items()}
    return ask_all(table)


@pytest.mark.parametrize("name", ["kept", "kept after HEAD"])
def test_one_connection_serves_a_session(found, name):
    """Whatever framed the answer, the next request goes out on the same connection."""
    results, retries, log = found[name]
    assert [each["status"] for each in results] == [200, 200, 200]
    assert (len(log), retries) == (3, 0)


@pytest.mark.parametrize(
    "name",
    ["HEAD with a body", "told to close", "surplus", "surplus garbage", "surplus half", "closed at rest"],
)
def test_a_doubtful_connection_is_not_used_again(found, name):
    """After bytes that answer nothing, a closing or its announcement, the next request opens a new one."""
    results, retries, log = found[name]
    assert [each["status"] for each in results] == [200, 200]
    assert results[1]["body"] == "ok"
    assert (len(log), retries) == (2, 0)


def test_a_safe_request_that_met_the_closing_is_repeated(found):
    """Sent on an idle connection that closes without an answer: a GET goes out again, once."""
    results, retries, log = found["repeated"]
    assert [each["body"] for each in results] == ["ok", "ok"]
    assert (len(log), retries) == (3, 1)


def test_it_is_repeated_once_only(found):
    """A repeat that fares the same is a reset."""
    results, retries, log = found["repeated once"]
    assert results[1]["kind"] == "reset"
    assert (len(log), retries) == (3, 1)


@pytest.mark.parametrize("name", [name for name in TABLE if name.startswith("not repeated")])
def test_whatever_may_have_been_done_is_not_repeated(found, name):
    """Neither a POST, nor a request on a connection in use or a new one, nor one that got half an answer."""
    results, retries, log = found[name]
    assert results[-1]["kind"] == "reset"
    assert (len(log), retries) == (len(results), 0)


def test_redirects_are_answers(found):
    """Nothing is followed anywhere unless asked for."""
    (result,), _, log = found["not followed"]
    assert (result["status"], len(log)) == (302, 1)


def test_redirects_are_followed_when_asked_for(found):
    """Relative addresses count from the last one, fragments stay here."""
    (result,), _, log = found["followed"]
    assert result["body"] == "ok"
    assert [each.split(" ")[1] for each in log] == ["/x", "/y", "/z?q=1"]


@pytest.mark.parametrize(
    ("name", "method", "body"), [("followed as GET", "GET", ""), ("followed as POST", "POST", "b")]
)
def test_the_status_says_how_to_go_on(found, name, method, body):
    """303 asks for a GET without a body, 308 repeats the request."""
    _, _, log = found[name]
    assert log[1].startswith(f"{method} /y HTTP/1.1\r\n")
    assert log[1].endswith(f"\r\n\r\n{body}")
    assert ("Content-Length" in log[1]) == bool(body)


@pytest.mark.parametrize(
    ("name", "kind", "says"),
    [
        ("too many", "protocol", "more than 2 redirects"),
        ("led astray", "content", "not among the allowed hosts"),
        ("led nowhere", "protocol", "redirected to"),
    ],
)
def test_redirects_have_bounds(found, name, kind, says):
    """A circle, a host that is not allowed and an address that is none end the request."""
    (result,), _, _ = found[name]
    assert result["kind"] == kind
    assert says in result["says"]


def test_a_redirect_to_nowhere_is_the_answer(found):
    """Without a Location there is nothing to follow."""
    assert found["no location"][0][0]["status"] == 302


def test_credentials_stay_with_their_origin():
    """Authorization and cookies given by hand are dropped when a redirect leads to another port."""
    with ExitStack() as servers:
        there, there_log = servers.enter_context(scripted([OK]))
        here, here_log = servers.enter_context(scripted([moved(302, f"http://127.0.0.1:{there}/t")]))
        headers = {"Authorization": "Bearer s3cret", "Cookie": "a=1", "X-Kept": "yes"}
        request = {"url": f"http://127.0.0.1:{here}/x", "headers": headers, "redirects": 1}
        (result,) = ask({"hop": {"requests": [request]}})["hop"]["results"]
    assert result["status"] == 200
    assert "s3cret" in here_log[0]
    assert "s3cret" not in there_log[0]
    assert "Cookie" not in there_log[0]
    assert "X-Kept: yes" in there_log[0]
    assert f"Host: 127.0.0.1:{there}" in there_log[0]


def test_cookies_are_remembered(found):
    """A session sends what it was given where it belongs, and leaves a request with its own alone."""
    _, _, log = found["remembered"]
    assert "Cookie" not in log[0]
    assert "\r\nCookie: a=1\r\n" in log[1]
    assert "\r\nCookie: own=1\r\n" in log[2]
    assert "a=1" not in log[2]


def test_answers_can_be_streamed(found):
    """Piece by piece, and the connection serves on when the body has ended."""
    results, _, log = found["streamed"]
    assert [each["body"] for each in results] == ["abcd", "ok"]
    assert len(log) == 2


def test_a_stream_can_be_left_early(found):
    """Its connection is closed and the next request opens another."""
    results, _, log = found["streamed without end"]
    assert results[0]["size"] >= 300
    assert results[1]["body"] == "ok"
    assert len(log) == 2


@pytest.mark.parametrize(("name", "kind"), [("stream cut", "reset"), ("stream late", "timeout")])
def test_streams_fail_like_answers(found, name, kind):
    """A cut or late stream has the class a cut or late answer has."""
    (result,), _, _ = found[name]
    assert result["kind"] == kind


@pytest.mark.parametrize(
    ("name", "header", "body"),
    [
        ("uploaded in chunks", "Transfer-Encoding: chunked", "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"),
        ("uploaded with a length", "Content-Length: 5", "abcde"),
    ],
)
def test_bodies_can_be_sent_piece_by_piece(found, name, header, body):
    """Chunked, or with the length known before."""
    (result,), _, log = found[name]
    assert result["status"] == 200
    assert f"{header}\r\n\r\n{body}" in log[0]


def test_a_large_body_waits_for_the_server_to_read(found):
    """Two megabytes arrive whole, and the connection serves on."""
    results, _, log = found["uploaded much"]
    assert [each["status"] for each in results] == [200, 200]
    assert len(log[0].partition("\r\n\r\n")[2]) == 2_000_000


def test_a_body_must_have_the_length_it_says(found):
    """Anything else is a mistake of the caller and says so."""
    assert "turned out to have 3" in found["uploaded too little"][0][0]["refused"]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("line break", "a line break or control character in a header"),
        ("line break in the address", "a line break or tab in the address"),
        ("no name", "'a b' is not a header name"),
        ("own framing", "is set by the client"),
        ("no method", "is not an HTTP method"),
    ],
)
def test_requests_that_would_not_arrive_as_meant_are_refused(found, name, says):
    """Before anything is sent."""
    assert says in found[name][0][0]["refused"]


def test_addresses_are_quoted(found):
    """What may not stand in a request line is percent-encoded; what is encoded already stays."""
    assert found["quoted"][2][0].startswith("GET /%C3%A4%20b?c=%C3%BC%20d%20e HTTP/1.1\r\n")


def test_a_request_may_have_less_time(found):
    """A time-out for one request alone."""
    assert "within 0.2 s" in found["per request"][0][1]["says"]


def test_an_early_refusal_is_the_answer():
    """A server that answers and closes while the body is still on its way is heard."""

    def refuse(visit):
        visit.connection.recv(1000)
        visit.connection.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        visit.over.wait(20)

    refuse.unasked = True
    with scripted([refuse]) as (port, _):
        body = {"pieces": ["x" * 100_000], "times": 300}
        request = {"url": f"http://127.0.0.1:{port}/", "method": "POST", "body": body}
        (result,) = ask({"early": {"requests": [request]}})["early"]["results"]
    assert result["status"] == 413


def test_files_are_sent_as_forms(tmp_path):
    """multipart/form-data with a file that is read as it goes."""
    path = tmp_path / 'q"uote.txt'
    path.write_text("content")
    with scripted([OK]) as (port, log):
        request = {"url": f"http://127.0.0.1:{port}/", "method": "POST", "body": {"file": str(path)}}
        (result,) = ask({"form": {"requests": [request]}})["form"]["results"]
    assert result["status"] == 200
    assert "Content-Type: multipart/form-data; boundary=b0undary\r\n" in log[0]
    assert log[0].partition("\r\n\r\n")[2] == (
        '--b0undary\r\nContent-Disposition: form-data; name="kind"\r\n\r\ntest\r\n'
        '--b0undary\r\nContent-Disposition: form-data; name="file"; filename="q%22uote.txt"\r\n'
        "Content-Type: application/octet-stream\r\n\r\ncontent\r\n--b0undary--\r\n"
    )


def test_nobody_listening_is_a_connect_failure():
    """A refused connection and one that never comes about are told apart from everything later."""
    with socket.socket() as nobody, socket.socket() as full, ExitStack() as waiting:
        nobody.bind(("127.0.0.1", 0))
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(2):  # what follows gets no answer to its first packet
            filler = waiting.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
        options = {"timeouts": {"connect_s": 0.3}}
        found = ask({
            "refused": {"requests": [{"url": f"http://127.0.0.1:{nobody.getsockname()[1]}/"}]},
            "lost": {"requests": [{"url": f"http://127.0.0.1:{full.getsockname()[1]}/"}], "session": options},
        })  # fmt: skip
    assert {name: each["results"][0]["kind"] for name, each in found.items()} == dict.fromkeys(
        found, "connect"
    )
    assert "Connection refused" in found["refused"]["results"][0]["says"]
    assert "no connection within 0.3 s" in found["lost"]["results"][0]["says"]
    assert found["lost"]["results"][0]["took"] < 0.8


@pytest.mark.parametrize(
    "url", ["http://example.com/", "https://localhost/", "ftp://127.0.0.1/", "http:///x"]
)
def test_hosts_that_are_not_allowed_get_no_connection(url):
    """The refusal names the host and what would be allowed."""
    from urllib.parse import urlsplit

    from scenarios.errors import ContentError
    from scenarios.load.answer import AllowList

    with pytest.raises(ContentError, match=r"not among the allowed hosts \(127.0.0.1\)"):
        AllowList(("127.0.0.1",)).check(urlsplit(url))


def test_proxies_are_refused(monkeypatch):
    """Asked for, they are an error; those of the environment are ignored, and a failure says so."""
    from scenarios.errors import ProxyError
    from scenarios.load.answer import AllowList
    from scenarios.load.http.session import Session

    with pytest.raises(ProxyError, match="would be measured"):
        Session(AllowList(()), proxy="http://proxy.test:3128")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    with scripted([OK]) as (port, _):
        found = ask({
            "direct": {"requests": [{"url": f"http://127.0.0.1:{port}/"}]},
            "failed": {"requests": [{"url": "http://127.0.0.1:1/"}]},
        })  # fmt: skip
    assert found["direct"]["results"][0]["status"] == 200
    assert "HTTP_PROXY is set, but proxies are never used" in found["failed"]["results"][0]["says"]


def test_ipv6_is_spoken():
    """A literal IPv6 address in brackets."""
    if not socket.has_ipv6:
        pytest.skip("no IPv6 here")
    with scripted([OK], host="::1") as (port, log):
        case = {"requests": [{"url": f"http://[::1]:{port}/x"}], "session": {"allow": ["::1"]}}
        (result,) = ask({"six": case})["six"]["results"]
    assert result["body"] == "ok"
    assert f"Host: [::1]:{port}\r\n" in log[0]
