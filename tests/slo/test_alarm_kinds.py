"""Alarms under a fault and without one; the probe sees the fault at 142, the load ends at 300."""

from dataclasses import replace

import pytest

from slo.errors import ConfigError
from tests.slo.fault_kinds import judged, objective, put, without_probe

NAME = 'dimensions = { AlarmName = "impact" }'
FELT = f'{NAME}\nagainst = "errors"\noperations = ["@api"]'


def _states(run, *changes, name="impact"):
    return put(run, "Gameday.AlarmState", changes, period=0, AlarmName=name)


def _inputs(run, own, elsewhere):
    for series, value in (("AlarmInput", own), ("AlarmInputElsewhere", elsewhere)):
        if value is not None:
            run = put(run, f"Gameday.{series}", [(0, value)], period=0, AlarmName="impact")
    return run


@pytest.mark.parametrize(
    ("changes", "expr", "verdict", "said"),
    [
        ([(0, 0), (150, 1), (170, 0)], "max < 60s", "pass", "in ALARM 8 s after it began"),
        ([(0, 0), (150, 1), (170, 0)], "max < 5s", "fail", "in ALARM 8 s"),
        ([(0, 0)], "max < 60s", "fail", "did not go to ALARM in the 2.63 min"),
        ([(0, 0)], "max < 15m", "inconclusive", "did not go to ALARM"),
        ([(0, 1)], "max < 60s", "inconclusive", "in ALARM already"),
        ([(0, -1), (150, 1), (170, 0)], "max < 60s", "pass", "OK again 20 s later"),
        ([(0, 0), (150, 1)], "max < 60s", "fail", "not OK again"),
        ([(0, 0), (150, 1)], "max < 10m", "inconclusive", "not OK again"),
        ([(0, 0), (150, 1), (170, -1)], "max < 60s", "fail", "not OK again"),
        ([(0, 0), (150, 1), (160, 0), (165, 1), (290, 0)], "max < 60s", "pass", "OK again 2.33 min later"),
        ([(0, 0), (100, 1), (110, 0)], "max < 60s", "fail", "did not go to ALARM"),
        ([], "max < 60s", "no-data", "no state of alarm impact"),
    ],
)
def test_an_alarm_rings_and_is_quiet_again(failover, changes, expr, verdict, said):
    """ALARM within the limit of the first effect and OK at the end, else what is missing."""
    found = judged(_states(failover, *changes), objective("alarm", expr, FELT))
    assert (found.verdict, said in found.reason) == (verdict, True), found.reason


def test_the_silence_of_another_alarm_says_nothing(failover):
    """Only the alarm that the dimensions name is looked at."""
    other = _states(failover, (0, 0), (150, 1), (170, 0), name="other")
    assert judged(other, objective("alarm", "max < 60s", FELT)).verdict == "no-data"


def test_an_alarm_is_not_asked_for_what_nobody_felt(failover):
    """A fault without impact puts no alarm to the test; without `against` it does."""
    well = replace(failover.counters, ok=failover.counters.intended, bad={})
    calm = _states(replace(failover, counters=well), (0, 0))
    assert judged(calm, objective("alarm", "max < 60s", FELT)).verdict == "inconclusive"
    assert judged(calm, objective("alarm", "max < 60s", NAME)).verdict == "fail"


def test_a_fault_that_no_probe_saw_rings_no_alarm(failover):
    """Not observed is neither pass nor fail."""
    unseen = without_probe(_states(failover, (0, 0), (150, 1), (170, 0)))
    found = judged(unseen, objective("alarm", "max < 60s", FELT))
    assert (found.verdict, "fault not observed" in found.reason) == ("inconclusive", True)


@pytest.mark.parametrize(
    ("own", "elsewhere", "verdict"),
    [(0, 40, "fail"), (3, 40, "inconclusive"), (0, 0, "inconclusive"), (None, 0, "inconclusive")],
)
def test_an_alarm_on_a_metric_that_nobody_publishes_is_found(failover, own, elsewhere, verdict):
    """Long before its periods are over: all values came with other dimensions."""
    found = judged(_inputs(_states(failover, (0, -1)), own, elsewhere), objective("alarm", "max < 15m", FELT))
    assert found.verdict == verdict
    assert ("can never ring" in found.reason) == (verdict == "fail")


def test_an_alarm_that_rings_is_not_blind(failover):
    """What it got elsewhere is nobody's business once it rang."""
    rung = _inputs(_states(failover, (0, -1), (150, 1), (170, 0)), 0, 9)
    assert judged(rung, objective("alarm", "max < 15m", FELT)).verdict == "pass"


def test_an_alarm_asked_to_be_late_is_no_question():
    """`max > 60s` would pass an alarm that never came in time."""
    with pytest.raises(ConfigError, match="small values are good here"):
        objective("alarm", "max > 60s", FELT)


@pytest.mark.parametrize(
    ("changes", "verdict", "measured"),
    [
        ([(0, 0)], "pass", 0),
        ([(0, 1), (5, 0)], "pass", 0),
        ([(0, 1)], "fail", 1),
        ([(0, 0), (50, 1), (60, 0), (70, 1)], "fail", 2),
        ([(0, 0), (150, 1)], "pass", 0),
        ([(0, -1)], "no-data", None),
        ([(0, -1), (50, 0)], "pass", 0),
        ([(20, 0)], "no-data", None),
        ([], "no-data", None),
    ],
)
def test_an_alarm_is_quiet_while_nothing_is_wrong(failover, changes, verdict, measured):
    """Times in ALARM during the steady phase; one that sees nothing is not quiet but blind."""
    one = objective("alarm_quiet", "count == 0", NAME, phase="steady")
    found = judged(_states(failover, *changes), one)
    assert (found.verdict, found.measured) == (verdict, measured)


def test_a_phase_that_was_not_there_was_not_quiet(failover):
    """No window, no verdict."""
    one = objective("alarm_quiet", "count == 0", NAME, phase="steady")
    assert judged(_states(failover, (0, 0)), one, windows=()).verdict == "no-data"


def test_an_alarm_without_a_name_is_refused(failover):
    """The kind raises, which the judge turns into no data."""
    one = replace(objective("alarm", "max < 60s", NAME), dimensions=())
    with pytest.raises(ValueError, match="names no alarm"):
        judged(failover, one)


def test_the_clock_of_an_alarm_is_the_probes(failover):
    """The first effect was at 142; an alarm of 141.9 rang for something else."""
    early = _states(failover, (0, 0), (141.9, 1), (170, 0))
    assert "in ALARM already" in judged(early, objective("alarm", "max < 60s", FELT)).reason


def _down_to_the_end(run):
    """Writes fail from 142 on and never work again."""
    ok = run.counters.ok.copy()
    rows = [run.counters.operations.index(slug) for slug in ("matter_update", "invoice_create")]
    ok[rows, 142:] = 0
    return replace(run, counters=replace(run.counters, ok=ok))


def test_a_fault_that_goes_on_is_felt(failover):
    """It is over nowhere in the record, and an alarm that is silent all the while fails."""
    down = _down_to_the_end(failover)
    one = objective("alarm", "max < 60s", FELT)
    assert judged(_states(down, (0, 0)), one).verdict == "fail"
    ringing = judged(_states(down, (0, 0), (150, 1)), one)
    assert (ringing.verdict, "nothing shows that the fault was over" in ringing.reason) == (
        "inconclusive",
        True,
    )


def test_whether_a_fault_was_felt_may_not_be_known(failover, tmp_path):
    """Nothing shows how arrivals cluster: silence is no failure, and an alarm in time passes."""
    blind = replace(failover, folder=tmp_path)
    one = objective("alarm", "max < 60s", FELT)
    found = judged(_states(blind, (0, 0)), one)
    assert (found.verdict, "too few or too clustered" in found.reason) == ("inconclusive", True)
    assert judged(_states(blind, (0, 0), (150, 1), (170, 0)), one).verdict == "pass"
