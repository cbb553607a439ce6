"""Errors of each operation alone: `each = true`."""

import dataclasses

import pytest

from slo import record
from slo.kind import kinds
from slo.objective import Objective, loads
from slo.scope import Scope
from tests.run_folder import START, Outage, Plan, write

STEADY = ((START + 10.0, START + 140.0),)
RATES = {"matter_read": 90, "search": 100, "matter_update": 10, "pdf_request": 2}
PHASES = (("warmup", 10, None), ("steady", 130, None))


def _objective(expr: str = "rate < 5%", each: str = "true", operations: str = '"@user"') -> Objective:
    (one,) = loads(
        f'[[objective]]\nid = "one"\nsli = "errors"\nphase = "steady"\noperations = [{operations}]\n'
        f'expr = "{expr}"\neach = {each}\nbasis = "documented"\n'
        'source = { file = "f", heading = "h", quote = "q" }',
        "x",
    )
    return one


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Run folders of the steady phase alone; keywords as in `Plan`."""

    def make(**fields):
        plan = Plan(**{"phases": PHASES, "rates": RATES, "ledger": False, "metrics": False, **fields})
        return record.read(write(tmp_path_factory.mktemp("run") / "run", plan))

    return make


def _judge(source, objective=None, windows=STEADY):
    return kinds()["errors"].judge(objective or _objective(), Scope(record=source, windows=windows))


def test_errors_in_a_rare_operation_are_not_drowned(run):
    """Half of 2/s fail: 0.5% of all arrivals, which pass together; alone it is the worst and fails."""
    source = run(outages=[Outage(start=0, end=140, groups=("pdf",), share=0.5)])
    assert _judge(source, _objective(each="false")).verdict == "pass"
    found = _judge(source)
    assert (found.verdict, found.k, found.n) == ("fail", 130, 260)
    assert found.measured == 0.5
    assert found.reason.startswith("worst of 4 operations is pdf_request: 130 bad of 260 (50%), surely above")


def test_all_well(run):
    """Every operation passes, so all of them do; the worst is the one that is known least about."""
    found = _judge(run())
    assert found.verdict == "pass"
    assert found.reason.startswith("worst of 4 operations is pdf_request: 0 bad of 260")


def test_several_failures_are_named(run):
    """The worst first, the others behind it."""
    source = run(
        outages=[
            Outage(start=0, end=140, groups=("pdf",), share=0.5),
            Outage(start=0, end=140, groups=("search",), share=0.2),
        ]
    )
    found = _judge(source)
    assert "worst of 4 operations is pdf_request" in found.reason
    assert found.reason.endswith("; search failed too")


def test_too_few_arrivals_are_said_and_do_not_pass(run):
    """Forty seconds of 1/s: even without a bad one nobody knows, and nobody is told that all is well."""
    found = _judge(run(rates={**RATES, "pdf_request": 1}), windows=((START + 10.0, START + 50.0),))
    assert found.verdict == "inconclusive"
    assert "fewer than 59 arrivals, too few to pass: pdf_request (40)" in found.reason
    assert found.minutes_needed > 0


def test_the_samples_asked_for_are_asked_of_each_operation(run):
    """260 would be enough for 5%; the objective wants 500 of everything."""
    found = _judge(run(), dataclasses.replace(_objective(), min_samples=500))
    assert found.verdict == "inconclusive"
    assert "fewer than 500 arrivals, too few to pass: pdf_request (260)" in found.reason
    assert found.minutes_needed == pytest.approx(130 / 60 * (500 / 260 - 1), rel=0.01)


def test_too_few_arrivals_do_not_hide_a_failure(run):
    """What surely fails, fails, whatever is not known about the rest."""
    source = run(
        rates={**RATES, "pdf_request": 1},
        outages=[Outage(start=0, end=140, groups=("search",), share=0.5)],
    )
    found = _judge(source, windows=((START + 10.0, START + 50.0),))
    assert found.verdict == "fail"
    assert "is search: " in found.reason
    assert "too few to pass: pdf_request (40)" in found.reason


def test_an_operation_that_stopped_is_not_passed_over(run):
    """Sent in the run, but not once in the phase: open, not well."""
    source = run()
    row = source.counters.operations.index("pdf_request")
    late = source.counters.within(START + 10.0, START + 140.0)
    for counts in (source.counters.planned, source.counters.intended, source.counters.ok):
        counts[row, late] = 0
    found = _judge(source)
    assert found.verdict == "inconclusive"
    assert "too few to pass: pdf_request (0)" in found.reason


def test_an_operation_that_never_came_is_not_passed_over(run):
    """In a flow of the mix, and nowhere in the counters."""
    source = run(manifest={"flows": {"browse": {"weight": 1, "operations": [*RATES, "matter_list"]}}},
                 rates={**RATES, "matter_list": 0})  # fmt: skip
    found = _judge(source)
    assert found.verdict == "inconclusive"
    assert "too few to pass: matter_list (0)" in found.reason


def test_an_operation_that_the_plan_leaves_out_is_none(run):
    """Never meant to be sent, so there is nothing to judge about it."""
    source = run(rates={"matter_read": 90, "search": 100})
    found = _judge(source, _objective(operations='"matter_read", "search", "pdf_request"'))
    assert found.verdict == "pass"
    assert "worst of 2 operations" in found.reason
    nothing = _judge(source, _objective(operations='"pdf_request"'))
    assert (nothing.verdict, nothing.reason) == ("no-data", "no arrivals of pdf_request")


def test_one_of_many_does_not_fail_by_chance(run):
    """20 bad of 260 are too many for one operation, and what one of four may show by chance."""
    spread = [Outage(start=t, end=t + 1, groups=("pdf",), share=0.5) for t in range(12, 132, 6)]
    source = run(outages=spread)
    alone = _judge(source, _objective(operations='"pdf_request"'))
    assert (alone.verdict, alone.k, alone.n, alone.deff) == ("fail", 20, 260, 1.0)
    found = _judge(source)
    assert (found.verdict, found.k) == ("inconclusive", 20)
    assert "as sure as 4 looks at once can be" in found.reason
    assert found.interval[0] < alone.interval[0]
    assert 0 < found.minutes_needed < 60
