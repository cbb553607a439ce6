"""Every way a server can answer badly, or well in an odd way, ends as the right thing and in time."""

import gzip
import zlib

import brotli
import pytest

from tests.scenarios.http.hostile import (
    OK,
    ask_all,
    close,
    drip,
    first,
    flood,
    pause,
    reset,
    silence,
    split,
    then,
)

HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
LIMITS = {"limits": {"head_bytes": 4096, "head_fields": 20, "body_bytes": 100_000}}
BOMB = gzip.compress(b"0" * 3_000_000)


def sized(body, *headers):
    """A complete answer."""
    lines = [b"HTTP/1.1 200 OK", b"Content-Length: %d" % len(body), *headers]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def coded(body, name):
    return sized(body, b"Content-Encoding: " + name)


def bare(data):
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


GOOD = {  # name: what the server sends, the body that is found
    "a length": (sized(b"abc"), "abc"),
    "no body at all": (sized(b""), ""),
    "chunks, extensions and trailers": (
        CHUNKED + b"3;a=b\r\nabc\r\n2\r\nde\r\n0\r\nX-After: 1\r\n\r\n",
        "abcde",
    ),
    "until the connection ends": (then(HEAD + b"\r\nuntil the end", close), "until the end"),
    "as HTTP/1.0": (then(b"HTTP/1.0 200 OK\r\n\r\nold", close), "old"),
    "after interim answers": (
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + OK,
        "ok",
    ),
    "byte by byte": (split(b"HTTP/1.1 102 Wait\r\n\r\n" + CHUNKED + b"2\r\nok\r\n0\r\n\r\n"), "ok"),
    "an empty line first": (b"\r\n" + OK, "ok"),
    "204 with a length": (b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", ""),
    "304 with a length": (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", ""),
    "gzip": (coded(gzip.compress(b"packed"), b"gzip"), "packed"),
    "gzip of two members": (coded(gzip.compress(b"pa") + gzip.compress(b"cked"), b"GZip"), "packed"),
    "deflate": (coded(zlib.compress(b"packed"), b"deflate"), "packed"),
    "deflate without its wrapper": (coded(bare(b"packed"), b"deflate"), "packed"),
    "br": (coded(brotli.compress(b"packed"), b"br"), "packed"),
    "two codings": (coded(gzip.compress(zlib.compress(b"packed")), b"deflate, gzip"), "packed"),
    "an unknown coding stays": (coded(b"as it is", b"zstd"), "as it is"),
    "nothing, gzipped": (coded(b"", b"gzip"), ""),
}

BAD = {  # name: what the server does, the class, a word of the message, more
    "closed unanswered": (close, "reset", "before any byte", {}),
    "reset": (reset, "reset", "", {}),
    "cut in the head": (then(b"HTTP/1.1 200", close), "reset", "in the middle", {}),
    "cut in the body": (then(HEAD + b"Content-Length: 9\r\n\r\nhalf", close), "reset", "middle", {}),
    "cut in a chunk": (then(CHUNKED + b"9\r\nhalf", close), "reset", "in the middle", {}),
    "cut before the last chunk": (then(CHUNKED + b"4\r\nhalf\r\n", close), "reset", "middle", {}),
    "reset in the body": (then(HEAD + b"Content-Length: 9\r\n\r\nhalf", pause(0.1), reset), "reset", "", {}),
    "another protocol": (b"SSH-2.0-OpenSSH_9\r\n\r\n", "protocol", "not HTTP", {}),
    "another version": (b"HTTP/9.9 200 OK\r\n\r\n", "protocol", "not HTTP", {}),
    "no number for a status": (b"HTTP/1.1 abc OK\r\n\r\n", "protocol", "not HTTP", {}),
    "a chunk without a size": (CHUNKED + b"zz\r\nab\r\n0\r\n\r\n", "protocol", "not HTTP", {}),
    "a chunk of absurd size": (CHUNKED + b"f" * 20 + b"\r\n", "protocol", "not HTTP", {}),
    "a chunk longer than it says": (CHUNKED + b"2\r\nabcd\r\n0\r\n\r\n", "protocol", "not HTTP", {}),
    "a negative length": (HEAD + b"Content-Length: -1\r\n\r\n", "protocol", "not HTTP", {}),
    "two lengths": (
        HEAD + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nabc",
        "protocol",
        "not HTTP",
        {},
    ),
    "a length and chunks": (
        HEAD + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "protocol",
        "not HTTP",
        {},
    ),
    "a space in a header's name": (HEAD + b"Content Length: 2\r\n\r\nab", "protocol", "not HTTP", {}),
    "a zero byte in a header": (HEAD + b"X: a\0b\r\nContent-Length: 0\r\n\r\n", "protocol", "not HTTP", {}),
    "a head without end": (
        flood(HEAD, b"X-More: and more\r\n" * 50),
        "protocol",
        "head of more than 4096",
        LIMITS,
    ),
    "a line without end": (flood(HEAD + b"X: ", b"x" * 1000), "protocol", "head of more than 4096", LIMITS),
    "too many fields": (
        HEAD + b"A: b\r\n" * 30 + b"Content-Length: 0\r\n\r\n",
        "protocol",
        "31 header fields; the limit is 20",
        LIMITS,
    ),
    "a body without end": (
        flood(HEAD + b"\r\n", b"x" * 9000),
        "protocol",
        "more than 100000 bytes",
        LIMITS,
    ),
    "chunks without end": (
        flood(CHUNKED, b"3\r\nabc\r\n" * 900),
        "protocol",
        "more than 100000 bytes",
        LIMITS,
    ),
    "trailers without end": (
        flood(CHUNKED + b"0\r\n", b"X: y\r\n" * 900),
        "protocol",
        "more than 100000",
        LIMITS,
    ),
    "interim answers without end": (
        flood(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n" * 10),
        "protocol",
        "interim answers",
        {},
    ),
    "an upgrade nobody asked for": (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
        "protocol",
        "switches protocols",
        {},
    ),
    "a switch without a name": (b"HTTP/1.1 101 Switching\r\n\r\n", "protocol", "switches protocols", {}),
    "not gzip": (coded(b"plain", b"gzip"), "protocol", "not what its Content-Encoding says", {}),
    "half gzip": (coded(gzip.compress(b"packed" * 99)[:-9], b"gzip"), "protocol", "too early", {}),
    "not br": (coded(b"plain text it is", b"br"), "protocol", "not what its", {}),
    "half br": (coded(brotli.compress(b"packed" * 99)[:-3], b"br"), "protocol", "too early", {}),
    "a bomb": (coded(BOMB, b"gzip"), "protocol", "more than 100000 bytes once decompressed", LIMITS),
    "a bomb in a bomb": (coded(gzip.compress(BOMB), b"gzip, gzip"), "protocol", "once decompressed", LIMITS),
    "a br bomb": (coded(brotli.compress(b"0" * 3_000_000), b"br"), "protocol", "once decompressed", LIMITS),
    "silence": (silence, "timeout", "no complete answer within 0.4 s", {"timeout_s": 0.4}),
    "silence after the head": (
        then(HEAD + b"Content-Length: 2\r\n\r\n", silence),
        "timeout",
        "within 0.4 s",
        {"timeout_s": 0.4},
    ),
    "a drip without end": (
        drip(HEAD + b"\r\n", b".", every=0.05),
        "timeout",
        "within 0.4 s",
        {"timeout_s": 0.4},
    ),
    "a drip that stops": (
        then(HEAD, pause(0.25), b"X: y\r\n", silence),
        "timeout",
        "within 0.3 s",
        {"timeouts": {"read_s": 0.3, "total_s": 5.0}},
    ),
}


@pytest.fixture(scope="module")
def found():
    """All cases at once, in one process: most of them only wait."""
    table = {}
    for name, (reply, _) in GOOD.items():
        table["good " + name] = ([[reply]], {})
    for name, (reply, _, _, options) in BAD.items():
        table["bad " + name] = ([[reply]], {"session": options})
    greeting = [first(OK)]
    table["greeted"] = ([greeting], {"late": True})
    table["greeted at rest"] = ([greeting], {"requests": [{"open": True}, {"look": True}]})
    return ask_all(table)


@pytest.mark.parametrize("name", GOOD)
def test_good_answers_are_read_to_their_end(found, name):
    """Whatever tells where a body ends, the body is found, decoded."""
    (result,), retries, log = found["good " + name]
    assert result.get("body") == GOOD[name][1], result
    assert (len(log), retries) == (1, 0)


@pytest.mark.parametrize("name", BAD)
def test_bad_answers_have_their_class(found, name):
    """Every misbehaviour ends as one class with a message that says where and what, and is not repeated."""
    (result,), retries, log = found["bad " + name]
    _, kind, says, options = BAD[name]
    assert result.get("kind") == kind, result
    assert says in result["says"]
    assert result["says"].startswith("127.0.0.1:")
    assert (len(log), retries) == (1, 0)
    if kind == "timeout":
        limit = options.get("timeout_s") or 0.25 + options["timeouts"]["read_s"]
        assert limit <= result["took"] < limit + 0.5


def test_a_server_that_talks_first_answers_nothing(found):
    """What arrives before a request is no answer to it: a protocol error, and nothing is sent."""
    (result,), _, log = found["greeted"]
    assert (result["kind"], log) == ("protocol", [])
    assert "talks before it is asked" in result["says"]


def test_talk_at_rest_ends_a_connection(found):
    """A kept connection on which something arrives unasked is closed at once."""
    results, _, log = found["greeted at rest"]
    assert [each["connected"] for each in results] == [True, False]
    assert [each["counted"] for each in results] == [1, 0]
    assert log == []
