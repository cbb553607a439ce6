"""A fault that was repeated, and what each fault took of the month's budget."""

import pytest

from slo import faults, jsonl, record
from tests.run_folder import START, Outage, rewrite
from tests.slo.conftest import judged, of

RATES = {"matter_read": 30, "invoice_create": 30}
TWICE = (
    ("warmup", 10, None),
    ("steady", 130, None),
    ("fault", 90, "aurora-failover"),
    ("recovered", 40, "aurora-failover"),
    ("fault", 90, "aurora-failover"),
    ("recovered", 130, "aurora-failover"),
)


def _seen(folder, *pairs):
    """The probe's first and last sights, instead of those that are there; None for one it did not have."""
    path = folder / "events.jsonl"
    rewrite(path, lambda line: None if line["kind"] == "probe" else line)
    both = {"kind": "probe", "experiment": "aurora-failover", "probe": "identity", "detail": {}}
    for pair in pairs:
        for edge, t in zip(("first", "last"), pair, strict=True):
            if t is not None:
                jsonl.append(path, {"t": START + t, **both, "edge": edge})
    return folder


def _run(build, *outages, phases=TWICE):
    """Writes fail in the outages."""
    lost = [Outage(start=start, end=end, groups=("write",)) for start, end in outages]
    return build(phases=phases, outages=lost, rates=RATES, ledger=False, metrics=False)


@pytest.fixture(scope="module")
def twice(build):
    """Writes fail for 12 s after 142 and for 20 s after 272."""
    return _seen(_run(build, (142, 154), (272, 292)), (142, 150), (272, 280))


def test_every_repeat_is_timed_by_itself(twice):
    """12 s and 20 s: the longest decides, the median is told."""
    one = of(judged(twice), "failover")
    assert (one.verdict, one.interval) == ("pass", (19.0, 25.0))
    assert one.reason.startswith("2 repeats (2 pass), 19 s at the longest and 15 s in the median")


def test_the_row_of_a_repeated_fault_holds_all_repeats(twice):
    """The worst one's figures, and each one's below."""
    (row,) = judged(twice).recovery
    assert tuple(row["absorption"]) == (19.0, 25.0)
    assert [each["t0"] - START for each in row["repeats"]] == [142, 272]
    assert [each["t2"] - START for each in row["repeats"]] == [154, 292]


def test_one_repeat_that_nobody_saw_is_not_forgiven(build, twice):
    """The second fault did not happen: the run does not pass for the first."""
    half = _seen(_run(build, (142, 154)), (142, 150))
    one = of(judged(half), "failover")
    assert (one.verdict, "1 inconclusive, 1 pass" in one.reason) == ("inconclusive", True)


def test_one_failed_repeat_fails(build):
    """A failure stands though the other repeat was not even seen."""
    one = of(judged(_seen(_run(build, (142, 200)), (142, 150))), "failover")
    assert (one.verdict, one.measured) == ("fail", 57.0)


def test_each_recovered_phase_begins_with_its_own_recovery(twice):
    """The first fault was over at 154, before its recovered phase; the second at 292, before its own too."""
    run = record.read(twice)
    since = {"aurora-failover": (START + 235.0, START + 400.0)}
    assert faults.recovered_windows(run, since) == (
        (START + 235.0, START + 270.0),
        (START + 400.0, START + 490.0),
    )
    single = faults.recovered_windows(run, {"aurora-failover": START + 400.0})
    assert single == ((START + 230.0, START + 270.0), (START + 400.0, START + 490.0))


def test_what_a_fault_took_of_the_month(twice):
    """12 s without 30 writes a second, of 0.1% of a month of 60 requests a second."""
    run = judged(twice)
    (row,) = run.recovery
    first = row["repeats"][0]
    of_api = 12 * RATES["invoice_create"] / (0.001 * sum(RATES.values()) * 30 * 86_400)
    assert first["operations"] == list(RATES) or first["operations"] == tuple(RATES)
    assert first["budget_share"] == pytest.approx(of_api)
    assert "of the 30-day budget" in of(run, "failover").reason


def test_errors_long_after_a_fault_without_impact_are_not_its_own(build):
    """A second of errors 100 s after a fault that nobody felt is not put down to it."""
    phases = (("warmup", 10, None), ("steady", 130, None), ("fault", 160, "aurora-failover"))
    calm = _run(build, (260, 261), phases=phases)
    (row,) = judged(calm).recovery
    assert (row["state"], row["budget_share"]) == ("no-impact", 0.0)
