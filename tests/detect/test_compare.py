import pytest

from detect import compare
from detect.rows import AS_ARGUED, CAUGHT, FALSE_ALARM, MISSED, QUIET, wrong
from detect.runs import Run
from tests.detect.made import made, run, verdict

SETUP = made()
ONE, TWO, UNSEEN, TWINS = SETUP.groups


def _results(group, found: Run) -> dict[str, str]:
    return {row.what: row.result for row in compare.of_group(group, SETUP, found)}


def test_a_defect_is_caught_by_the_objective_named_beforehand() -> None:
    """By its failure, and by nothing else."""
    found = _results(ONE, run(code=1, no_lost_write="fail", latency_p99="fail", uptime="pass"))
    assert found == {"lost-write": CAUGHT, "slow-tail": CAUGHT}


@pytest.mark.parametrize("word", ["pass", "inconclusive", "no-data", "invalid"])
def test_any_other_word_is_a_miss(word: str) -> None:
    """Even one that would keep the run from passing."""
    assert _results(ONE, run(no_lost_write=word, latency_p99="fail"))["lost-write"] == MISSED


def test_an_objective_that_is_not_judged_catches_nothing() -> None:
    """The row says that the plan does not drive it."""
    (row, _) = compare.of_group(ONE, SETUP, run(code=1, latency_p99="fail"))
    assert (row.result, row.found) == (MISSED, "the plan does not drive it")


def test_a_failure_of_another_objective_does_not_catch_the_defect() -> None:
    """It is a false alarm as well as a miss."""
    found = _results(TWO, run(code=1, error_rate="pass", isolation="fail"))
    assert found == {"errors": MISSED, "isolation fails as well": FALSE_ALARM}


def test_what_a_defect_explains_is_no_false_alarm() -> None:
    """In its own run; in another one it is."""
    assert _results(TWO, run(error_rate="fail", uptime="fail")) == {
        "errors": CAUGHT,
        "uptime fails as well": AS_ARGUED,
    }
    alarms = _results(ONE, run(no_lost_write="fail", latency_p99="fail", uptime="fail"))
    assert alarms["uptime fails as well"] == FALSE_ALARM


def test_the_worst_of_several_faults_counts() -> None:
    """An objective that is judged twice fails when one of them does."""
    found = run(code=1, first=verdict("error-rate", "pass"), second=verdict("error-rate", "fail"))
    assert _results(TWO, found) == {"errors": CAUGHT}


@pytest.mark.parametrize(
    ("code", "word", "reason", "result"),
    [
        (3, "inconclusive", "fault not observed: no probe saw it begin", CAUGHT),
        (0, "inconclusive", "fault not observed: no probe saw it begin", MISSED),
        (3, "inconclusive", "only 3 arrivals", MISSED),
        (3, "no-data", "fault not observed", MISSED),
        (0, "pass", "no impact", MISSED),
    ],
)
def test_a_suppressed_fault_must_be_noticed(code: int, word: str, reason: str, result: str) -> None:
    """Inconclusive, for the right reason, and with exit 3."""
    found = run(code=code, failover=verdict("failover", word, reason=reason))
    assert _results(UNSEEN, found) == {"suppressed-fault": result}


ACTED = {"slow-tail": 180, "errors": 1}


def test_twins_must_pass() -> None:
    """Failing and not knowing are both wrong."""
    found = _results(TWINS, run(effects=ACTED, latency_p99="pass", error_rate="inconclusive"))
    assert found == {"slow-tail/twin": QUIET, "errors/twin": FALSE_ALARM}
    failed = run(effects=ACTED, latency_p99="fail", error_rate="pass")
    assert _results(TWINS, failed)["slow-tail/twin"] == FALSE_ALARM


def test_a_twin_without_effect_is_a_miss() -> None:
    """Its pass is a healthy system's; another twin's effect is none of its own, and a failure stays one."""
    found = run(effects={"slow-tail": 0, "errors": 4}, latency_p99="pass", error_rate="pass")
    assert _results(TWINS, found) == {"slow-tail/twin": MISSED, "errors/twin": QUIET}
    row, _ = compare.of_group(TWINS, SETUP, found)
    assert compare.WITHOUT_EFFECT in row.found
    assert _results(TWINS, run(latency_p99="fail", error_rate="pass")) == {
        "slow-tail/twin": FALSE_ALARM,
        "errors/twin": MISSED,
    }


def test_a_twin_stands_beside_what_clean_runs_measured() -> None:
    """With how often it acted; where there are no clean runs, alone."""
    found = run(effects=ACTED, p99=verdict("latency-p99", "pass", measured="40 ms"), error_rate="pass")
    row, _ = compare.of_group(TWINS, SETUP, found, {"latency-p99": ["20 ms", "22 ms"]})
    assert row.found == "acted 180 times; measured 40 ms, clean runs 20 ms 22 ms; pass: because"
    row, _ = compare.of_group(TWINS, SETUP, found)
    assert row.found == "acted 180 times; measured 40 ms; pass: because"


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (run(code=130, state="cut-short", no_lost_write="fail", latency_p99="fail"), "cut-short"),
        (run(code=4, valid=False, no_lost_write="fail", latency_p99="fail"), "the generator was late"),
        (Run(code=5, folder=None, verdicts=None, why="no region"), "no region"),
    ],
)
def test_a_run_that_is_not_whole_catches_nothing(found: Run, says: str) -> None:
    """However its objectives came out."""
    rows = compare.of_group(ONE, SETUP, found)
    assert [row.result for row in rows] == [MISSED, MISSED]
    assert says in rows[0].found
    assert wrong(compare.of_clean("clean", "clean-1", found))


def test_a_clean_run_is_quiet_without_a_fail() -> None:
    """What is undecided is said; what fails is a false alarm each."""
    (row,) = compare.of_clean("clean", "c", run(error_rate="pass", latency_regression="no-data"))
    assert (row.result, row.found) == (QUIET, "1 of 2 pass; undecided: latency-regression")
    rows = compare.of_clean("clean", "c", run(error_rate="fail", uptime="fail", isolation="pass"))
    assert [row.result for row in rows] == [FALSE_ALARM, FALSE_ALARM]
