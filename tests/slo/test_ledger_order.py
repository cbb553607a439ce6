from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slo.ledger import of_lines
from slo.ledger.order import moves, order, orders
from tests.slo.ledger_lines import received, write

PLANS = ("kept", "kept", "moved on", "moved back", "missing", "again")


def said(session, number, outcome="ok"):
    """The session's message of this number."""
    return write(f"{session}-{number}", outcome, session=session, seq=number, t=float(number))


def heard(ids, reader="r"):
    return [received(key, place, reader) for place, key in enumerate(ids, start=1)]


def broken(session, begun, plan):
    """Four messages of a session, as a reader hears them: at most one thing is wrong."""
    one, two, three, four = (f"{session}-{begun + place}" for place in range(4))
    return {
        "kept": [one, two, three, four],
        "moved on": [two, three, one, four],
        "moved back": [one, four, two, three],
        "missing": [one, three, four],
        "again": [one, two, two, three, four],
    }[plan]


@given(
    sessions=st.lists(st.lists(st.sampled_from(PLANS), min_size=1, max_size=5), min_size=1, max_size=3),
    random=st.randoms(use_true_random=False),
    strangers=st.integers(0, 2),
)
@settings(max_examples=80, deadline=None)
def test_what_was_planted_is_counted_exactly(sessions, random, strangers):
    """Sessions interleave at a reader as they like; within each every planted fault counts once."""
    lines, streams = [], []
    for number, plans in enumerate(sessions):
        name = f"session {number}"
        lines += [said(name, place) for place in range(1, 4 * len(plans) + 2)]
        stream = [key for place, plan in enumerate(plans) for key in broken(name, 4 * place + 1, plan)]
        streams.append([*stream, f"{name}-{4 * len(plans) + 1}"])
    streams += [[f"stranger {number}"] for number in range(strangers)]
    mixed = []
    while streams := [stream for stream in streams if stream]:
        mixed.append(random.choice(streams).pop(0))
    found = order(of_lines([*lines, *random.sample(heard(mixed), len(mixed))]), "s")
    every = [plan for plans in sessions for plan in plans]
    # The first message of all is the first that was heard: what comes before is no gap.
    assert found.moved == sum(plan.startswith("moved") for plan in every)
    assert found.missing == every.count("missing")
    assert found.duplicated == every.count("again")
    assert (found.unexpected, found.streams) == (strangers, len(sessions))
    assert found.wrong == found.moved + found.missing + found.duplicated + strangers
    assert not found.doubt


@pytest.mark.parametrize("size", [0, 1, 2, 4, 5])
def test_moves_against_every_way_to_choose(size):
    """All but the longest ascending choice."""
    for numbers in permutations(range(size)):
        chosen = [
            [number for place, number in enumerate(numbers) if bits >> place & 1] for bits in range(1 << size)
        ]
        assert moves(numbers) == size - max(len(one) for one in chosen if one == sorted(one))


def test_what_was_not_promised_is_no_gap():
    """Unknown and refused messages may be missing, and may come."""
    lines = [
        said("a", 1),
        said("a", 2, "unknown"),
        said("a", 3, "refused"),
        said("a", 4),
        said("a", 5, "unknown"),
    ]
    assert order(of_lines([*lines, *heard(["a-1", "a-4"])]), "s").wrong == 0
    assert order(of_lines([*lines, *heard(["a-1", "a-2", "a-4", "a-5"])]), "s").wrong == 0
    assert order(of_lines([*lines, *heard(["a-2", "a-1", "a-4"])]), "s").moved == 1


def test_readers_come_and_go():
    """What was before the first and after the last message heard is no gap; each reader is for itself."""
    lines = [said("a", number) for number in range(1, 8)]
    one, two = heard(["a-3", "a-4", "a-6"]), heard(["a-1", "a-2"], reader="q")
    found = order(of_lines([*lines, *one, *two]), "s")
    assert (found.streams, found.received, found.missing, found.ids) == (2, 5, 1, ("a-5",))


def test_a_reader_whose_books_were_lost_shows_no_gaps():
    """A number missing among the reader's own is the ledger's gap, and it says so; order shows anyway."""
    lines = [*(said("a", number) for number in range(1, 6)), *heard(["a-1", "a-2", "a-4", "a-3"])]
    found = order(of_lines([line for line in lines if line.get("n") != 2]), "s")
    assert (found.missing, found.moved) == (0, 1)
    assert "not all that r received is in the ledger" in found.doubt


def test_windows_choose_by_sending():
    """What went wrong before the fault is not its doing."""
    lines = [
        *(said("a", number) for number in range(1, 9)),
        *heard([f"a-{n}" for n in (2, 1, 3, 5, 7, 6, 8)]),
    ]
    assert orders(of_lines(lines), ["s"])[0].wrong == 3
    (found,) = orders(of_lines(lines), ["s", "gone"], [(5.0, 8.5)])
    assert (found.moved, found.missing) == (1, 0)
