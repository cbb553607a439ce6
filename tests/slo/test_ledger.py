import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slo import ledger


def _write(key, outcome="ok", t=1.0):
    ack = t + 0.5 if outcome == "ok" else None
    return {
        "kind": "write",
        "set": "s",
        "id": key,
        "op": "o",
        "seq": 1,
        "t_send": t,
        "t_ack": ack,
        "outcome": outcome,
    }


def _read(key, count=1, **more):
    return {"kind": "read", "set": "s", "id": key, "count": count, **more}


def _back(**more):
    return {
        "kind": "readback",
        "set": "s",
        "complete": True,
        "once": True,
        "read": 1,
        "t": 9.0,
        "reason": "",
        **more,
    }


@given(
    writes=st.dictionaries(st.integers(0, 30), st.sampled_from(["ok", "refused", "unknown"]), max_size=20),
    reads=st.dictionaries(st.integers(0, 35), st.integers(1, 3), max_size=20),
    once=st.booleans(),
)
@settings(max_examples=120, deadline=None)
def test_accounting_is_set_arithmetic(writes, reads, once):
    """Against sets written out."""
    lines = [_write(str(k), v) for k, v in writes.items()] + [_read(str(k), c) for k, c in reads.items()]
    found = ledger.account([*lines, _back(once=once)], "s")
    ok = {k for k, v in writes.items() if v == "ok"}
    assert (found.attempted, found.ok) == (len(writes), len(ok))
    assert found.lost == len(ok - set(reads))
    assert found.recovered == len({k for k, v in writes.items() if v == "unknown"} & set(reads))
    assert found.unexpected == len(set(reads) - set(writes))
    assert found.duplicated == (len([k for k, c in reads.items() if c > 1 and k in writes]) if once else 0)
    assert set(found.lost_ids) == {str(k) for k in ok - set(reads)}


@pytest.mark.parametrize(
    ("outcomes", "total"),
    [
        (("unknown", "ok"), "ok"),
        (("ok", "unknown"), "ok"),
        (("refused", "unknown"), "unknown"),
        (("refused", "refused"), "refused"),
        (("refused", "ok"), "ok"),
    ],
)
def test_attempts_under_one_id_are_one_write(outcomes, total):
    """A retry with the same key: the best news counts, in any order."""
    found = ledger.account([*(_write("a", one) for one in outcomes), _back()], "s")
    assert found.attempted == 1
    assert getattr(found, total) == 1


def test_when_the_lost_ones_were_acknowledged():
    """The span between the first and the last of them."""
    lines = [_write(str(t), t=float(t)) for t in range(10)] + [_read(str(t)) for t in (0, 1, 5, 8, 9)]
    found = ledger.account([*lines, _back()], "s")
    assert found.lost_ids == ("2", "3", "4", "6", "7")
    assert found.lost_between == (2.5, 7.5)


def test_accepted_is_not_finished():
    """A job that waits is there; a count of zero without a state is not."""
    lines = [_write("a"), _write("b"), _read("a", 0, state="queued"), _read("b", 0)]
    found = ledger.account([*lines, _back(once=False)], "s")
    assert (found.lost, found.unfinished) == (1, 1)
    assert (found.lost_ids, found.unfinished_ids) == (("b",), ("a",))


def test_what_was_not_read_is_not_called_lost():
    """Only a complete read-back knows what is missing; doubles are seen anyway."""
    lines = [_write("a"), _write("b"), _read("b", 2)]
    for back in ([], [_back(complete=False, reason="stopped at 1000")]):
        found = ledger.account([*lines, *back], "s")
        assert (found.lost, found.duplicated, found.complete) == (0, 1, False)
        assert found.reason


def test_an_id_listed_twice_is_there_twice():
    """Pages of a listing that overlap would show it."""
    assert ledger.account([_write("a"), _read("a"), _read("a"), _back()], "s").duplicated == 1


def test_windows_choose_by_sending():
    """The writes of one fault, whenever they were answered."""
    lines = [_write(str(t), t=float(t)) for t in range(10)]
    found = ledger.account([*lines, _back()], "s", [(2.0, 4.0), (6.0, 7.0)])
    assert found.lost_ids == ("2", "3", "6")
    assert found.unexpected == 0


def test_lines_that_make_no_sense():
    """An outcome nobody knows is an error; the report shows an empty account that says so."""
    lines = [_write("a", "maybe"), _back()]
    with pytest.raises(ValueError, match="expected ok, refused or unknown"):
        ledger.account(lines, "s")
    assert "make no sense" in ledger.shown(lines, "s").reason


def test_jobs():
    """When each was accepted and done."""
    lines = [_write("a"), _write("b"), _write("c", "unknown"), _read("a", 1, done_at=4.0, state="done")]
    one, two = ledger.jobs([*lines, _back()], "s")
    assert (one.accepted, one.done, one.state) == (1.5, 4.0, "done")
    assert (two.done, two.state) == (None, "missing")
