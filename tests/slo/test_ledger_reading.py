import json

import pytest

from slo import ledger
from slo.errors import RecordError
from slo.ledger.reading import of_lines
from tests.slo.ledger_lines import back, held, read, received, version, write


def without(line, name):
    return {key: value for key, value in line.items() if key != name}


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (write("a") | {"kind": "wirte"}, "kind is 'wirte'; expected one of write, read, readback, version"),
        (write("a") | {"kind": ["write"]}, "kind is ['write']; expected one of"),
        (without(write("a"), "kind"), "kind is None; expected one of"),
        (without(write("a"), "set"), "no 'set' in a line of kind 'write'; expected a text"),
        (write("a") | {"set": ""}, "set is ''; expected a text that is not empty"),
        (write(""), "id is ''; expected a text that is not empty"),
        (write(7), "id is 7; expected a text"),
        (write("a", "maybe"), "outcome of 'a' is 'maybe'; expected ok, refused or unknown"),
        (without(write("a"), "outcome"), "outcome of 'a' is None; expected ok"),
        (without(write("a"), "t_send"), "no 't_send' in a line of kind 'write'; expected seconds"),
        (write("a") | {"t_send": "1"}, "t_send is '1'; expected seconds since the epoch"),
        (write("a", t=-1.0), "t_send is -1.0; expected seconds"),
        (write("a") | {"t_send": True}, "t_send is True; expected seconds"),
        (write("a") | {"t_ack": None}, "t_ack is None; expected seconds"),
        (write("a") | {"t_ack": 10**400}, "t_ack is 1000"),
        (write("a") | {"t_ack": 1.7e12}, "t_ack is 1700000000000.0; expected seconds"),
        (write("a") | {"seq": 1.5}, "seq is 1.5; expected a whole number"),
        (write("a") | {"session": 4}, "session is 4; expected a text"),
        (read("a", -1), "count is -1; expected a whole number that is not negative"),
        (read("a", True), "count is True; expected a whole number"),
        (read("a", dead="1"), "dead is '1'; expected a whole number"),
        (read("a", state=1), "state is 1; expected a text"),
        (read("a", done_at="now"), "done_at is 'now'; expected seconds"),
        (back(complete="yes"), "complete is 'yes'; expected true or false"),
        (without(back(), "complete"), "no 'complete' in a line of kind 'readback'; expected true or false"),
        (back(once=1), "once is 1; expected true or false"),
        (back(drained="no"), "drained is 'no'; expected true or false"),
        (back(keys=-2), "keys is -2; expected a whole number"),
        (held("k"), "key 'k' has neither 'version' nor 'last'; expected one of them"),
        (held("k", version=-1), "version is -1; expected a whole number"),
        (version("a", None), "version is None; expected a whole number"),
        (received("a", 0), "message 0 of reader 'r'; expected numbers from 1 on, each once"),
    ],
)
def test_a_broken_line_is_refused_by_its_number(tmp_path, line, problem):
    """File, line, what is wrong and what was expected; blank lines count."""
    path = tmp_path / "ledger.jsonl"
    path.write_text(f"{json.dumps(write('x'))}\n\n{json.dumps(line)}\n{json.dumps(back())}\n")
    with pytest.raises(RecordError) as caught:
        ledger.read(path)
    assert str(caught.value).startswith(f"{path}:3: not a line of a ledger: {problem}")
    assert len(str(caught.value)) < 400


def test_what_can_stand_once_only():
    """A key read back twice, a reader's number given twice."""
    with pytest.raises(ValueError, match="key 'k' was read back before"):
        of_lines([held("k", last="a"), held("k", last="b")])
    with pytest.raises(ValueError, match="message 1 of reader 'r'"):
        of_lines([received("a", 1), received("b", 1)])


def test_no_ledger_is_an_empty_one(tmp_path):
    """A run that wrote nothing."""
    assert ledger.read(tmp_path / "ledger.jsonl").books == {}


def test_lines_of_the_first_schema_are_read():
    """As they were written before there were sessions, keys and queues."""
    lines = [
        {
            "kind": "write",
            "set": "s",
            "id": "a",
            "op": "o",
            "seq": 7,
            "t_send": 1,
            "t_ack": 2,
            "outcome": "ok",
        },
        {"kind": "read", "set": "s", "id": "a", "count": 1},
        {"kind": "readback", "set": "s", "complete": True, "once": True, "read": 1, "t": 2.0, "reason": ""},
    ]
    found = ledger.account(of_lines(lines), "s")
    assert (found.ok, found.read, found.lost, found.complete) == (1, 1, 0, True)


@pytest.mark.parametrize(("said", "complete"), [(1, False), (2, True), (3, False)])
def test_lines_that_are_missing_or_added_make_it_incomplete(said, complete):
    """The read-back says how many ids it read; a job of which nothing is known is none of them."""
    lines = [write("a"), read("a"), read("b", 0, state="queued"), read("c", 0), back(read=said)]
    found = ledger.account(of_lines(lines), "s")
    assert found.complete is complete
    assert complete or f"says that {said} ids were read, the ledger lists 2" in found.reason


def test_keys_that_are_missing_make_it_incomplete():
    """The same for overwritten keys."""
    assert not of_lines([held("k", last="a"), back(keys=2)]).books["s"].readback.complete
    assert of_lines([held("k", last="a"), back(keys=1)]).books["s"].readback.complete


def test_what_a_line_need_not_say():
    """One effect, promised once, without a number; the beginning of time is a time."""
    lines = [
        without(write("a", t=0) | {"t_ack": 0.0}, "seq"),
        without(read("a"), "count"),
        without(back(), "once"),
    ]
    books = of_lines(lines)
    found = ledger.account(books, "s")
    assert (found.lost, found.duplicated, found.once, books.books["s"].writes["a"].seq) == (0, 0, True, 0)


def test_attempts_and_listings_under_one_id_are_put_together():
    """The first sending counts, and all copies."""
    lines = [write("a", "unknown", t=5.0), write("a", t=3.0), write("a", "unknown", t=4.0)]
    lines += [read("a", 0, dead=1), read("a", 2, dead=1)]
    book = of_lines(lines).books["s"]
    assert (book.writes["a"].sent, book.writes["a"].acknowledged) == (3.0, 3.5)
    assert (book.reads["a"].count, book.reads["a"].dead) == (2, 2)
