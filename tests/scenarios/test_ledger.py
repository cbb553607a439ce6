import itertools

import pytest

from scenarios.errors import StatusError, TransportError
from scenarios.load.audit import Patience, ReadBack, unread
from scenarios.load.ledger import Ledger, outcome_of, outcome_of_failure
from scenarios.load.operation import LedgerSet
from scenarios.load.sink import FolderSink
from slo import jsonl
from slo import ledger as judged
from slo.ledger.order import order
from slo.ledger.versions import versions

INVOICES = LedgerSet(name="invoices")
JOBS = LedgerSet(name="pdf-jobs", once=False, finishes=True, ended=("failed",))


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self):
        self.t = 1000.0

    def now(self):
        """Seconds."""
        return self.t

    def sleep(self, seconds):
        """Returns at once, later."""
        self.t += seconds


def read_back(fetch, clock=None, **patience):
    clock = clock or Clock()
    return ReadBack(fetch=fetch, patience=Patience(**patience), now=clock.now, sleep=clock.sleep)


def pages(*items, size=2):
    """A fetch over these items in pages."""

    def fetch(_set, after):
        start = int(after or 0)
        more = start + size < len(items)
        return {"items": items[start : start + size], "next": str(start + size) if more else None}

    return fetch


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (200, "ok"), (201, "ok"), (202, "ok"), (302, "refused"), (400, "refused"), (401, "refused"),
        (404, "refused"), (429, "refused"), (408, "unknown"), (499, "unknown"), (500, "unknown"),
        (502, "unknown"), (503, "refused"), (504, "unknown"),
    ],
)  # fmt: skip
def test_what_an_answer_promises(status, outcome):
    """Only an answer that rules out a finished write is a refusal."""
    assert outcome_of(status) == outcome


@pytest.mark.parametrize(
    ("kind", "outcome"), [("connect", "refused"), ("reset", "unknown"), ("timeout", "unknown")]
)
def test_what_silence_promises(kind, outcome):
    """Whatever was sent may have been done."""
    assert outcome_of_failure(kind) == outcome


def test_writes_are_numbered_per_set(tmp_path):
    """Ids carry run, set and number, and are written with what became of them."""
    ledger = Ledger(run_id="r1", sink=FolderSink(tmp_path))
    first, second, other = ledger.begin("invoices"), ledger.begin("invoices"), ledger.begin("workflows")
    assert [each.id for each in (first, second, other)] == [
        "r1/invoices/1",
        "r1/invoices/2",
        "r1/workflows/1",
    ]
    ledger.end(first, "invoice_create", outcome="ok", t_send=1.0, t_ack=1.5)
    ledger.end(second, "invoice_create", outcome="unknown", t_send=2.0, t_ack=12.0, reason="timeout")
    ledger.flush()
    lines = jsonl.read(tmp_path / "ledger.jsonl")
    assert lines[0] == {
        "kind": "write", "set": "invoices", "id": "r1/invoices/1", "op": "invoice_create", "seq": 1,
        "t_send": 1.0, "t_ack": 1.5, "outcome": "ok",
    }  # fmt: skip
    assert (lines[1]["t_ack"], lines[1]["reason"]) == (None, "timeout")
    assert ledger.accepted == {"invoices": {"r1/invoices/1"}}


def test_a_set_is_read_to_its_end():
    """Every page is read; the last line says how many there were."""
    items = [{"id": f"i{n}", "count": 1} for n in range(5)]
    *reads, last = read_back(pages(*items)).run(INVOICES, {"i0", "gone"})
    assert [each["id"] for each in reads] == ["i0", "i1", "i2", "i3", "i4"]
    assert last == {
        "kind": "readback", "set": "invoices", "complete": True, "once": True, "read": 5, "t": 1000.0,
        "reason": "",
    }  # fmt: skip


def test_an_id_listed_twice_was_written_twice():
    """Duplicates show as a count, whether the system counts them or lists them."""
    items = [{"id": "i1", "count": 1}, {"id": "i2", "count": 2}, {"id": "i1", "count": 1}]
    reads = read_back(pages(*items)).run(INVOICES, set())
    assert {each["id"]: each["count"] for each in reads[:-1]} == {"i1": 2, "i2": 2}


def test_jobs_are_waited_for():
    """Accepted jobs are looked at again until they are done."""
    looks = itertools.count()

    def fetch(_set, _after):
        done = 1 if next(looks) >= 6 else 0
        return {"items": [{"id": "j1", "count": done, "state": "done" if done else "queued"}], "next": None}

    clock = Clock()
    read, last = read_back(fetch, clock).run(JOBS, {"j1"})
    assert (read["count"], read["state"], last["complete"]) == (1, "done", True)
    assert clock.t == 1006.0


def test_a_failed_job_is_over():
    """Nobody waits for a job that has failed."""
    clock = Clock()
    fetch = pages({"id": "j1", "count": 0, "state": "failed"})
    read, last = read_back(fetch, clock).run(JOBS, {"j1"})
    assert (read["count"], last["complete"], clock.t) == (0, True, 1000.0)


def test_jobs_that_never_move_are_reported_as_they_are():
    """When nothing changes any more the read-back is complete, and lost jobs have count 0."""
    clock = Clock()
    fetch = pages({"id": "j1", "count": 0, "state": "queued"})
    reads = read_back(fetch, clock, unchanged_s=15).run(JOBS, {"j1", "j2"})
    assert {each["id"]: each["count"] for each in reads[:-1]} == {"j1": 0, "j2": 0}
    assert reads[-1]["complete"]
    assert clock.t == 1015.0


def test_a_backlog_that_still_moves_at_the_end_is_incomplete():
    """Out of patience while jobs still finish: nothing may be concluded."""
    looks = itertools.count()

    def fetch(_set, _after):
        return {"items": [{"id": f"x{n}", "count": 1} for n in range(next(looks))], "next": None}

    last = read_back(fetch, settle_s=20).run(JOBS, {"j1"})[-1]
    assert not last["complete"]
    assert "1 accepted still unfinished after 20 s" in last["reason"]


def test_reading_survives_a_recovering_system():
    """A failing page is asked for again for a while."""
    looks = itertools.count()

    def fetch(_set, _after):
        if next(looks) < 4:
            raise StatusError("503: not yet", kind="http_5xx")
        return {"items": [{"id": "i1", "count": 1}], "next": None}

    assert read_back(fetch).run(INVOICES, set())[-1]["complete"]


def test_a_system_that_stays_away_is_an_incomplete_read_back():
    """The reason says what failed; ids that were not seen are not called missing."""

    def fetch(_set, _after):
        raise TransportError("127.0.0.1:1: refused", kind="connect")

    clock = Clock()
    (last,) = read_back(fetch, clock, retry_s=30).run(JOBS, {"j1"})
    assert (last["complete"], last["read"]) == (False, 0)
    assert "refused" in last["reason"]
    assert 1030 <= clock.t <= 1032


@pytest.mark.parametrize(
    "page",
    [
        {"items": [{"id": "a"}], "next": None},
        {"next": None},
        None,
        {"items": [{"id": "a", "count": "1"}], "next": None},
        {"items": [{"id": 1, "count": 1}], "next": None},
        {"items": [{"id": "a", "count": 1, "dead": -1}], "next": None},
        {"items": [{"id": "a", "count": 1, "state": 3}], "next": None},
        {"items": [{"id": "a", "count": 1, "done_at": "noon"}], "next": None},
        {"items": [], "next": None, "drained": 1},
    ],
)
def test_a_misshapen_audit_is_incomplete(tmp_path, page):
    """An audit that does not say what it should is no evidence, and does not spoil the ledger."""
    *reads, last = read_back(lambda _set, _after: page).run(INVOICES, set())
    assert (reads, last["complete"]) == ([], False)
    assert judged.of_lines([last]).books


@pytest.mark.parametrize(
    "item", [{"id": "a"}, {"id": 1, "version": 1}, {"id": "a", "version": "1"}, {"id": "a", "last": 2}, None]
)
def test_misshapen_keys_are_incomplete(item):
    """The same for the keys that were overwritten."""
    fetch = {"changes": pages(), "matters": pages(item)}
    *reads, last = read_back(lambda name, after: fetch[name](name, after)).run(
        LedgerSet(name="changes", keys="matters"), set()
    )
    assert (reads, last["complete"]) == ([], False)


def test_an_audit_that_turns_in_circles_ends():
    """A page that leads to itself is noticed."""
    last = read_back(lambda _set, _after: {"items": [], "next": "k"}).run(INVOICES, set())[-1]
    assert "does not move" in last["reason"]


def test_sets_not_read_say_so():
    """Without an auditor every set is incomplete, with the reason."""
    (line,) = unread([JOBS], reason="no log-in", now=5.0)
    assert (line["complete"], line["once"], line["reason"]) == (False, False, "no log-in")


def test_a_write_leaves_its_mark_in_several_sets(tmp_path):
    """One write that further sets must show: they are attempted and accepted as well."""
    ledger = Ledger(run_id="r1", sink=FolderSink(tmp_path))
    first = ledger.begin("workflows", also=("events-email", "events-pdf"))
    second = ledger.begin("workflows", also=("events-email",))
    assert ledger.attempted == {"workflows": 2, "events-email": 2, "events-pdf": 1}
    ledger.end(first, "start", outcome="ok", t_send=1.0, t_ack=1.5)
    ledger.end(second, "start", outcome="unknown", t_send=1.0, t_ack=1.5)
    ledger.flush()
    lines = jsonl.read(tmp_path / "ledger.jsonl")
    assert [(line["set"], line["id"], line["outcome"]) for line in lines] == [
        ("workflows", "r1/workflows/1", "ok"),
        ("events-email", "r1/workflows/1", "ok"),
        ("events-pdf", "r1/workflows/1", "ok"),
        ("workflows", "r1/workflows/2", "unknown"),
        ("events-email", "r1/workflows/2", "unknown"),
    ]
    assert ledger.accepted == {
        name: {"r1/workflows/1"} for name in ("workflows", "events-email", "events-pdf")
    }


def test_the_judge_reads_what_is_written(tmp_path):
    """Keys, versions and receipts: from the writer's hand to the account."""
    books = Ledger(run_id="r1", sink=FolderSink(tmp_path))
    for number in range(1, 4):
        write = books.begin("messages", session="4", key="matter 1")
        books.end(write, "say", outcome="ok", t_send=float(number), t_ack=number + 0.5)
        books.versioned(write, number + 1)
        for reader in ("7", "8"):
            books.received("messages", reader=reader, id_=write.id, t=number + 0.4)
    fetch = {"messages": pages(*({"id": f"r1/messages/{n}", "count": 1} for n in range(1, 4)))}
    fetch["matters"] = pages({"id": "matter 1", "version": 4, "last": "r1/messages/3"})
    kind = LedgerSet(name="messages", keys="matters")
    books.add(read_back(lambda name, after: fetch[name](name, after)).run(kind, books.accepted["messages"]))
    books.flush()
    found = judged.read(tmp_path / "ledger.jsonl")
    one = judged.account(found, "messages")
    assert (one.ok, one.read, one.lost, one.complete) == (3, 3, 0, True)
    two = versions(found, "messages")
    assert (two.keys, two.ok, two.lost, two.unexpected, two.doubt) == (1, 3, 0, 0, "")
    three = order(found, "messages")
    assert (three.streams, three.received, three.wrong, three.doubt) == (2, 6, 0, "")


def test_a_queue_is_waited_for_until_it_is_empty():
    """The audit says when; dead letters are told apart."""
    looks = itertools.count()

    def fetch(_set, _after):
        items = [{"id": "m1", "count": 1}, {"id": "m2", "count": 0, "dead": 1}]
        return {"items": items, "next": None, "drained": next(looks) >= 4}

    clock = Clock()
    one, two, last = read_back(fetch, clock).run(INVOICES, {"m1", "m2"})
    assert (one["count"], two["count"], two["dead"]) == (1, 0, 1)
    assert (last["complete"], last["drained"], last["read"], clock.t) == (True, True, 2, 1004.0)


def test_a_queue_that_never_empties_is_reported_as_it_is():
    """What was read is complete, and the last word says that there may be more."""
    clock = Clock()
    last = read_back(lambda _set, _after: {"items": [], "next": None, "drained": False}, clock).run(
        INVOICES, {"m1"}
    )[-1]
    assert (last["complete"], last["drained"], clock.t) == (True, False, 1015.0)


def test_what_shows_late_is_looked_for():
    """An index that lags behind: read again until all is there, or nothing changes any more."""
    looks = itertools.count()

    def fetch(_set, _after):
        return {"items": [{"id": f"i{n}", "count": 1} for n in range(min(next(looks), 3))], "next": None}

    late = LedgerSet(name="index", eventual=True)
    clock = Clock()
    assert len(read_back(fetch, clock).run(late, {"i0", "i2"})) == 4
    assert clock.t == 1003.0
    assert read_back(fetch, clock).run(late, {"i0", "gone"})[-1]["complete"]
    assert clock.t == 1018.0
    assert len(read_back(fetch, clock).run(late, {"i0", "i1", "i2"})) == 4
    assert clock.t == 1018.0


def test_keys_that_cannot_be_read_make_it_incomplete():
    """Whatever the set itself said."""
    kind = LedgerSet(name="changes", keys="matters")

    def fetch(name, _after):
        if name == "matters":
            raise StatusError("500: no", kind="http_5xx")
        return {"items": [], "next": None}

    last = read_back(fetch, retry_s=2).run(kind, set())[-1]
    assert (last["complete"], last["keys"]) == (False, 0)
    assert "reading back matters failed: 500" in last["reason"]


def test_what_is_not_there_is_not_read():
    """A count of zero without a state is nothing; with a state, or as a dead letter, it is something."""
    items = [
        {"id": "gone", "count": 0},
        {"id": "waits", "count": 0, "state": "queued", "requested_at": 3},
        {"id": "dead", "count": 0, "dead": 1},
        {"id": "done", "count": 1, "state": "done", "requested_at": 3.5, "done_at": 4},
    ]
    *reads, last = read_back(pages(*items)).run(INVOICES, set())
    assert [line | {"kind": "read", "set": "invoices"} for line in items] == reads
    assert (last["read"], last["complete"]) == (3, True)
    assert judged.account(judged.of_lines([*reads, last]), "invoices").complete


@pytest.mark.parametrize(
    ("drained", "complete", "waited_s"), [(False, False, 45.0), (True, True, 15.0), (None, True, 15.0)]
)
def test_what_is_still_queued_may_still_come(drained, complete, waited_s):
    """While the queue is not empty what is missing is not settled, however long nothing changes."""
    clock = Clock()
    begun = clock.t

    def fetch(_set, _after):
        page = {"items": [{"id": "j1", "count": 1}], "next": None}
        return page if drained is None else {**page, "drained": drained}

    *reads, last = read_back(fetch, clock).run(JOBS, {"j1", "j2"})
    assert last["complete"] == complete
    assert waited_s <= clock.t - begun <= waited_s + 2
    assert ("still unfinished" in last["reason"]) == (not complete)
    assert {"kind": "read", "set": "pdf-jobs", "id": "j2", "count": 0} in reads or not complete
