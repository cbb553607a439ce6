import json
import threading
import time

import gevent
import pytest

from scenarios.errors import CallError, ContentError, TransportError
from scenarios.load.websocket.order import Backoff
from scenarios.load.websocket.session import Dialect, Manners, Pushes
from tests.scenarios.websocket.stage import (
    AGAIN,
    ASK,
    FIRST,
    NEWS,
    OPEN,
    Host,
    hostile,
    serving,
    talking,
    wait_for,
)

STREAMED = Dialect(final=lambda message: message["last"], sequence=lambda message: message["n"])


def echo(socket):
    for message in socket:
        socket.send(message)


def script(*answers):
    """A server that reads one question and then sends these payloads with its id filled in, and so on."""

    def run(socket):
        for question in socket:
            key = json.loads(question)["id"]
            for answer in answers:
                socket.send(json.dumps({"id": key} | answer))

    return run


def failing(call, *arguments):
    """The class of the failure."""
    with pytest.raises(CallError) as failure:
        call(*arguments)
    return failure.value.kind


def test_a_question_gets_its_answer_and_is_recorded_from_its_intended_moment():
    """Latency includes what the generator was late; ids are put in and found by themselves."""
    with serving(echo) as port, talking(port, host=Host(late_s=0.5)) as (chat, host):
        reply = chat.request(ASK, {"text": "hi"})
    (entry,) = host.entries
    assert reply.message == {"text": "hi", "id": 1}
    assert entry.outcome == "ok"
    assert 0.5 <= reply.last_s <= entry.done - entry.at < 5
    assert entry.done - entry.begun < reply.last_s


def test_opening_in_a_flow_is_measured_and_carries_what_was_asked_for():
    """Headers, origin, bearer token and subprotocol reach the server; its choice is known."""
    seen = []

    def look(socket):
        seen.append(socket.request.headers)
        echo(socket)

    options = {"headers": {"Authorization": "Bearer t", "X-Gameday-Run": "r"}, "origin": "https://shop.test"}
    with (
        serving(look, subprotocols=["b", "a"], origins=["https://shop.test"]) as port,
        talking(port, opened=False, subprotocols=("a", "c"), **options) as (chat, host),
    ):
        chat.open(OPEN)
        chat.request(ASK, {})
        assert chat.subprotocol == "a"
    assert host.outcomes("open") == ["ok"]
    assert (seen[0]["Authorization"], seen[0]["X-Gameday-Run"]) == ("Bearer t", "r")


def test_a_streamed_answer_has_a_first_and_a_last_moment():
    """All messages up to the final one are the answer; the first is recorded as an operation of its own."""
    held = threading.Event()

    def stream(socket):
        key = json.loads(socket.recv())["id"]
        socket.send(json.dumps({"id": key, "n": 0, "last": False}))
        held.wait(5)
        socket.send(json.dumps({"id": key, "n": 1, "last": True}))

    with serving(stream) as port, talking(port, dialect=STREAMED) as (chat, host):
        exchange = chat.send(ASK, {"id": "q"}, first=FIRST)
        wait_for(lambda: host.outcomes("first") == ["ok"])
        assert host.outcomes("ask") == [""]
        held.set()
        reply = chat.expect(exchange)
    assert [each["n"] for each in reply.messages] == [0, 1]
    assert reply.first_s < reply.last_s
    assert host.outcomes("ask") == ["ok"]


@pytest.mark.parametrize(
    ("numbers", "says"),
    [((0, 2, 3), "lost: 1"), ((0, 2, 1, 3), "reordered: message 1"), ((0, 1, 1, 2), "duplicated: message 1")],
)
def test_a_streamed_answer_that_is_not_whole_is_wrong_content(numbers, says):
    """A gap, a swap or a repetition within an answer is a bad answer, not a slow good one."""
    answers = [{"n": n, "last": n == numbers[-1]} for n in numbers]
    with (
        serving(script(*answers)) as port,
        talking(port, dialect=STREAMED) as (chat, host),
        pytest.raises(ContentError, match=says),
    ):
        chat.request(ASK, {})
    assert host.outcomes("ask") == ["content"]


def test_a_check_that_stumbles_has_found_wrong_content():
    """Checks see the whole reply; a missing field is found by itself."""
    with (
        serving(echo) as port,
        talking(port) as (chat, host),
        pytest.raises(ContentError, match="misshapen"),
    ):
        chat.request(ASK, {}, check=lambda reply: reply.message["price"])
    assert host.outcomes("ask") == ["content"]


def test_answers_that_overtake_are_counted_and_wrong_where_order_is_promised():
    """Two questions answered the other way round: good answers, one of them reordered."""

    def swap(socket):
        first, second = socket.recv(), socket.recv()
        socket.send(second)
        socket.send(first)

    for in_order, outcomes in ((False, ["ok", "ok"]), (True, ["ok", "content"])):
        manners = Manners(timeout_s=5.0, again=None, in_order=in_order)
        with serving(swap) as port, talking(port, manners=manners) as (chat, host):
            chat.send(ASK, {})
            chat.send(ASK, {})
            chat.settle()
        assert host.outcomes("ask") == outcomes
        assert host.counts["reordered"] == 1


def test_lost_late_and_repeated_answers_are_told_apart():
    """No answer in time is a timeout and lost; when it comes after all it was late; twice is a duplicate."""

    def run(socket):
        first, second = socket.recv(), socket.recv()
        for _ in range(2):
            socket.send(second)
        socket.recv()
        socket.send(first)
        socket.send("no json")
        echo(socket)

    with serving(run) as port, talking(port) as (chat, host):
        lost = chat.send(ASK, {"id": "a"}, timeout_s=0.2)
        chat.request(ASK, {"id": "b"})
        with pytest.raises(TransportError, match="no complete answer"):
            chat.expect(lost)
        chat.tell(NEWS, {"id": "c"})
        wait_for(lambda: host.counts["undecodable"])
    assert host.outcomes("ask") == ["timeout", "ok"]
    assert (host.counts["lost"], host.counts["late"], host.counts["duplicated"]) == (1, 1, 1)
    assert host.entries[-1].detail == "unknown"


def test_questions_without_ids_are_answered_in_turn_and_a_timeout_ends_the_connection():
    """Nobody could tell a late answer from the next one's, so what waits behind it is reset."""
    wordless = Dialect(correlate=None, encode=str, decode=str)

    def run(socket):
        socket.send("re:" + socket.recv())
        for _ in socket:
            pass

    with serving(run) as port, talking(port, dialect=wordless) as (chat, host):
        assert chat.request(ASK, "one").message == "re:one"
        chat.send(ASK, "two", timeout_s=0.2)
        chat.send(ASK, "three", timeout_s=5.0)
        chat.settle()
        with pytest.raises(TransportError, match="not connected: an answer is overdue"):
            chat.request(ASK, "four")
    assert host.outcomes("ask") == ["ok", "timeout", "reset", "connect"]


def test_pushes_are_numbered_timed_and_kept():
    """A push counts from the moment it says it was due; gaps are lost messages, swaps are reordered."""
    stamp = time.time() - 1.0

    def run(socket):
        for number in (1, 2, 5, 4, 4):
            socket.send(json.dumps({"n": number, "due": stamp}))
        socket.send(json.dumps({"n": 6}))
        echo(socket)

    pushes = Pushes(operation=NEWS, due=lambda message: message["due"])
    dialect = Dialect(sequence=lambda message: message["n"])
    with serving(run) as port, talking(port, pushes=pushes, dialect=dialect) as (chat, host):
        assert [chat.next_push()["n"] for _ in range(6)] == [1, 2, 5, 4, 4, 6]
        with pytest.raises(TransportError, match="no message was pushed"):
            chat.next_push(0.01)
    assert host.outcomes("news") == ["ok", "ok", "ok", "content", "content", "content", "content"]
    assert (host.counts["lost"], host.counts["reordered"], host.counts["duplicated"]) == (1, 1, 1)
    assert all(1.0 <= each.done - each.at < 10 for each in host.entries[:5])
    assert host.counts["unasked"] == 6


def test_pushes_may_be_handled_at_once_and_a_broken_handler_is_told():
    """The handler's own error comes up in the flow's next call; the session goes on."""

    def handle(message):
        raise ZeroDivisionError(message["n"])

    def run(socket):
        socket.send('{"n": 1}')
        echo(socket)

    with serving(run) as port, talking(port, pushes=Pushes(handle=handle)) as (chat, host):
        with pytest.raises(ZeroDivisionError):
            chat.request(ASK, {})
        chat.request(ASK, {})
    assert host.outcomes("ask") == ["ok", "ok"]


def test_a_ping_is_measured_by_its_pong():
    """Pings do not disturb the questions that wait."""
    with serving(echo) as port, talking(port) as (chat, host):
        assert chat.ping(NEWS).last_s >= 0
        chat.request(ASK, {})
    assert (host.outcomes("news"), host.counts["reordered"]) == (["ok"], 0)


def test_a_lost_connection_comes_back_and_questions_wait_for_it():
    """What was on its way is reset; what is asked meanwhile waits; greetings go first; all is recorded."""
    seen = []

    def run(socket):
        seen.append(json.loads(socket.recv()))
        if len(seen) == 1:
            socket.recv()
            socket.close(1011, "falling over")
        echo(socket)

    manners = Manners(
        timeout_s=5.0,
        again=Backoff(first_s=0.05, jitter=0.5),
        reconnect=AGAIN,
        greeting=lambda: [{"subscribe": "all"}],
    )
    with serving(run) as port, talking(port, manners=manners) as (chat, host):
        with pytest.raises(TransportError, match="1011"):
            chat.request(ASK, {})
        chat.request(ASK, {})
    assert host.outcomes("ask") == ["reset", "ok"]
    assert host.outcomes("again") == ["ok"]
    assert seen == [{"subscribe": "all"}] * 2
    assert (host.counts["lost"], host.counts["reconnects"]) == (1, 1)


def test_attempts_to_come_back_end():
    """Nobody listens any more: every attempt is recorded as a failed connect, then questions fail at once."""
    manners = Manners(
        timeout_s=5.0, again=Backoff(first_s=0.01, most_s=0.01, attempts=3), reconnect=AGAIN, ping_s=0
    )
    with hostile(b"") as port, talking(port, manners=manners) as (chat, host):
        wait_for(lambda: host.outcomes("again")[-1:] == ["connect"])
        with pytest.raises(TransportError, match="not connected"):
            chat.request(ASK, {}, timeout_s=60.0)
    assert host.outcomes("again") == ["connect"] * 3
    assert host.outcomes("ask") == ["connect"]


def test_closing_settles_everything_and_is_a_proper_goodbye():
    """What waits when the load ends is a timeout; the server gets the closing code."""
    codes = []

    def run(socket):
        for _ in socket:
            pass
        codes.append(socket.close_code)

    with serving(run) as port:
        with talking(port) as (chat, host):
            waiter = gevent.spawn(failing, chat.request, ASK, {})
            wait_for(lambda: host.entries and host.entries[0].begun)
        assert waiter.get(timeout=5) == "timeout"
        wait_for(lambda: codes)
    assert host.outcomes("ask") == ["timeout"]
    assert codes == [1000]


def test_a_session_killed_while_it_waits_leaves_a_timeout():
    """Locust ends users by killing their greenlets: the books still balance."""
    with serving(lambda socket: socket.recv() and socket.recv()) as port, talking(port) as (chat, host):
        waiter = gevent.spawn(chat.request, ASK, {})
        wait_for(lambda: host.entries and host.entries[0].begun)
        waiter.kill()
    assert host.outcomes("ask") == ["timeout"]


def test_an_id_is_needed_once():
    """Two waiting questions with one id, or none at all, are defects of the scenario."""
    with serving(echo) as port, talking(port, dialect=Dialect(correlate=lambda it: it["k"])) as (chat, host):
        with pytest.raises(ValueError, match="no id"):
            chat.send(ASK, {"x": 1})
        chat.send(ASK, {"k": 1})
        with pytest.raises(ValueError, match="waited for already"):
            chat.send(ASK, {"k": 1})
        chat.settle()
    assert [each.outcome for each in host.entries] == ["ok"]
