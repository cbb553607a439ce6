"""A series that was never seen away from its level: is that because nobody looked?"""

import pytest

from tests.slo.fault_kinds import judged, objective, put

TASKS = 'numerator = ["AWS/ECS.RunningTaskCount"]\ndimensions = { ServiceName = "api" }'


def _tasks(run, times, period=5.0):
    points = [(t, 2) for t in times]
    return put(run, "AWS/ECS.RunningTaskCount", points, stat="Minimum", period=period, ServiceName="api")


def _range(*holes, end=300, step=5):
    return [t for t in range(0, end, step) if not any(a <= t < b for a, b in holes)]


@pytest.mark.parametrize(
    ("times", "expr", "verdict"),
    [
        (_range(), "recovery < 60s", "pass"),
        (_range(end=205), "recovery < 60s", "pass"),
        (_range(end=165), "recovery < 60s", "inconclusive"),
        (_range((145, 180)), "recovery < 60s", "inconclusive"),
        (_range((160, 165)), "recovery < 60s", "inconclusive"),
        (_range((210, 250)), "recovery < 60s", "pass"),
        (_range((20, 60)), "recovery < 60s", "pass"),
        (_range(), "recovery < 15m", "inconclusive"),
    ],
)
def test_what_nobody_saw_is_not_taken_for_granted(failover, times, expr, verdict):
    """The first effect is at 142: the values from there on must fill the limit's time."""
    found = judged(_tasks(failover, times), objective("restored", expr, TASKS))
    assert found.verdict == verdict, found.reason
    assert ("nothing shows that it did not move" in found.reason) == (verdict == "inconclusive")


@pytest.mark.parametrize(
    ("expr", "verdict"), [("recovery < 60s", "inconclusive"), ("recovery < 150s", "pass")]
)
def test_a_long_period_that_began_before_shows_nothing(failover, expr, verdict):
    """The value of 130 to 170 may be from before the fault; from 170 on 32 s of a minute are known."""
    wide = _tasks(failover, range(10, 300, 40), period=40.0)
    found = judged(wide, objective("restored", expr, TASKS))
    assert found.verdict == verdict, found.reason
