"""Series that a fault moves, capacity that follows the load, and what a month costs."""

from dataclasses import replace

import numpy as np
import pytest

from tests.run_folder import START
from tests.slo.fault_kinds import judged, objective, put, without_probe

ALL = ((START + 10.0, START + 300.0),)
TASKS = 'numerator = ["AWS/ECS.RunningTaskCount"]\ndimensions = { ServiceName = "api" }'


def _tasks(run, value, service="api"):
    """A value each five seconds, None for none."""
    points = [(t, value(t)) for t in range(0, 300, 5) if value(t) is not None]
    dimensions = {"ClusterName": "lexohub", "ServiceName": service}
    return put(run, "AWS/ECS.RunningTaskCount", points, stat="Minimum", **dimensions)


@pytest.mark.parametrize(
    ("away", "expr", "verdict", "pair"),
    [
        ((140, 150), "recovery < 60s", "pass", (3.0, 8.0)),
        ((140, 200), "recovery < 60s", "pass", (53.0, 58.0)),
        ((140, 205), "recovery < 60s", "inconclusive", (58.0, 63.0)),
        ((140, 215), "recovery < 60s", "fail", (68.0, 73.0)),
        ((140, 300), "recovery < 60s", "fail", None),
        ((140, 300), "recovery < 10m", "inconclusive", None),
        ((0, 0), "recovery < 60s", "pass", (0.0, 5.0)),
    ],
)
def test_how_long_a_task_was_missing(failover, away, expr, verdict, pair):
    """From the first effect at 142 to the last period with one task of two."""
    run = _tasks(failover, lambda t: 1 if away[0] <= t < away[1] else 2)
    run = _tasks(run, lambda t: 0, service="search")
    found = judged(run, objective("restored", expr, TASKS))
    assert (found.verdict, found.interval) == (verdict, pair), found.reason


def test_back_for_a_moment_is_not_back(failover):
    """A task that starts and dies again each ten seconds is back when it stays."""
    one = objective("restored", "recovery < 60s", TASKS)
    assert judged(_tasks(failover, lambda t: 1 if t in (145, 155, 165) else 2), one).interval == (23.0, 28.0)
    assert judged(_tasks(failover, lambda t: 1 if t >= 140 and t % 10 else 2), one).verdict == "fail"


def test_a_gap_is_no_recovery(failover):
    """While nobody says how many tasks run, none of them is back."""
    run = _tasks(failover, lambda t: 1 if t == 145 else None if 150 <= t < 250 else 2)
    found = judged(run, objective("restored", "recovery < 60s", TASKS))
    assert found.interval == (3.0, 108.0)
    assert found.verdict == "inconclusive"


def test_what_is_not_known_is_no_recovery(failover):
    """No level, nothing after the fault, or a fault that was not seen."""
    one = objective("restored", "recovery < 60s", TASKS)
    assert judged(failover, one).verdict == "no-data"
    found = judged(_tasks(failover, lambda t: 2 if t < 140 else None), one)
    assert (found.verdict, "after the fault" in found.reason) == ("no-data", True)
    assert judged(without_probe(_tasks(failover, lambda _: 2)), one).verdict == "inconclusive"


def test_a_level_may_have_a_width(failover):
    """Two or three in the steady phase: one and four are away from it, two and three are not."""
    one = objective("restored", "recovery < 60s", TASKS)
    wide = _tasks(failover, lambda t: {145: 1, 155: 4}.get(t, 2 + t // 5 % 2))
    assert judged(wide, one).interval == (13.0, 18.0)


@pytest.mark.parametrize(("first", "verdict"), [(125, "pass"), (130, "no-data")])
def test_a_level_takes_three_values(failover, first, verdict):
    """The steady phase ends at 140."""
    known = _tasks(failover, lambda t: 2 if t >= first else None)
    assert judged(known, objective("restored", "recovery < 60s", TASKS)).verdict == verdict


def test_one_long_period_is_long_enough(failover):
    """With periods of 20 s one at the level is back, but not the one before it was left."""
    points = [(t, 1 if t == 160 else 2) for t in range(0, 300, 20)]
    run = put(failover, "AWS/ECS.RunningTaskCount", points, stat="Minimum", period=20.0, ServiceName="api")
    assert judged(run, objective("restored", "recovery < 60s", TASKS)).interval == (18.0, 38.0)


def _load(run, rate):
    factor = np.array([rate(t) for t in range(run.counters.seconds)])
    return replace(run, counters=replace(run.counters, planned=run.counters.planned * factor))


def _scaled(clock, expr="recovery < 120s"):
    return objective("scaled", expr, f'operations = ["@api"]\nclock = "{clock}"\n{TASKS}', phase="all")


@pytest.mark.parametrize(
    ("clock", "expr", "verdict", "pair"),
    [
        ("absorption", "recovery < 120s", "pass", (35.0, 45.0)),
        ("absorption", "recovery < 40s", "inconclusive", (35.0, 45.0)),
        ("absorption", "recovery < 30s", "fail", (35.0, 45.0)),
        ("removal", "recovery < 120s", "pass", (65.0, 75.0)),
        ("removal", "recovery < 60s", "fail", (65.0, 75.0)),
    ],
)
def test_capacity_follows_the_load(failover, clock, expr, verdict, pair):
    """Twice the load from 80 to 180; four tasks from 120 to 250."""
    run = _tasks(_load(failover, lambda t: 2 if 80 <= t < 180 else 1), lambda t: 4 if 120 <= t < 250 else 2)
    found = judged(run, _scaled(clock, expr), windows=ALL)
    assert (found.verdict, found.interval) == (verdict, pair), found.reason


def test_capacity_that_never_follows(failover):
    """The watch ends with the step down: 100 s is no pass of 120 s and a failure of 90 s."""
    run = _tasks(_load(failover, lambda t: 2 if 80 <= t < 180 else 1), lambda t: 4 if t >= 200 else 2)
    assert judged(run, _scaled("absorption"), windows=ALL).verdict == "inconclusive"
    assert judged(run, _scaled("absorption", "recovery < 90s"), windows=ALL).verdict == "fail"
    assert judged(run, _scaled("removal"), windows=ALL).verdict == "no-data"


def test_capacity_that_stays_up(failover):
    """Four tasks to the end: 120 s after the load fell they are still there."""
    run = _tasks(
        _load(failover, lambda t: 2 if 80 <= t < 180 else 1), lambda t: 4 if t >= 120 and t != 200 else 2
    )
    assert judged(run, _scaled("removal", "recovery < 100s"), windows=ALL).verdict == "fail"


def test_scaling_without_a_step_is_no_question(failover):
    """An even load, and a load that only rises."""
    run = _tasks(failover, lambda t: 4 if 120 <= t < 250 else 2)
    found = judged(run, _scaled("absorption"), windows=ALL)
    assert (found.verdict, "never rose" in found.reason) == ("no-data", True)
    rising = _load(run, lambda t: 2 if t >= 80 else 1)
    assert "never fell" in judged(rising, _scaled("removal"), windows=ALL).reason


def _cost(expr, prices):
    return objective("cost", expr, f'operations = ["@search"]\nprices = {{ {prices} }}', phase="steady")


def test_a_month_at_unit_prices(failover):
    """105 searches a second round the clock: 272,160,000 a month."""
    found = judged(failover, _cost("value < 400", "request = 0.000001, month = 13"))
    assert found.measured == pytest.approx(272.16 + 13)
    assert found.verdict == "pass"
    assert "272,160,000 a month x (1e-06) + 13 = 285.16" in found.reason
    assert judged(failover, _cost("value < 285", "request = 0.000001, month = 13")).verdict == "fail"


def test_time_is_paid_by_memory(failover):
    """Log-normal around 8 ms with sigma 0.6: 9.58 ms on average, at half a gigabyte."""
    each = 0.008 * 2.718281828 ** (0.6**2 / 2)
    one = _cost("value < 100", "gb_second = 0.0000166667, memory_gb = 0.5, requests_per_month = 1000000")
    found = judged(failover, one)
    assert found.measured == pytest.approx(1_000_000 * each * 0.5 * 0.0000166667, rel=0.02)
    assert "1,000,000 a month" in found.reason


def test_prices_that_nobody_understands(failover):
    """An unknown name, or half of a pair, is not silently free."""
    with pytest.raises(ValueError, match="prices names minute"):
        judged(failover, _cost("value < 1", "minute = 1"))
    with pytest.raises(ValueError, match="expected both"):
        judged(failover, _cost("value < 1", "gb_second = 1"))


def test_a_month_of_nothing_has_no_price(failover, tmp_path):
    """No requests, or no service time where it is to be paid."""
    nothing = ((START + 1000.0, START + 1010.0),)
    assert judged(failover, _cost("value < 1", "request = 1"), windows=nothing).verdict == "no-data"
    timed = _cost("value < 1", "gb_second = 1, memory_gb = 1")
    assert judged(replace(failover, folder=tmp_path), timed).verdict == "no-data"


def test_a_negative_series_is_not_measured(failover):
    """CloudWatch says -1 for the lag of a replica that does not replicate: no pass of `max < 1s`."""
    run = put(failover, "Gameday/Database.ReplicaLag", [(t, -1.0) for t in range(0, 300, 5)])
    lag = objective("metric", "max < 1s", 'numerator = ["Gameday/Database.ReplicaLag"]', phase="steady")
    found = judged(run, lag)
    assert (found.verdict, "negative" in found.reason) == ("no-data", True)
