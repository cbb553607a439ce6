"""A fault that was repeated, and what each fault took of the month's budget."""

import pytest

from slo import faults, jsonl, record
from tests.run_folder import RATES, START, Outage, rewrite
from tests.slo.conftest import judged, of

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


@pytest.fixture(scope="module")
def twice(build):
    """Writes fail for 12 s after 142 and for 20 s after 272."""
    outages = [Outage(start=142, end=154, groups=("write",)), Outage(start=272, end=292, groups=("write",))]
    return _seen(build(phases=TWICE, outages=outages), (142, 150), (272, 280))


def test_every_repeat_is_timed_by_itself(twice):
    """12 s and 20 s: the longest decides, the median is told."""
    one = of(judged(twice), "failover")
    assert (one.verdict, one.interval) == ("pass", (20.0, 25.0))
    assert one.reason.startswith("2 repeats (2 pass), 20 s at the longest and 16 s in the median")


def test_the_row_of_a_repeated_fault_holds_all_repeats(twice):
    """The worst one's figures, and each one's below."""
    (row,) = judged(twice).recovery
    assert row["absorption"] == [20.0, 25.0] or row["absorption"] == (20.0, 25.0)
    assert [each["t0"] - START for each in row["repeats"]] == [142, 272]
    assert [each["t2"] - START for each in row["repeats"]] == [154, 292]


def test_one_repeat_that_nobody_saw_is_not_forgiven(build, twice):
    """The second fault did not happen: the run does not pass for the first."""
    outages = [Outage(start=142, end=154, groups=("write",))]
    half = _seen(build(phases=TWICE, outages=outages), (142, 150))
    one = of(judged(half), "failover")
    assert (one.verdict, "1 inconclusive, 1 pass" in one.reason) == ("inconclusive", True)


def test_one_failed_repeat_fails(build):
    """A failure stands though the other repeat was not even seen."""
    outages = [Outage(start=142, end=200, groups=("write",))]
    one = of(judged(_seen(build(phases=TWICE, outages=outages), (142, 150))), "failover")
    assert (one.verdict, one.measured) == ("fail", 58.0)


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
    """12 s without 30 writes a second, of 0.1% of a month's writes."""
    run = judged(twice)
    (row,) = run.recovery
    first = row["repeats"][0]
    rate = sum(RATES[slug] for slug in RATES if slug != "static_app_js")
    writes = RATES["matter_update"] + RATES["invoice_create"]
    of_api = 12 * writes / (0.001 * rate * 30 * 86_400)
    of_writes = 12 / (0.001 * 30 * 86_400)
    assert first["budget_share"] == pytest.approx(of_api if len(first["operations"]) > 2 else of_writes)
    assert "of the 30-day budget" in of(run, "failover").reason


def test_errors_long_after_a_fault_without_impact_are_not_its_own(build):
    """A second of errors 100 s after a fault that nobody felt is not put down to it."""
    calm = build(
        phases=(("warmup", 10, None), ("steady", 130, None), ("fault", 160, "aurora-failover")),
        outages=[Outage(start=260, end=261, groups=("write",))],
    )
    (row,) = judged(calm).recovery
    assert (row["state"], row["budget_share"]) == ("no-impact", 0.0)
