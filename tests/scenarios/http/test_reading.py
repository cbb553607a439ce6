"""The reader of answers: however an answer arrives, it is the same answer; whatever arrives, it ends."""

import gzip
import itertools
import zlib
from contextlib import suppress

import brotli
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenarios.errors import TransportError
from scenarios.load.answer import Answer, fields
from scenarios.load.http import coding
from scenarios.load.http.limits import Limits
from scenarios.load.http.reading import Reader

INTERIM = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
BODY = bytes(range(256)) * 3
WHOLE = {
    "length": b"HTTP/1.1 200 OK\r\nContent-Length: 768\r\nX: 1\r\n\r\n" + BODY,
    "chunks": b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n300\r\n"
    + BODY
    + b"\r\n0\r\nT: 1\r\n\r\n",
    "interim": INTERIM + INTERIM + b"HTTP/1.1 200 OK\r\nContent-Length: 768\r\n\r\n" + BODY,
    "nothing": b"HTTP/1.1 204 No Content\r\nX: 1\r\n\r\n",
}
tokens = st.from_regex(r"[A-Za-z][A-Za-z0-9-]{0,12}", fullmatch=True)
values = st.from_regex(r"[!-~]([ !-~]{0,20}[!-~])?", fullmatch=True)
FRAMING = {"content-length", "transfer-encoding", "connection", "upgrade"}


def read(pieces, *, limits=None, bodiless=False):
    reader = Reader(limits or Limits(), "here")
    reader.begin(bodiless=bodiless)
    for piece in pieces:
        if piece and reader.feed(piece):
            break
    return reader


def cuts(draw_from, size):
    return draw_from.draw(st.lists(st.integers(0, size), max_size=6).map(sorted))


def pieces_of(data, at):
    return [data[a:b] for a, b in itertools.pairwise([0, *at, len(data)])]


@given(st.sampled_from(sorted(WHOLE)), st.data())
def test_any_split_gives_the_same_answer(name, data):
    """Status, fields, body and whether the connection is kept do not depend on how the bytes arrived."""
    whole = read([WHOLE[name]])
    parted = read(pieces_of(WHOLE[name], cuts(data, len(WHOLE[name]))))
    assert whole.complete
    assert parted.complete
    one, other = whole.answer(0.0), parted.answer(0.0)
    assert (one.status, one.body, one.fields) == (other.status, other.body, other.fields)
    assert (whole.keep, parted.keep) == (True, True)


@given(st.lists(st.tuples(tokens, values), max_size=6), st.binary(max_size=100), st.data())
@settings(max_examples=50)
def test_what_a_server_writes_is_what_is_read(headers, body, data):
    """Any header fields and any body come out as they went in, names in lower case."""
    headers = [(name, value) for name, value in headers if name.lower() not in FRAMING]
    head = "".join(f"{name}: {value}\r\n" for name, value in headers)
    text = f"HTTP/1.1 200 Fine\r\n{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
    reader = read(pieces_of(text, cuts(data, len(text))))
    answer = reader.answer(0.0)
    assert answer.body == body
    assert answer.reason == "Fine"
    assert list(answer.fields)[:-1] == [(name.lower(), value) for name, value in headers]


@given(st.binary(max_size=400), st.booleans())
@settings(max_examples=200)
def test_garbage_ends_as_a_class(data, bodiless):
    """Any bytes are an answer, or wait for more, or are a protocol error: nothing else comes out."""
    ended_by(data, bodiless=bodiless)


@given(st.sampled_from(sorted(WHOLE)), st.integers(0, 800), st.binary(min_size=1, max_size=3), st.booleans())
@settings(max_examples=200)
def test_spoilt_answers_end_as_a_class(name, at, noise, bodiless):
    """So is an answer with a few bytes overwritten, and its end is always found when the connection ends."""
    whole = WHOLE[name]
    ended_by(whole[:at] + noise + whole[at + len(noise) :], bodiless=bodiless)


def ended_by(data, *, bodiless):
    reader = Reader(Limits(head_bytes=300, body_bytes=900), "here")
    reader.begin(bodiless=bodiless)
    kind = None
    try:
        for start in range(0, len(data), 7):
            if reader.feed(data[start : start + 7]):
                break
        if not reader.complete and reader.received:
            reader.finish()
    except TransportError as error:
        kind = error.kind
    assert kind in (None, "protocol", "reset")
    if reader.complete and kind is None:
        answer = reader.answer(0.0)
        assert 200 <= answer.status <= 999
        assert len(answer.fields) <= 300


@pytest.mark.parametrize("name", sorted(WHOLE))
def test_an_answer_cut_anywhere_is_a_reset(name):
    """Never complete, never taken for one when the connection ends."""
    whole = WHOLE[name]
    for size in range(1, len(whole)):
        reader = read([whole[:size]])
        assert not reader.complete
        with pytest.raises(TransportError, match="in the middle of an answer") as failure:
            reader.finish()
        assert failure.value.kind == "reset"


def test_an_answer_after_an_answer_is_found():
    """The next answer on the same connection is read like the first, also after HEAD."""
    reader = Reader(Limits(), "here")
    for name in sorted(WHOLE):
        reader.begin()
        assert reader.feed(WHOLE[name])
        assert reader.keep
    reader.begin(bodiless=True)
    assert reader.feed(b"HTTP/1.1 200 OK\r\nContent-Length: 768\r\n\r\n")
    assert reader.keep
    reader.begin()
    assert reader.feed(WHOLE["length"])
    assert reader.answer(0.0).body == BODY


@pytest.mark.parametrize(
    ("head", "kept"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", True),
        (b"HTTP/1.0 200 OK\r\n\r\n", False),
        (b"HTTP/1.1 200 OK\r\nConnection: Close\r\n\r\n", False),
    ],
)
def test_head_answers_say_whether_the_connection_is_kept(head, kept):
    """The parser cannot know: it waits for a body."""
    assert read([head], bodiless=True).keep is kept


def test_limits_hold_exactly():
    """What is at the limit passes, one byte or field more does not."""
    head = b"HTTP/1.1 200 OK\r\nA: 1\r\nContent-Length: 10\r\n\r\n"
    at = Limits(head_bytes=len(head) - 4, head_fields=2, body_bytes=14)
    assert read([head + b"x" * 10], limits=at).complete
    for limits, says in [
        (Limits(head_bytes=len(head) - 5), "a head of more than"),
        (Limits(head_fields=1, body_bytes=14), "2 header fields; the limit is 1"),
        (Limits(body_bytes=9, head_bytes=80), "a body of more than 9 bytes"),
    ]:
        with pytest.raises(TransportError, match=says):
            read([head + b"x" * 20], limits=limits)


def test_fields_are_folded_and_joined():
    """Folded lines are one value; repeated fields are joined, cookies kept apart."""
    cookies = ["Set-Cookie: c=1", "Set-Cookie: d=2"]
    lines = ["HTTP/1.1 200 OK", "A: 1", " b", "Vary: x", "VARY: y", *cookies, "", "body: no"]
    head = "\r\n".join(lines).encode()
    answer = Answer(200, b"", head)
    assert answer.headers == {"a": "1 b", "vary": "x, y", "set-cookie": "d=2"}
    assert [value for name, value in answer.fields if name == "set-cookie"] == ["c=1", "d=2"]
    assert fields(b"\r\nHTTP/1.1 200 OK") == []


@pytest.mark.parametrize(
    ("content_type", "body", "text"),
    [
        ("text/plain; charset=latin-1", b"\xe4", "ä"),
        ("application/json", "ä".encode(), "ä"),
        ("text/plain; charset=nonsense", "ä".encode(), "ä"),
        ("text/plain", b"\xff", "\ufffd"),
    ],
)
def test_text_has_its_charset(content_type, body, text):
    """The content type's, or UTF-8."""
    assert Answer(200, body, headers={"content-type": content_type}).text == text


def test_answers_can_be_made_by_hand():
    """For tests of checks: with headers as a mapping."""
    answer = Answer(404, b'{"a": 1}', headers={"x": "y"})
    assert (answer.json, answer.json, answer.reason) == ({"a": 1}, {"a": 1}, "Not Found")
    assert answer.fields == (("x", "y"),)


CODERS = {"gzip": gzip.compress, "deflate": zlib.compress, "br": brotli.compress}


@given(st.binary(max_size=5000), st.sampled_from(sorted(CODERS)), st.data())
def test_codings_are_undone_in_any_pieces(body, name, data):
    """What was packed comes out, however it arrives."""
    packed = CODERS[name](body)
    decoder = coding.Decoder(name, limit=len(body))
    made = b"".join(decoder.feed(piece) for piece in pieces_of(packed, cuts(data, len(packed))))
    decoder.finish()
    assert made == body == coding.decode(packed, name, len(body))


@given(st.binary(max_size=300), st.sampled_from([*CODERS, "gzip, br", "deflate, deflate"]))
def test_garbage_is_no_coding(data, name):
    """It decodes to no more than the limit, or is a CodingError."""
    with suppress(coding.CodingError):
        assert len(coding.decode(data, name, 10_000)) <= 10_000


@pytest.mark.parametrize("name", sorted(CODERS))
def test_bombs_are_bounded(name):
    """Ten megabytes of zeros come to no more than the limit, and say so."""
    zeros = b"\0" * 10_000_000
    bomb = brotli.compress(zeros, quality=1) if name == "br" else CODERS[name](zeros)
    with pytest.raises(coding.CodingError, match="more than 1000000 bytes once decompressed"):
        coding.decode(bomb, name, 1_000_000)


def test_only_what_is_there_is_asked_for(monkeypatch):
    """Without the brotli package br is not advertised, and an answer in it stays as it came."""
    assert coding.ACCEPTED == "gzip, deflate, br"
    monkeypatch.setattr(coding, "_KNOWN", frozenset({"gzip", "deflate"}))
    assert coding.decode(b"as it came", "br", 100) == b"as it came"
