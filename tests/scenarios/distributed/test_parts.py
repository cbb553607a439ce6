"""What the master and its workers are made of, without either."""

import json
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenarios.load.arrivals import Due, Stripe
from scenarios.load.distributed import offset
from scenarios.load.distributed.intake import Account, Intake
from scenarios.load.distributed.missing import missing
from scenarios.load.distributed.shipping import Shipper
from scenarios.load.ledger import Ledger
from scenarios.load.operation import Flow, operation
from scenarios.load.recorder import Recorder
from scenarios.load.sink import FolderSink
from slo import counters, histogram
from tests.scenarios.runs import run_folder

PAGE, SAVE = operation("page", "GET /page"), operation("save", "PUT /save")
FLOWS = {
    "look": Flow(name="look", weight=1, operations=("page",), tags=()),
    "edit": Flow(name="edit", weight=1, operations=("page", "save"), tags=()),
}
BEGIN = 1_800_000_000.0005


@given(
    ahead=st.floats(-1e6, 1e6),
    ways=st.lists(st.tuples(st.floats(0.0001, 1.0), st.floats(0.0001, 1.0)), min_size=1, max_size=20),
)
def test_the_offset_is_within_half_of_the_fastest_round_trip(ahead, ways):
    """Whatever the two ways take: the estimate's error is bounded by what it says of itself."""
    trips = []
    for number, (there, back) in enumerate(ways):
        sent = 100.0 + number
        arrived = sent + there + ahead
        trips.append(
            offset.Trip(sent=sent, there=arrived, left=arrived + 0.01, back=sent + there + 0.01 + back)
        )
    found = offset.best(trips)
    assert found.rtt == pytest.approx(min(there + back for there, back in ways), abs=1e-6)
    assert abs(found.ahead - ahead) <= found.rtt / 2 + 1e-6


@pytest.mark.parametrize(("rtt", "sure"), [(0.0004, True), (0.01, True), (0.0101, False)])
def test_an_offset_is_well_known_within_five_milliseconds(rtt, sure):
    """Half of the round trip decides."""
    assert offset.well_known(rtt) is sure


def _schedule(count):
    return [Due(number * 0.1, "edit" if number % 4 == 0 else "look") for number in range(count)]


def test_what_a_lost_worker_still_owed_is_counted():
    """Its books tell of three seconds; the rest of its share, and nothing beyond the end, is owed."""
    mine = list(Stripe(index=1, of=2).take(_schedule(100)))
    seen = Counter()
    for due in mine:
        if due.at < 2.6:
            seen[int(BEGIN + due.at), "page"] += 1
    lines = missing(mine, FLOWS, begin=BEGIN, until=BEGIN + 8, seen=seen)
    owed = sum(line["intended"] for line in lines)
    assert owed == sum(2.6 <= due.at < 8 for due in mine)
    assert all(line["bad"].get("dropped_generator", 0) == line["intended"] for line in lines)
    assert {line["t"] for line in lines if line["intended"]} == {
        int(BEGIN) + second for second in range(2, 8)
    }


def test_what_flows_that_never_came_would_have_done_is_planned():
    """The operations behind a flow's first one are planned, not intended."""
    lines = missing(_schedule(10), FLOWS, begin=BEGIN, until=BEGIN + 9, seen={(int(BEGIN) - 1, "page"): 0})
    total = Counter()
    for line in lines:
        total.update({(line["op"], what): line[what] for what in ("planned", "intended", "sent", "ok")})
    assert total["page", "intended"] == total["page", "planned"] == 10
    assert (total["save", "intended"], total["save", "planned"]) == (0, 3)
    assert total["page", "sent"] == total["page", "ok"] == 0


class Wire:
    """Parcels between a shipper and the intake; `fails` of them are refused first."""

    def __init__(self, fails=0):
        self.parcels, self.fails = [], fails

    def send(self, parcel):
        """What a message to the master does."""
        if self.fails:
            self.fails -= 1
            raise ConnectionError
        self.parcels.append(json.loads(json.dumps(parcel)))


def _shipper(wire):
    return Shipper(send=wire.send, later=lambda _seconds, _call: None, unsent=ConnectionError)


def _intake(folder):
    sink = FolderSink(folder)
    return Intake(sink=sink, ledger=Ledger(run_id=folder.name, sink=sink))


def _recorder(sink, worker=""):
    return Recorder(
        sink=sink, operations=[PAGE, SAVE], thresholds=[(0.1,), (0.1, 0.5)], start=BEGIN, worker=worker
    )


def _happen(recorder, happenings):
    for slug, at, outcome, latency in happenings:
        recorder.intended(slug, at)
        recorder.sent(slug, at)
        recorder.resolve(slug, at, outcome, latency=latency, service=latency / 2)
    recorder.close(BEGIN + 40)


def _happenings(count):
    rng = np.random.default_rng(3)
    outcomes = ["ok"] * 8 + ["http_5xx", "timeout"]
    return [
        (
            ("page", "save")[number % 3 == 0],
            BEGIN + number * 25 / count,
            outcomes[rng.integers(len(outcomes))],
            float(rng.lognormal(-4, 1)),
        )
        for number in range(count)
    ]


def test_two_workers_make_the_record_that_one_would_make(tmp_path):
    """Counters, exact counts over thresholds and every bucket of every histogram: equal, not close."""
    everything = _happenings(3000)
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    one = run_folder(tmp_path / "one", "http://127.0.0.1:1", for_s=25)
    two = run_folder(tmp_path / "two", "http://127.0.0.1:1", for_s=25)
    _happen(_recorder(FolderSink(one)), everything)
    intake = _intake(two)
    for index in range(2):
        wire, account = Wire(), Account()
        shipper = _shipper(wire)
        _happen(_recorder(shipper, worker=f"w{index + 1}"), everything[index::2])
        shipper.ship()
        assert [intake.enter(account, parcel) for parcel in wire.parcels] == [""]
    for name in ("planned", "intended", "sent", "ok"):
        alone, together = (getattr(_counters(folder), name) for folder in (one, two))
        assert alone.sum() > 0
        np.testing.assert_array_equal(alone, together, err_msg=name)
    for name in ("bad", "slower"):
        alone, together = (getattr(_counters(folder), name) for folder in (one, two))
        assert alone.keys() == together.keys() != set()
        for key, counts in alone.items():
            np.testing.assert_array_equal(counts, together[key], err_msg=f"{name} {key}")
    logs = [histogram.read(folder / "latency.hlog") for folder in (one, two)]
    assert logs[0].intervals.keys() == logs[1].intervals.keys()
    for tag, intervals in logs[0].intervals.items():
        assert intervals.keys() == logs[1].intervals[tag].keys()
        for start in intervals:
            alone, together = (log.merged([tag], [start]) for log in logs)
            np.testing.assert_array_equal(alone, together, err_msg=f"{tag} {start}")
    assert (two / "latency.hlog").read_text().count("StartTime:") == 1


def _counters(folder):
    return counters.read(folder / "counters.jsonl")


def test_a_parcel_that_could_not_be_sent_goes_with_the_next():
    """Nothing is lost and nothing is sent twice."""
    wire = Wire(fails=2)
    shipper = _shipper(wire)
    for number in range(4):
        shipper.append("events.jsonl", f"{number}\n")
        shipper.ship()
    shipper.ship()
    assert [parcel["number"] for parcel in wire.parcels] == [1, 2]
    assert [text for parcel in wire.parcels for _, text in parcel["lines"]] == ["0\n", "1\n", "2\n", "3\n"]


def test_lost_and_foreign_lines_are_noticed(tmp_path):
    """A parcel that never came is named; a file that is none of a run's is not written."""
    intake, account = _intake(tmp_path), Account()
    assert intake.enter(account, {"number": 1, "lines": [["events.jsonl", "{}\n"]]}) == ""
    assert "parcel 2 " in intake.enter(account, {"number": 3, "lines": []})
    assert "no file of a run" in intake.enter(account, {"number": 4, "lines": [["../evil", "x\n"]]})
    assert [path.name for path in tmp_path.iterdir()] == ["events.jsonl"]
    assert not (tmp_path.parent / "evil").exists()


def test_the_master_knows_which_writes_to_read_back(tmp_path):
    """Accepted ids come from the workers' ledger lines."""
    intake = _intake(tmp_path)
    outcomes = ["ok", "refused", "ok", "unknown"]
    for index in range(2):
        wire = Wire()
        shipper = _shipper(wire)
        books = Ledger(run_id="run", sink=shipper, stripe=Stripe(index=index, of=2))
        for outcome in outcomes:
            books.end(books.begin("things"), "save", outcome=outcome, t_send=1.0, t_ack=2.0)
        books.flush()
        shipper.ship()
        intake.enter(Account(), wire.parcels[0])
    assert intake.ledger.attempted == {"things": 8}
    assert intake.ledger.accepted == {"things": {f"run/things/{seq}" for seq in (1, 2, 5, 6)}}
