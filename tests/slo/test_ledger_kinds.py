import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slo.kind import kinds
from slo.ledger import of_lines
from slo.ledger.survival import survival
from slo.objective import loads
from slo.scope import Scope
from tests.run_folder import START
from tests.slo.ledger_lines import back, held, read, received, write

ALL = ((float(START), START + 300.0),)
T0 = START + 142.0
TABLE = """
[[objective]]
id = "{id}"
sli = "{sli}"
phase = "{phase}"
expr = "{expr}"
basis = "documented"
source = {{ file = "f", heading = "h", quote = "q" }}
{more}
"""


def objective(sli, expr="count == 0", phase="all", more='sets = ["s"]'):
    other = TABLE.format(
        id="e", sli="errors", phase="steady", expr="rate < 0.1%", more='operations = ["@api"]'
    )
    return loads(TABLE.format(id="one", sli=sli, phase=phase, expr=expr, more=more) + other, "x")[0]


def judged(record, one, lines=(), windows=ALL):
    record = dataclasses.replace(record, ledger=of_lines(lines)) if lines else record
    experiment = record.manifest.experiments[0] if one.phase == "fault" else None
    return kinds()[one.sli].judge(one, Scope(record=record, windows=windows, experiment=experiment))


GOOD = {
    "lost_writes": [write("a"), read("a"), back()],
    "duplicated_writes": [write("a"), read("a"), back()],
    "jobs_completed": [write("a"), read("a"), back()],
    "undelivered": [write("a"), read("a"), back(drained=True)],
    "redelivered": [write("a"), read("a"), back(drained=True)],
    "lost_updates": [write("a", key="k"), held("k", last="a"), back(keys=1)],
    "out_of_order": [write("a", session="w"), received("a", 1)],
}
BROKEN = {
    "lost_writes": [write("b")],
    "duplicated_writes": [read("a")],
    "jobs_completed": [write("b"), read("b", 0, state="queued")],
    "undelivered": [write("b")],
    "redelivered": [read("a")],
    "lost_updates": [write("b", key="k", t=9.0)],
    "out_of_order": [received("a", 2)],
}


@pytest.mark.parametrize("sli", sorted(GOOD))
def test_one_is_too_many(failover, sli):
    """A sound ledger passes, one fault of the kind fails, also where more samples were asked for."""
    found = judged(failover, objective(sli), GOOD[sli])
    assert (found.verdict, found.k, found.n) == ("pass", 0, 1)
    assert "(" not in found.reason
    for more in ('sets = ["s"]', 'sets = ["s"]\nmin_samples = 100'):
        found = judged(failover, objective(sli, more=more), [*BROKEN[sli], *GOOD[sli]])
        assert (found.verdict, found.k) == ("fail", 1)
        assert kinds()[sli].SHAPE.integrity is (sli != "jobs_completed")


@pytest.mark.parametrize("sli", sorted(GOOD))
def test_silence_is_no_data(failover, sli):
    """Nothing written, too little written, and nothing read back."""
    assert judged(failover, objective(sli), [write("a") | {"set": "other"}]).verdict == "no-data"
    few = objective(sli, more='sets = ["s"]\nmin_samples = 2')
    assert judged(failover, few, GOOD[sli]).verdict == "no-data"
    if sli != "out_of_order":
        unread = [line for line in GOOD[sli] if line["kind"] != "readback"]
        assert judged(failover, objective(sli), unread).verdict == "no-data"
        cut = judged(failover, objective(sli), [*unread, back(complete=False, reason="HTTP 500")])
        assert cut.verdict == "no-data"
        assert "HTTP 500" in cut.reason


@pytest.mark.parametrize(
    ("word", "verdict"),
    [
        ([], "pass"),
        ([back()], "pass"),
        ([back(complete=False)], "no-data"),
        ([back(complete=False, reason="HTTP 500")], "no-data"),
        ([back(read=3)], "no-data"),
    ],
)
def test_order_needs_no_read_back_but_a_whole_one(failover, word, verdict):
    """What readers received is their own account; where it was read back, all of it must have been."""
    one = objective("out_of_order")
    assert judged(failover, one, [*GOOD["out_of_order"], *word]).verdict == verdict
    broken = [*GOOD["out_of_order"], *BROKEN["out_of_order"], *word]
    assert judged(failover, one, broken).verdict == "fail"


@pytest.mark.parametrize(
    ("sli", "more"),
    [
        ("duplicated_writes", [read("b", 2), write("b"), read("x"), read("y")]),
        ("redelivered", [read("b", 2), write("b"), read("x"), read("y")]),
        ("lost_updates", [write("b", key="k", t=9.0), held("l", last="x"), write("c", key="l")]),
    ],
)
def test_what_is_wrong_in_two_ways_adds_up(failover, sli, more):
    """Doubled or lost, and from nowhere."""
    lines = [line for line in GOOD[sli] if line["kind"] != "readback"]
    found = judged(failover, objective(sli), [*lines, *more, back(drained=True, keys=2)])
    assert (found.verdict, found.k) == ("fail", 2 if sli == "lost_updates" else 3)


def test_lost_writes_are_dated(failover):
    """When the first and the last of them was acknowledged, and some of their ids."""
    lines = [*(write(key, t=t) for key, t in (("d", 9.0), ("b", 7.0), ("c", 61.25), ("a", 8.0))), back()]
    assert (
        "4 of 4 acknowledged writes are lost, acknowledged between 1970-01-01 00:00:07.500 and "
        "1970-01-01 00:01:01.750 UTC (a, b, c ...), asked for"
    ) in judged(failover, objective("lost_writes"), lines).reason


def test_a_queue_that_is_not_drained_fails_only_by_what_it_shows(failover):
    """What is missing may still come; what came twice came twice."""
    lines = [write("a"), write("b"), read("b", 2), back(drained=False)]
    assert judged(failover, objective("undelivered"), lines).verdict == "no-data"
    assert judged(failover, objective("redelivered"), lines).verdict == "fail"


@pytest.mark.parametrize(
    ("sli", "classes", "others"),
    [
        ("leaks", {"leak"}, {"content", "stale", "timeout"}),
        ("wrong_content", {"content", "leak"}, {"stale", "timeout"}),
        ("stale_reads", {"stale"}, {"content", "leak", "http_5xx"}),
    ],
)
def test_classes_of_answers(failover, sli, classes, others):
    """Each kind counts its classes and no others, in its operations and windows and in no others."""
    one = objective(sli, more='operations = ["search"]')
    row = failover.counters.operations.index("search")
    calm = judged(failover, one)
    assert (calm.verdict, calm.k) == ("pass", 0)

    def with_one(name, row, second):
        marks = np.zeros_like(failover.counters.ok)
        marks[row, second] = 1
        counters = dataclasses.replace(failover.counters, bad={name: marks})
        return dataclasses.replace(failover, counters=counters)

    for name in classes:
        found = judged(with_one(name, row, 50), one)
        assert (found.verdict, found.k, found.n) == ("fail", 1, calm.n + 1)
        assert judged(with_one(name, row - 1, 50), one).verdict == "pass"
        assert judged(with_one(name, row, 50), one, windows=((START + 60.0, START + 80.0),)).verdict == "pass"
    for name in others:
        assert judged(with_one(name, row, 50), one).verdict == "pass"


def test_without_a_good_answer_there_is_nothing_to_compare(failover):
    """Silence, and an outage in which a few wrong answers were allowed."""
    some = objective("wrong_content", expr="count <= 5", more='operations = ["search"]')
    assert judged(failover, some, windows=((START + 1000.0, START + 1010.0),)).verdict == "no-data"
    nothing = np.zeros_like(failover.counters.ok)
    marks = nothing.copy()
    marks[failover.counters.operations.index("search"), 50] = 1
    counters = dataclasses.replace(failover.counters, ok=nothing, bad={"content": marks})
    found = judged(dataclasses.replace(failover, counters=counters), some)
    assert (found.verdict, found.reason) == ("no-data", "none of the checked answers was good")


@given(
    st.lists(st.tuples(st.integers(0, 100), st.booleans()), max_size=30),
    st.integers(0, 100),
    st.integers(0, 50),
    st.integers(0, 100),
)
@settings(max_examples=80, deadline=None)
def test_survival_is_counted_exactly(writes, start, length, since):
    """Against the definitions written out."""
    lines, end = [], start + length
    for place, (t, kept) in enumerate(writes):
        lines += [write(str(place)) | {"t_ack": t}, *([read(str(place))] if kept else [])]
    found = survival(of_lines([*lines, back()]), ["s"], start=start, end=end, since=since)
    lost = [t for t, kept in writes if not kept and t <= end]
    assert found.ok == sum(start <= t <= end for t, _ in writes)
    assert found.lost == sum(t >= start for t in lost)
    assert found.earlier == sum(t < start for t in lost)
    assert found.oldest == min(lost, default=None)
    assert found.oldest_since == min((t for t in lost if t >= since), default=None)
    kept_before = any(kept and t < min(lost, default=0) for t, kept in writes)
    together = any(kept and t == min(lost, default=0) for t, kept in writes)
    assert found.bottomless == (bool(lost) and not kept_before and not together)


def rpo(limit="30s", more="", operations="@write"):
    keys = f'sets = ["s"]\noperations = ["{operations}"]\nagainst = "e"\n{more}'
    return objective("rpo", expr=f"max < {limit}", phase="fault", more=keys)


def history(lost=(), unread=()):
    """A write acknowledged every second from 100 s before the fault to 100 s after it."""
    lines = []
    for age in range(100, -100, -1):
        key = f"w{age}"
        lines.append(write(key, t=T0 - age - 0.5))
        lines += [] if age in lost else [read(key)]
    return [*lines, back(complete=not unread)]


@pytest.mark.parametrize(
    ("lost", "verdict", "age", "k"),
    [
        ((), "pass", 0.0, 0),
        ((29,), "pass", 29.0, 1),
        ((29, 12, 3), "pass", 29.0, 3),
        ((30,), "fail", 30.0, 1),
        ((31, 5), "fail", 31.0, 2),
        ((80,), "fail", 80.0, 1),
        ((-5,), "pass", 0.0, 1),  # acknowledged after the fault had begun, and missing
        ((-90,), "pass", 0.0, 0),  # long after the recovery: not this fault's
    ],
)
def test_the_oldest_write_that_did_not_survive(failover, lost, verdict, age, k):
    """Its age at the fault's first effect, and the count of all that are lost up to the recovery."""
    found = judged(failover, rpo(), history(lost))
    assert (found.verdict, found.measured, found.k) == (verdict, age, k)
    assert ("the oldest" in found.reason) is bool(k)
    assert "earlier fault" not in found.reason


def test_a_fault_that_nobody_felt_is_looked_at_to_the_end(failover):
    """Without a recovery the watch ends with the load; what was lost before the window is told apart."""
    calm = rpo(operations="@search")
    found = judged(failover, calm, history((-90,)))
    assert (found.verdict, found.k) == ("pass", 1)
    found = judged(failover, calm, history((90, 80, 3)))
    assert (found.verdict, found.k) == ("fail", 3)
    assert "are lost (w90, w80, w3), 2 more that were acknowledged before it, the oldest 90 s" in found.reason
    assert "more" not in judged(failover, calm, history((3,))).reason
    shape = kinds()["rpo"].SHAPE
    assert (shape.load, shape.aftermath, shape.integrity) == (False, True, False)


def test_an_incomplete_read_back_says_nothing_about_survival(failover):
    """Not even where writes are missing."""
    assert judged(failover, rpo(), history((80,), unread=True)).verdict == "no-data"


def test_a_loss_without_a_bottom_is_open(failover):
    """All that was written before the fault is gone: how much older it went, nobody knows."""
    short = [line for line in history(range(20)) if int(line.get("id", "w0")[1:]) < 20]
    found = judged(failover, rpo(), short)
    assert (found.verdict, found.measured_text) == ("inconclusive", "> 19 s")
    assert judged(failover, rpo("10s"), short).verdict == "fail"


def test_a_loss_that_an_earlier_fault_may_have_caused_is_open(failover):
    """It was written before that one's phase was over; what was written later is this one's."""
    fault = next(phase for phase in failover.phases if phase.name == "fault")
    before = dataclasses.replace(fault, experiment="other", start=T0 - 60, end=T0 - 40)
    twice = dataclasses.replace(failover, phases=(before, *failover.phases))
    found = judged(twice, rpo(), history((50,)))
    assert (found.verdict, "perhaps to an earlier fault" in found.reason) == ("inconclusive", True)
    assert judged(twice, rpo(), history((35,))).verdict == "fail"
    assert judged(twice, rpo(), history((25,))).verdict == "pass"
    first = dataclasses.replace(before, start=T0 - 99, end=T0 - 80)
    thrice = dataclasses.replace(twice, phases=(first, *twice.phases))
    assert judged(thrice, rpo(), history((70,))).verdict == "inconclusive"


def test_survival_needs_writes_and_a_fault(failover):
    """Nothing acknowledged in the window proves nothing, and neither does a fault that nobody saw."""
    late = [line for line in history() if int(line.get("id", "w0")[1:]) > 50]
    assert judged(failover, rpo(), [*late, back()]).verdict == "no-data"
    for least, verdict in ((43, "pass"), (44, "no-data")):  # from 30 s before t0 to t2, 12 s after it
        assert judged(failover, rpo(more=f"min_samples = {least}"), history()).verdict == verdict
    blind = dataclasses.replace(failover, events=tuple(e for e in failover.events if e["kind"] != "probe"))
    found = judged(blind, rpo(), history())
    assert (found.verdict, "not observed" in found.reason) == ("inconclusive", True)
