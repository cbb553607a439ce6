"""When queues are drained: all of them, and not for a moment."""

import pytest

from slo.sli.recovery import drained_at
from tests.run_folder import START
from tests.slo.fault_kinds import put

NAMES = ("AWS/SQS.ApproximateNumberOfMessagesVisible",)


def _drained(run, depth, *, name="lexohub-batch", since=150):
    """When, from the start of the load on, with a second queue of this depth; None where it has no value."""
    points = [(t, depth(t)) for t in range(0, 300, 5) if depth(t) is not None]
    found = drained_at(put(run, NAMES[0], points, QueueName=name), NAMES, START + since)
    return None if found is None else found - START


@pytest.mark.parametrize(
    ("depth", "drained"),
    [
        (lambda t: 0, 150),
        (lambda t: 40 if 140 <= t < 260 else 0, 265),
        (lambda t: 40 if 140 <= t < 260 and t != 200 else 0, 265),
        (lambda t: None if t in (155, 160) else 40 if 140 <= t < 260 else 0, 265),
        (lambda t: 0 if t < 140 else None, None),
        (lambda t: 40 if 140 <= t < 295 else 0, None),
        (lambda t: 40 if 140 <= t < 290 else 0, 295),
        (lambda t: 7 if t in (20, 160) else 0, 150),
        (lambda t: None if t == 60 else 0, 150),
        (lambda t: None if t < 140 else 40 if t < 200 else 0, 205),
    ],
)
def test_a_queue_that_says_nothing_is_not_empty(failover, depth, drained):
    """The other queue is empty all the time; both must say so, twice in a row."""
    assert _drained(failover, depth) == drained


def test_dead_letters_do_not_drain(failover):
    """What lies there stays there, and is looked at elsewhere."""
    assert _drained(failover, lambda t: 40 if t >= 140 else 0, name="lexohub-batch-dlq") == 150
