import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slo.ledger import of_lines
from slo.ledger.queues import queue, queues
from tests.slo.ledger_lines import back, read, write

FATES = {  # deliveries, copies in the dead-letter queue
    "delivered": (1, 0),
    "dead": (0, 1),
    "delivered and dead": (1, 1),
    "twice": (2, 0),
    "dead twice": (0, 2),
    "nowhere": (0, 0),
}
TWICE = {"twice", "dead twice"}


@given(
    st.lists(st.tuples(st.sampled_from(["ok", "unknown"]), st.sampled_from(sorted(FATES)))), st.integers(0, 3)
)
@settings(max_examples=80, deadline=None)
def test_what_was_planted_is_counted_exactly(messages, strangers):
    """Lost is acknowledged and nowhere; a dead letter is somewhere; unknown ones may be nowhere."""
    lines = []
    for place, (outcome, fate) in enumerate(messages):
        count, dead = FATES[fate]
        lines.append(write(str(place), outcome))
        lines += [read(str(place), count, dead=dead)] if count or dead else []
    lines += [read(f"stranger {number}") for number in range(strangers)]
    found = queue(of_lines([*lines, back(drained=True)]), "s")
    assert found.lost == sum(message == ("ok", "nowhere") for message in messages)
    assert found.duplicated == sum(fate in TWICE for _, fate in messages)
    assert found.unexpected == strangers
    assert found.recovered == sum(outcome == "unknown" and fate != "nowhere" for outcome, fate in messages)
    assert found.dead == sum(FATES[fate][1] > 0 for _, fate in messages)
    assert found.delivered == sum(FATES[fate][0] > 0 for _, fate in messages)
    assert not found.doubt


@pytest.mark.parametrize(
    ("word", "doubt"),
    [
        ([], "the read-back is incomplete"),
        ([back()], "does not say that the queue was drained"),
        ([back(drained=False)], "was not drained"),
        ([back(drained=True, complete=False, reason="HTTP 500")], "HTTP 500"),
    ],
)
def test_what_may_still_come_is_not_lost(word, doubt):
    """Only a drained queue that was read completely is silent for good; what came twice came twice."""
    found = queue(of_lines([write("a"), write("b"), read("b", 2), *word]), "s")
    assert (found.lost, found.lost_ids, found.duplicated) == (0, (), 1)
    assert doubt in found.doubt


def test_a_waiting_message_is_not_delivered():
    """A state tells that it was accepted; that is not enough once the queue is drained."""
    found = queue(of_lines([write("a"), read("a", 0, state="queued"), back(drained=True)]), "s")
    assert found.lost_ids == ("a",)


def test_windows_choose_by_sending():
    """Strangers belong to no window and count in each."""
    lines = [*(write(str(t), t=float(t)) for t in range(6)), read("x"), read("3", 2), back(drained=True)]
    (found,) = queues(of_lines(lines), ["s", "gone"], [(2.0, 5.0)])
    assert (found.ok, found.lost_ids, found.duplicated_ids, found.unexpected) == (3, ("2", "4"), ("3",), 1)
