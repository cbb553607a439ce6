from dataclasses import replace

import numpy as np
import pytest

from detect import calibration, recoveries, simulated
from detect.calibration import Outcome
from detect.recoveries import BUDGET, KINDS, START, Case, Cover
from detect.rows import FALSE_ALARM, MISSED, QUIET, SHOWN

TRUTH = {0.5: 0.0009, 0.99: 0.0035}


def _case(*, inside: bool) -> calibration.Case:
    return calibration.Case(target="p(99)", utilisation=0.5, seconds=130, inside=inside)


def test_one_sample_is_judged_in_every_way() -> None:
    """Five kinds of target, inside and outside."""
    found = list(calibration.sample(0.3, TRUTH, seconds=130, seed=1))
    assert len({(case.target, case.inside) for case, _ in found}) == len(found) == 10
    assert {word for _, word in found} <= {"pass", "fail", "inconclusive"}
    words = dict(found)
    assert {case.inside: word for case, word in words.items() if case.target == "throughput"} == {
        True: "pass",
        False: "fail",
    }


@pytest.mark.parametrize(
    ("inside", "passes", "fails", "result"),
    [(True, 60, 40, FALSE_ALARM), (False, 40, 60, MISSED), (True, 98, 2, QUIET), (False, 11, 89, QUIET)],
)
def test_wrong_only_when_surely_too_often(inside: bool, passes: int, fails: int, result: str) -> None:
    """Eleven of a hundred may be ten in a hundred."""
    outcome = Outcome(case=_case(inside=inside), passes=passes, fails=fails, undecided=0)
    (row,) = simulated.rows_of_verdicts([outcome])
    assert row.result == result
    assert f"{outcome.mistakes} wrong" in row.found


def test_the_truth_of_each_kind() -> None:
    """When the share of failures is back within the budget, for five seconds and for a minute."""
    ends = {"outage": 45.25, "partial": 45.25, "relapse": 75.25, "later": 45.25}
    for kind in KINDS:
        share, over = recoveries.shape(Case(kind=kind, rate=300, length=15.0), 30.25)
        after = int(np.ceil(over))
        assert max(share[after : after + 5].mean(), share[after : after + 60].mean()) <= BUDGET
        assert share[int(over) - 1] > BUDGET
        assert share[:30].max() <= BUDGET
        assert abs(over - ends.get(kind, over)) < 0.05


def test_an_outage_of_known_length_is_found() -> None:
    """Within the second, whenever it began."""
    found = list(recoveries.sights(Case(kind="outage", rate=300, length=15.0), range(6)))
    assert {one.word for one in found} <= {recoveries.COVERED, recoveries.WITHIN, recoveries.LATE}
    assert all(-1 < one.off_s < 10 for one in found)


def test_an_estimator_that_is_early_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that calls every fault over at once would flatter the system."""
    honest = recoveries.analyse

    def flattering(*args, **kwargs):
        return replace(honest(*args, **kwargs), absorption=(0.0, 5.0))

    monkeypatch.setattr(recoveries, "analyse", flattering)
    covers = recoveries.counted(recoveries.sights(Case(kind="outage", rate=300, length=15.0), range(20)))
    assert [row.result for row in simulated.rows_of_recoveries(covers)] == [MISSED]


def test_covers_of_one_kind_are_added_up() -> None:
    """Over all lengths, with the numbers in the row."""
    one = Cover(
        case=Case(kind="outage", rate=30, length=8.0),
        covered=5,
        within=3,
        early=0,
        late=2,
        other=0,
        off_s=1.0,
    )
    (row,) = simulated.rows_of_recoveries([one, one])
    assert "of 20" in row.found
    assert row.result == QUIET
    assert START > 0


def test_work_is_spread_and_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """In processes of its own, none of which is left; begun work is finished."""
    found = simulated.recovered(0.01, seed=1, cores=1)
    assert sum(one.total for one in found) >= simulated.RECOVERIES


@pytest.mark.parametrize(
    ("kind", "rate", "result"), [("gradual", 30, SHOWN), ("gradual", 300, MISSED), ("outage", 30, MISSED)]
)
def test_what_no_window_can_see_is_shown(kind: str, rate: int, result: str) -> None:
    """A few percent of 150 arrivals may be none; a sharp end shows at any rate."""
    one = Cover(
        case=Case(kind=kind, rate=rate, length=8.0),
        covered=5,
        within=0,
        early=95,
        late=0,
        other=0,
        off_s=-9.0,
    )
    (row,) = simulated.rows_of_recoveries([one])
    assert row.result == result
