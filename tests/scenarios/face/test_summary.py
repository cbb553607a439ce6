import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenarios.load.face.headed import Fan, Headed
from scenarios.load.face.summary import Tally, quantile, text
from scenarios.load.operation import operation
from scenarios.load.recorder import Recorder
from scenarios.load.sink import FolderSink, lines
from slo import histogram

START = 1_790_000_000.0
READ, WRITE = operation("read", "GET /items/{id}"), operation("write", "POST /items")
NAMES = {each.slug: each.name for each in (READ, WRITE)}


def recorder(sink, start=START):
    return Recorder(sink=sink, operations=[READ, WRITE], thresholds=[(), ()], start=start)


def answer(to, slug, at, outcome, *times):
    latency, service = times or (math.nan, math.nan)
    to.intended(slug, at)
    if not math.isnan(latency):
        to.sent(slug, at)
    to.resolve(slug, at, outcome, latency=latency, service=service)


def close(to):
    to.close(START + 100)


def test_the_summary_of_a_load():
    """Counts, percentiles of good answers, bad by class, drops by cause, what never came to be, lag."""
    tally = Tally()
    record = recorder(tally)
    for number in range(100):
        answer(record, "read", START + number / 10, "ok", 0.001 * (number + 1), 0.0005)
    answer(record, "read", START, "http_5xx", 0.0001, 0.0001)
    answer(record, "write", START, "dropped_system")
    answer(record, "write", START, "dropped_generator")
    record.planned("write", START)
    close(record)
    tally.append(
        "events.jsonl",
        lines(
            {"kind": "generator", "lag_p99": lag, "lag_max": 2 * lag, "starts": 50} for lag in (0.001, 0.003)
        ),
    )
    said = text(tally, NAMES).splitlines()
    assert said[0] == "Gameday, 10 s: good answers' latency in ms, from the intended start"
    assert " ".join(said[2].split()) == "GET /items/{id} 101 101 100 1 50.0 90.0 99.0 100.0 100.0 0.5"
    assert " ".join(said[3].split()) == "POST /items 2 0 0 2 - - - - - -"
    assert said[4].split()[:5] == ["all", "103", "101", "100", "3"]
    assert said[5:] == [
        "bad: GET /items/{id}: http_5xx 1",
        "bad: POST /items: dropped_generator 1, dropped_system 1",
        "drops: 1 dropped_system, 1 dropped_generator: due, and no session was free to send them",
        "never came to be, since the flow had failed or ended before: 1",
        "start lag of 100 starts: 3.0 ms at the worst second's p99, 6.0 ms at most",
    ]


def test_nothing_and_closed():
    """Nothing is said to be nothing; closed users are marked and warned about."""
    tally = Tally()
    assert text(tally, NAMES) == "Gameday: nothing was sent"
    record = recorder(tally)
    answer(record, "read", START, "ok", 0.01, 0.01)
    close(record)
    said = text(tally, NAMES, closed=frozenset({"read"})).splitlines()
    assert said[0].endswith("from the moment a user sent the request")
    assert said[2].startswith("GET /items/{id} [closed]")
    assert said[3].startswith("closed: users wait for an answer")


@settings(max_examples=25)
@given(st.lists(st.lists(st.floats(1e-6, 3600.0), min_size=1, max_size=30), min_size=1, max_size=4))
def test_several_recorders_add_up_to_one(parts):
    """Merged histograms give the quantiles that all the latencies together have."""
    tally = Tally()
    for part in parts:
        record = recorder(Headed(tally))
        for number, latency in enumerate(part):
            answer(record, "read", START + number % 25, "ok", latency, latency)
        close(record)
    whole = histogram.record(np.array([latency for part in parts for latency in part]))
    row = tally.rows["read"]
    assert row.intended == row.ok == whole.sum()
    for q in (0.5, 0.9, 0.99, 1.0):
        assert quantile(row.latency, q) == quantile(row.service, q) == histogram.quantile(whole, q)


def test_logs_that_began_apart_stay_apart_in_one_folder(tmp_path):
    """Two writers' intervals keep their own starts; without their heads the second's would be the first's."""
    tally = Tally()
    both = Fan((FolderSink(tmp_path), tally))
    first, second = recorder(Headed(both)), recorder(Headed(both), start=START + 7)
    answer(second, "write", START + 8, "ok", 0.2, 0.2)
    answer(first, "read", START + 1, "ok", 0.1, 0.1)
    for record in (second, first, second):
        for _ in record.flush(START + 9):
            pass
    log = histogram.read(tmp_path / "latency.hlog")
    assert {tag: list(found) for tag, found in log.intervals.items() if not tag.endswith("service")} == {
        "read.ok": [START],
        "write.ok": [START + 7],
    }
    assert tally.rows["write"].ok == 1


def test_a_quantile_of_nothing():
    """There is none."""
    assert quantile({}, 0.5) is None


@pytest.mark.parametrize("kind", ["bad", "bad.service"])
def test_failures_do_not_improve_percentiles(kind):
    """Histograms of bad answers are left out."""
    tally = Tally()
    counts = histogram.record(np.array([0.001]))
    tally.append("latency.hlog", histogram.line(f"read.{kind}", 0, 10, counts))
    assert not tally.rows
