"""A restore to a point in time: what it takes back, what must be there all the same, and how long it took."""

import json
from dataclasses import replace

import pytest

from slo import faults, record
from slo.errors import RecordError
from slo.kind import kinds
from slo.ledger import account, of_lines, rewound
from slo.ledger.versions import versions
from slo.recovery import CENSORED, NO_IMPACT, Recovery
from slo.scope import Scope
from slo.sli.recovery import _pair
from tests.run_folder import START
from tests.slo.fault_kinds import EXPERIMENT, judged, objective
from tests.slo.ledger_lines import back, held, read, version, write

POINT, UNTIL = START + 100.0, START + 145.0
LINES = (write("old", t=START + 10.0), write("new", t=START + 120.0), write("later", t=START + 200.0))


def taken(*lines, spans=((POINT, UNTIL),)):
    return rewound(of_lines(lines), spans)


@pytest.mark.parametrize(
    ("lines", "lost"),
    [
        ([read("old"), read("later")], 0),
        ([read("old"), read("new"), read("later")], 0),
        ([read("later")], 1),
        ([read("old")], 1),
        ([], 2),
    ],
)
def test_what_was_acknowledged_in_between_may_be_there_or_not(lines, lost):
    """Only what came before the point or after the restore is missed."""
    found = account(taken(*LINES, *lines, back()), "s")
    assert (found.lost, found.unexpected, found.attempted) == (lost, 0, 3)


def test_without_a_restore_everything_is_promised():
    """The same ledger, and nothing taken from it."""
    whole = of_lines([*LINES, back()])
    assert rewound(whole, ()) is whole
    assert account(whole, "s").lost == 3


@pytest.mark.parametrize(
    ("t", "lines", "unfinished"),
    [
        (POINT - 5, [read("job", 0, state="queued")], 0),
        (POINT - 5, [read("job", 1, state="done")], 0),
        (POINT - 40, [read("job", 0, state="queued")], 1),
        (UNTIL + 5, [read("job", 0, state="queued")], 1),
    ],
)
def test_a_job_under_way_at_the_point_is_unknown(t, lines, unfinished):
    """Half a minute before it; one from earlier or later has to end."""
    assert account(taken(write("job", t=t), *lines, back()), "s").unfinished == unfinished


def test_a_version_that_is_given_again_overwrites_nothing():
    """After the restore the system counts on from the point."""
    lines = (
        write("old", key="k", t=START + 10.0),
        write("new", key="k", t=START + 120.0),
        write("later", key="k", t=START + 200.0),
        version("old", 2),
        version("new", 3),
        version("later", 3),
        held("k", version=3, last="later"),
        back(keys=1),
    )
    assert versions(taken(*lines), "s").lost == 0
    assert versions(of_lines(lines), "s").lost == 1


def restored(run, *lines, events=True):
    """A run in which the database was restored to `POINT` and served from `UNTIL` on."""
    event = {"kind": "rewind", "experiment": EXPERIMENT, "t": UNTIL, "to": POINT}
    ledger = rewound(of_lines(lines), ((POINT, UNTIL),))
    return replace(run, ledger=ledger, events=(*run.events, *([event] if events else [])))


@pytest.mark.parametrize(
    ("lines", "verdict", "said"),
    [
        ([read("old"), read("later")], "pass", "after it 1 are gone, as 45 s were given up"),
        ([read("later")], "fail", "1 of 1 writes acknowledged before the restore point are lost (old)"),
        ([read("old"), read("new"), read("later")], "inconclusive", "this is not its state"),
    ],
)
def test_what_came_before_the_point_must_be_there(failover, lines, verdict, said):
    """What came after it is counted, and must be gone."""
    run = restored(failover, *LINES, *lines, back())
    found = judged(run, objective("restore_point", "count == 0", 'sets = ["s"]'))
    assert (found.verdict, said in found.reason) == (verdict, True), found.reason


def test_a_write_right_before_the_point_is_missed(failover):
    """No other objective asks for it: it might have been a job under way."""
    lines = (write("close", t=POINT - 2.0), *LINES, read("old"), read("later"), back())
    run = restored(failover, *lines)
    assert judged(run, objective("lost_writes", "count == 0", 'sets = ["s"]', phase="all")).verdict == "pass"
    found = judged(run, objective("restore_point", "count == 0", 'sets = ["s"]'))
    assert (found.verdict, found.k, found.n) == ("fail", 1, 2)
    assert kinds()["restore_point"].SHAPE.integrity


def test_jobs_that_never_ended_are_told(failover):
    """They are there, so they are not lost."""
    lines = (*LINES, write("job", t=POINT - 5.0), read("old"), read("job", 0, state="queued"), back())
    found = judged(restored(failover, *lines), objective("restore_point", "count == 0", 'sets = ["s"]'))
    assert (found.verdict, found.k) == ("pass", 0)
    assert "1 jobs accepted before it never ended" in found.reason


def test_nothing_restored_proves_nothing(failover):
    """Without the event, and without a read-back."""
    one = objective("restore_point", "count == 0", 'sets = ["s"]')
    unseen = judged(restored(failover, *LINES, read("old"), back(), events=False), one)
    assert (unseen.verdict, "nothing shows" in unseen.reason) == ("inconclusive", True)
    assert judged(restored(failover, *LINES, read("old")), one).verdict == "no-data"


def test_a_record_takes_back_what_was_restored(folder):
    """The event stands in the run folder; one without a point is refused."""
    event = {"t": UNTIL, "kind": "rewind", "experiment": EXPERIMENT, "to": POINT}
    path = folder / "events.jsonl"
    whole = record.read(folder).ledger
    path.write_text(path.read_text("utf-8") + json.dumps(event) + "\n", "utf-8")
    found = record.read(folder).ledger
    assert not whole.taken
    assert found.taken.keys() & {"invoices", "matter-changes"}
    del event["to"]
    path.write_text(path.read_text("utf-8") + json.dumps(event) + "\n", "utf-8")
    with pytest.raises(RecordError, match="expected 'to'"):
        record.read(folder)


RECOVERED = Recovery(
    experiment="x", state="recovered", t0=100.0, t_end=110.0, absorption=(11.0, 17.0), api_start=70.0
)


@pytest.mark.parametrize(
    ("found", "pair"),
    [
        (RECOVERED, (41.0, 47.0)),
        (replace(RECOVERED, state=CENSORED), (41.0, 47.0)),
        (replace(RECOVERED, state=NO_IMPACT, absorption=(0.0, 5.0)), (40.0, 45.0)),
        (replace(RECOVERED, state=NO_IMPACT, absorption=(0.0, 5.0), t_end=None), None),
        (replace(RECOVERED, api_start=None), None),
        (replace(RECOVERED, absorption=None), None),
    ],
)
def test_the_start_clock_counts_from_the_beginning(found, pair):
    """What passed before anybody felt it belongs to the restore; unfelt, it ends with its last sight."""
    assert _pair(found, "start") == pair


def test_a_restore_is_timed_from_its_start(failover):
    """The drill began a second before its effect was seen, and that is part of the time."""
    begun = {"kind": "drill", "experiment": EXPERIMENT, "t": START + 141.0, "state": "running"}
    run = replace(failover, events=tuple(e for e in (*failover.events, begun) if e.get("kind") != "fis"))

    def on(clock):
        keys = f'against = "errors"\nclock = "{clock}"\noperations = ["@api"]'
        one = objective("recovery", "recovery < 1h", keys)
        recovery, experiment = faults.recover(run, EXPERIMENT, one), run.manifest.experiment(EXPERIMENT)
        scope = Scope(record=run, windows=(), experiment=experiment, recovery=recovery)
        return kinds()["recovery"].judge(one, scope)

    found, effect = on("start"), on("absorption")
    assert found.verdict == "pass", found.reason
    assert found.measured == effect.measured + 1.0
    assert "after it was begun" in found.reason
