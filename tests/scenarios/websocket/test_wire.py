import json
import random
import socket
import ssl
import struct
import threading
from contextlib import suppress

import gevent
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenarios.errors import CallError, ContentError, TransportError
from scenarios.load.answer import AllowList
from scenarios.load.http.tls import Tls
from scenarios.load.websocket.order import Backoff, Order
from scenarios.load.websocket.session import Manners
from scenarios.load.websocket.wire import Target, dial
from tests.scenarios.websocket.stage import (
    ASK,
    OPEN,
    accepted,
    certificate,
    hostile,
    serving,
    talking,
    until_closed,
    wait_for,
)

LOOPBACK = AllowList(("127.0.0.1", "localhost"))


def frame(payload, *, opcode=1, fin=True, reserved=0, masked=False):
    """A server's frame, right or wrong."""
    head = bytes([(fin << 7) | (reserved << 4) | opcode])
    size = len(payload)
    length = (
        bytes([(masked << 7) | size])
        if size < 126
        else bytes([(masked << 7) | 126]) + struct.pack("!H", size)
    )
    return head + length + (b"\0\0\0\0" if masked else b"") + payload


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (b"HTTP/1.1 403 Forbidden\r\nContent-Length: 4\r\n\r\nnope", "http_4xx"),
        (b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", "http_5xx"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "status"),
        (b"SSH-2.0-OpenSSH_9\r\n\r\n", "protocol"),
        (
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
            "protocol",
        ),
        (
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n",
            "protocol",
        ),
        (b"HTTP/1.1 101 Switching Protocols\r\nX: " + b"x" * 70_000, "protocol"),
        (b"HTTP/1.1 101 Switch", "reset"),
        (b"", "reset"),
    ],
)
def test_handshakes_that_fail_have_their_class(reply, kind):
    """A status is a status, a wrong key a protocol error, a hang-up a reset; each is recorded as such."""
    with (
        hostile(reply, accept=False) as port,
        talking(port, opened=False) as (chat, host),
        pytest.raises(CallError) as failure,
    ):
        chat.open(OPEN)
    assert failure.value.kind == kind
    assert host.outcomes("open") == [kind]


def test_a_handshake_without_an_answer_is_a_timeout():
    """The wait for the upgrade is bounded."""
    with (
        hostile(until_closed, accept=False) as port,
        talking(port, opened=False, answer_s=0.2) as (chat, host),
        pytest.raises(CallError),
    ):
        chat.open(OPEN)
    assert host.outcomes("open") == ["timeout"]


def test_nobody_listening_is_a_connect_failure():
    """A refused connection is told apart: nothing was sent."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        with talking(nobody.getsockname()[1], opened=False) as (chat, host), pytest.raises(CallError):
            chat.open(OPEN)
    assert host.outcomes("open") == ["connect"]


@pytest.mark.parametrize(
    "url", ["ws://example.com/x", "wss://127.0.0.2/x", "http://127.0.0.1/x", "ws://:7/x"]
)
def test_no_socket_is_opened_for_a_host_that_is_not_allowed(url, monkeypatch):
    """The allow-list is asked first, and a URL that is none is refused."""
    monkeypatch.setattr("gevent.socket.socket", lambda *_: pytest.fail("a socket was opened"))
    with pytest.raises(ContentError, match=r"allowed|no WebSocket URL"):
        dial(Target(url=url), LOOPBACK)


def test_a_header_with_a_line_break_is_refused():
    """A header cannot smuggle in another one."""
    with hostile(until_closed, accept=False) as port, pytest.raises(ValueError, match="line break"):
        dial(Target(url=f"ws://127.0.0.1:{port}/", headers={"X": "a\r\nY: b"}), LOOPBACK)


@pytest.mark.parametrize(
    ("reply", "kind", "says"),
    [
        (frame(b"x" * 2000), "protocol", "over the limit of 1024 bytes"),
        (frame(b"x" * 600, fin=False) + frame(b"x" * 600, opcode=0), "protocol", "over the limit"),
        (frame(b"hi", masked=True), "protocol", "not WebSocket"),
        (frame(b"hi", reserved=4), "protocol", "not WebSocket"),
        (frame(b"hi", opcode=3), "protocol", "not WebSocket"),
        (frame(b"hi", opcode=0), "protocol", "not WebSocket"),
        (frame(b"h", fin=False) + frame(b"i"), "protocol", "not WebSocket"),
        (frame(b"p" * 126, opcode=9), "protocol", "not WebSocket"),
        (frame(b"\xff\xfe"), "protocol", "not UTF-8"),
        (frame(b"", fin=False) + frame(b"", opcode=0, fin=False) * 20, "protocol", "over 16 pieces"),
        (frame(b"\x03\xe7gone", opcode=8), "protocol", "not WebSocket"),
        (frame(b"\x03\xf3sorry", opcode=8), "reset", "closed by the server: 1011"),
        (frame(b"half")[:3], "reset", "without a closing handshake"),
        (b"", "reset", "without a closing handshake"),
    ],
)
def test_a_server_that_breaks_the_rules_is_named(reply, kind, says):
    """Oversized, masked, reserved, unfinished, endless: each ends the connection, with class and reason."""

    def run(connection):
        connection.recv(65536)
        connection.sendall(reply)

    with (
        hostile(run) as port,
        talking(port, message_bytes=1024, fragments=16) as (chat, host),
        pytest.raises(CallError, match=says),
    ):
        chat.request(ASK, {})
    assert host.outcomes("ask") == [kind]
    assert host.counts["lost"] == 1


def test_pieces_and_control_frames_between_them_make_one_message():
    """A fragmented message is whole at its end, also byte by byte and with pings inside."""
    pieces = frame(b'{"id"', fin=False) + frame(b"are you there", opcode=9) + frame(b": 1}", opcode=0)

    def run(connection):
        connection.recv(65536)
        for byte in pieces:
            connection.sendall(bytes([byte]))
        until_closed(connection)

    with hostile(run) as port, talking(port) as (chat, _):
        assert chat.request(ASK, {}).message == {"id": 1}


def test_what_came_before_the_breach_still_counts():
    """An answer and garbage in one packet: the answer is good, the next question is not."""

    def run(connection):
        connection.recv(65536)
        connection.sendall(frame(b'{"id": 1}') + frame(b"\xff"))
        until_closed(connection)

    with hostile(run) as port, talking(port) as (chat, host):
        chat.request(ASK, {})
        with pytest.raises(CallError):
            chat.request(ASK, {})
    assert host.outcomes("ask")[0] == "ok"


def test_an_answer_counts_although_the_pong_behind_it_cannot_be_sent():
    """Answer and ping in one packet of a server that takes nothing more: the answer is not thrown away."""

    def run(connection):
        connection.recv(65536)
        connection.sendall(frame(b'{"id": 1}') + frame(b"", opcode=9))
        until_closed(connection)

    def blocked():
        raise TransportError("nobody listens", kind="reset")

    with hostile(run) as port, talking(port) as (chat, host):
        exchange = chat.send(ASK, {})
        chat._line._wire._flush = blocked
        chat.expect(exchange)
        wait_for(lambda: not chat.connected)
    assert host.outcomes("ask") == ["ok"]


def test_a_message_in_the_handshakes_packet_is_not_lost():
    """Servers may speak at once."""

    def run(connection, head):
        connection.sendall(accepted(head) + frame(b'{"n": 1}'))
        until_closed(connection)

    with hostile(run, accept=False) as port, talking(port) as (chat, _):
        assert chat.next_push() == {"n": 1}


def test_a_silent_connection_is_pinged_and_then_given_up():
    """A half-open connection shows within two silences, not when the kernel gives up."""
    manners = Manners(timeout_s=10.0, ping_s=0.1, again=None)
    pinged = []

    def run(connection):
        connection.recv(65536)
        pinged.append(connection.recv(65536)[0])
        until_closed(connection)

    with (
        hostile(run) as port,
        talking(port, manners=manners) as (chat, host),
        pytest.raises(CallError, match="after a ping"),
    ):
        chat.request(ASK, {})
    assert host.outcomes("ask") == ["timeout"]
    assert pinged == [0x89]


def test_a_server_that_does_not_read_blocks_nobody_for_ever():
    """A write that is not taken ends at its deadline."""
    over, outcomes = threading.Event(), []
    with hostile(lambda _: over.wait(20)) as port:
        with talking(port, answer_s=0.3) as (chat, host):
            while "timeout" not in outcomes:
                with suppress(CallError):
                    chat.tell(ASK, {"text": "x" * 1_000_000})
                outcomes = host.outcomes("ask")
        over.set()
    assert len(outcomes) < 100


def test_a_close_that_is_not_answered_ends_in_time():
    """The closing handshake is waited for, not relied upon."""
    with hostile(until_closed) as port, talking(port) as (chat, _), gevent.Timeout(5):
        chat.close(within_s=0.1)
        assert not chat.connected


def test_compression_is_offered_when_asked_for_and_bounded():
    """permessage-deflate works, and a bomb is over the limit."""

    def run(each):
        for message in each:
            asked = json.loads(message)
            each.send(json.dumps({"id": asked["id"], "text": "x" * asked["size"]}))

    with (
        serving(run, compression="deflate") as port,
        talking(port, compress=True, message_bytes=4096) as (chat, host),
    ):
        assert chat.request(ASK, {"size": 10}).message["text"] == "xxxxxxxxxx"
        with pytest.raises(CallError, match="over the limit"):
            chat.request(ASK, {"size": 1_000_000})
    assert host.outcomes("ask") == ["ok", "protocol"]


def test_wss_is_verified_against_the_given_authority(tmp_path):
    """Without the authority no connection, nor under another name; with it, one that works."""
    path = certificate(tmp_path / "localhost.pem", "localhost")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(path)
    known = Tls(ca_file=path)
    with serving(lambda each: [each.send(message) for message in each], ssl=context) as port:
        for url, tls in ((f"wss://localhost:{port}/", Tls()), (f"wss://127.0.0.1:{port}/", known)):
            with talking(0, opened=False, url=url, tls=tls) as (chat, host), pytest.raises(CallError):
                chat.open(OPEN)
            assert host.outcomes("open") == ["connect"]
        with talking(0, url=f"wss://localhost:{port}/", tls=known) as (chat, _):
            assert chat.request(ASK, {}).message == {"id": 1}


@given(
    st.permutations(range(20)),
    st.sets(st.integers(0, 19), max_size=15),
    st.lists(st.integers(0, 19), max_size=8),
)
def test_order_agrees_with_a_look_at_everything(numbers, dropped, repeated):
    """Lost, reordered and repeated messages as a plain look at the whole sequence finds them."""
    stream = [number for number in numbers if number not in dropped]
    stream += [number for number in repeated if number in stream]
    order = Order()
    places = [order.feed(number) for number in stream]
    known, reordered = set(), 0
    for number in stream:
        reordered += number not in known and any(other > number for other in known)
        known.add(number)
    span = range(min(known), max(known) + 1) if known else ()
    assert places.count("duplicated") == len(stream) - len(known)
    assert places.count("reordered") == reordered
    assert order.end() == len(set(span) - known)


@given(st.lists(st.integers(0, 10**12), max_size=200))
def test_order_never_keeps_more_than_its_window(numbers):
    """Wild jumps are counted, not stored; nothing is counted lost twice."""
    order = Order(window=64)
    for number in numbers:
        order.feed(number)
        assert order.missing <= 2 * 64
    lost = order.take_lost() + order.end()
    span = max(numbers) - min(numbers) + 1 if numbers else 0
    assert 0 <= lost <= span
    assert order.end() == 0


@given(st.integers(0, 50), st.floats(0, 1))
def test_backoff_grows_to_its_bound_and_repeats_with_its_seed(seed, jitter):
    """Waits stay between the unjittered share and the bound, one per attempt, the same for the same seed."""
    backoff = Backoff(first_s=0.5, most_s=4.0, jitter=jitter, attempts=8)
    waits = list(backoff.waits(random.Random(seed)))
    assert waits == list(backoff.waits(random.Random(seed)))
    longest = [0.5, 1.0, 2.0, 4.0, 4.0, 4.0, 4.0, 4.0]
    assert all(most * (1 - jitter) <= wait <= most for wait, most in zip(waits, longest, strict=True))


def test_a_backoff_that_does_not_back_off_is_refused():
    """The message says what was expected."""
    with pytest.raises(ValueError, match="expected 0 < first_s"):
        Backoff(first_s=0)
