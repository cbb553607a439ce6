import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slo import ledger
from slo.ledger.account import account as account_of
from slo.ledger.books import Ledger
from tests.slo.ledger_lines import back, read, write

OUTCOMES = st.sampled_from(["ok", "refused", "unknown"])


def account(lines, windows=None):
    return account_of(ledger.of_lines(lines), "s", windows)


@given(
    writes=st.dictionaries(st.integers(0, 30), OUTCOMES, max_size=20),
    reads=st.dictionaries(st.integers(0, 35), st.integers(1, 3), max_size=20),
    once=st.booleans(),
)
@settings(max_examples=80, deadline=None)
def test_accounting_is_set_arithmetic(writes, reads, once):
    """Against sets written out."""
    lines = [write(str(k), v) for k, v in writes.items()] + [read(str(k), c) for k, c in reads.items()]
    found = account([*lines, back(once=once)])
    ok = {k for k, v in writes.items() if v == "ok"}
    assert (found.attempted, found.ok, found.read) == (len(writes), len(ok), len(reads))
    assert found.lost == len(ok - set(reads))
    assert found.recovered == len({k for k, v in writes.items() if v == "unknown"} & set(reads))
    assert found.contradicted == len({k for k, v in writes.items() if v == "refused"} & set(reads))
    assert found.unexpected == len(set(reads) - set(writes))
    assert found.duplicated == (len([k for k, c in reads.items() if c > 1 and k in writes]) if once else 0)
    assert set(found.lost_ids) == {str(k) for k in ok - set(reads)}


@given(
    st.lists(st.tuples(OUTCOMES, st.booleans(), st.sampled_from(["kept", "kept", "lost", "doubled"]))),
    st.integers(0, 3),
)
@settings(max_examples=80, deadline=None)
def test_what_was_planted_is_counted_exactly(history, strangers):
    """A true store, broken n times: unknown writes may be there or not, and are no error either way."""
    lines, lost, doubled, recovered = [], 0, 0, 0
    for place, (outcome, came, plan) in enumerate(history):
        lines.append(write(str(place), outcome))
        there = outcome == "ok" or (outcome == "unknown" and came)
        lost += outcome == "ok" and plan == "lost"
        there = there and not (outcome == "ok" and plan == "lost")
        doubled += there and plan == "doubled"
        recovered += there and outcome == "unknown"
        lines += [read(str(place), 2 if plan == "doubled" else 1)] if there else []
    lines += [read(f"stranger {number}") for number in range(strangers)]
    found = account([*lines, back()])
    assert (found.lost, found.duplicated, found.unexpected) == (lost, doubled, strangers)
    assert (found.recovered, found.contradicted) == (recovered, 0)


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
    found = account([*(write("a", one) for one in outcomes), back()])
    assert found.attempted == 1
    assert getattr(found, total) == 1


def test_when_the_lost_ones_were_acknowledged():
    """The span between the first and the last of them."""
    lines = [write(str(t), t=float(t)) for t in range(10)] + [read(str(t)) for t in (0, 1, 5, 8, 9)]
    found = account([*lines, back()])
    assert found.lost_ids == ("2", "3", "4", "6", "7")
    assert found.lost_between == (2.5, 7.5)


def test_accepted_is_not_finished():
    """A job that waits is there; a count of zero without a state is not."""
    lines = [write("a"), write("b"), read("a", 0, state="queued"), read("b", 0)]
    found = account([*lines, back(once=False)])
    assert (found.lost, found.unfinished) == (1, 1)
    assert (found.lost_ids, found.unfinished_ids) == (("b",), ("a",))


def test_what_was_not_read_is_not_called_lost():
    """Only a complete read-back knows what is missing; doubles are seen anyway."""
    lines = [write("a"), write("b"), read("b", 2)]
    for word in ([], [back(complete=False, reason="stopped at 1000")], [back(complete=False)]):
        found = account([*lines, *word])
        assert (found.lost, found.lost_ids, found.duplicated, found.complete) == (0, (), 1, False)
        assert found.reason


def test_an_id_listed_twice_is_there_twice():
    """Pages of a listing that overlap would show it."""
    assert account([write("a"), read("a"), read("a"), back()]).duplicated == 1


def test_windows_choose_by_sending():
    """The writes of one fault, whenever they were answered; the end of a window is not inside."""
    lines = [write(str(t), t=float(t)) for t in range(10)]
    found = account([*lines, back()], [(2.0, 4.0), (6.0, 7.0)])
    assert found.lost_ids == ("2", "3", "6")
    assert found.unexpected == 0
    there = account([*lines, *map(read, "13x"), back()], [(2.0, 4.0)])
    assert (there.read, there.lost, there.unexpected) == (1, 1, 1)


def test_ids_are_shown_up_to_twenty():
    """A report is no list of all that went wrong."""
    found = account([*(write(f"{n:02}") for n in range(25)), back()])
    assert (found.lost, found.lost_ids) == (25, tuple(f"{n:02}" for n in range(20)))


def test_jobs():
    """When each was accepted and done; done without a time is no answer."""
    lines = [write("a"), write("b"), write("c", "unknown"), read("a", 1, done_at=4.0, state="done"), back()]
    one, two = ledger.jobs(ledger.of_lines(lines), "s")
    assert (one.accepted, one.done, one.state) == (1.5, 4.0, "done")
    assert (two.done, two.state) == (None, "missing")
    (failed,) = ledger.jobs(ledger.of_lines([write("a"), read("a", 0, done_at=4.0, state="failed")]), "s")
    assert (failed.done, failed.state) == (None, "failed")
    with pytest.raises(ValueError, match="expected a field 'done_at'"):
        ledger.jobs(ledger.of_lines([write("a"), read("a")]), "s")


def test_sets_in_the_order_they_appear():
    """A set that was neither written nor read is left out of the accounts."""
    books = ledger.of_lines([write("a") | {"set": "z"}, write("a"), back() | {"set": "y"}])
    assert ledger.sets(books) == ("z", "s", "y")
    assert [one.set for one in ledger.accounts(books, ["s", "gone", "z"])] == ["s", "z"]
    assert ledger.sets(Ledger()) == ()
    assert not account_of(Ledger(), "gone").complete
