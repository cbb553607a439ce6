import json
import subprocess
import sys
import tracemalloc

import pytest

from scenarios.errors import UnknownNameError
from scenarios.load.operation import operation
from scenarios.load.recorder import BAD_CLASSES, MOST_OPERATIONS, Recorder
from scenarios.load.sink import FolderSink, NullSink
from slo import histogram
from slo.counters import read as read_counters
from tests.scenarios.runs import ROOT

T = 1_763_725_500


@pytest.fixture
def folder(tmp_path):
    return tmp_path


def recorder(folder, **more):
    operations = [operation("read", "GET /a", "api"), operation("write", "POST /a", "api")]
    return Recorder(
        sink=FolderSink(folder),
        operations=operations,
        thresholds=[(0.1, 0.5), (0.25,)],
        start=T + 0.4,
        **more,
    )


def flush(books, now):
    for _ in books.flush(now):
        pass


def counters(folder):
    return [json.loads(line) for line in (folder / "counters.jsonl").read_text().splitlines()]


def one(books, slug, at, outcome, **times):
    books.intended(slug, at)
    books.sent(slug, at)
    books.resolve(slug, at, outcome, **times)


def test_a_line_counts_exactly(folder):
    """Outcomes by class, good answers at or over each threshold, percentiles by nearest rank."""
    books = recorder(folder)
    for latency in (0.002, 0.0999999, 0.1, 0.3, 0.5):
        one(books, "read", T + 1.2, "ok", latency=latency, service=0.001)
    one(books, "read", T + 1.9, "timeout", latency=10.0, service=10.0)
    one(books, "read", T + 1.9, "http_5xx", latency=0.001, service=0.001)
    flush(books, T + 2)
    (line,) = counters(folder)
    assert line == {
        "t": T + 1, "op": "read", "planned": 7, "intended": 7, "sent": 7, "ok": 5,
        "bad": {"timeout": 1, "http_5xx": 1}, "slower": {"0.1": 3, "0.5": 1},
        "p50": 0.1, "p99": 0.5, "service_p50": 0.001,
    }  # fmt: skip


def test_late_answers_belong_to_the_intended_second(folder):
    """An answer that comes seconds later adds a line to the second in which its operation was due."""
    books = recorder(folder)
    books.intended("read", T + 1.5)
    books.sent("read", T + 1.5)
    flush(books, T + 2)
    books.resolve("read", T + 1.5, "ok", latency=3.0, service=3.0)
    flush(books, T + 5)
    first, second = counters(folder)
    assert (first["t"], first["intended"], first["ok"]) == (T + 1, 1, 0)
    assert (second["t"], second["intended"], second["ok"], second["slower"]["0.5"]) == (T + 1, 0, 1, 1)


def test_planned_but_never_due(folder):
    """What a flow never came to is planned, not intended."""
    books = recorder(folder)
    books.planned("write", T + 3.0)
    flush(books, T + 4)
    (line,) = counters(folder)
    assert (line["planned"], line["intended"], line["bad"]) == (1, 0, {})


@pytest.mark.parametrize("kind", BAD_CLASSES)
def test_every_bad_class_is_counted_under_its_name(folder, kind):
    """No class is lost or taken for another."""
    books = recorder(folder)
    one(books, "write", T + 1, kind)
    flush(books, T + 2)
    assert counters(folder)[0]["bad"] == {kind: 1}
    assert books.totals().bad == {kind: 1}


def test_histograms_hold_good_and_bad_apart(folder):
    """Each outcome has its own histogram, total and service; arrivals that were not sent have none."""
    books = recorder(folder)
    for second in range(25):
        one(books, "read", T + 1 + second, "ok", latency=0.020, service=0.010)
    one(books, "read", T + 1, "reset", latency=0.5, service=0.4)
    one(books, "read", T + 1, "dropped_system")
    books.close(T + 30)
    log = histogram.read(folder / "latency.hlog")
    assert set(log.intervals) == {"read.ok", "read.ok.service", "read.bad", "read.bad.service"}
    assert {tag: int(log.merged([tag]).sum()) for tag in ("read.ok", "read.bad")} == {
        "read.ok": 25,
        "read.bad": 1,
    }
    assert sorted(log.intervals["read.ok"]) == [T, T + 10, T + 20]
    assert histogram.quantile(log.merged(["read.ok"]), 0.5) == pytest.approx(0.020, rel=1e-3)
    assert histogram.quantile(log.merged(["read.bad"]), 0.5) == pytest.approx(0.5, rel=1e-3)


def test_each_flush_adds_its_part_to_the_interval(folder):
    """The log is never more than one flush behind, and the parts of an interval add up."""
    books = recorder(folder)
    for number in range(3):
        one(books, "read", T + 1 + number, "ok", latency=0.02, service=0.01)
        flush(books, T + 2 + number)
        log = histogram.read(folder / "latency.hlog")
        assert int(log.merged(["read.ok"], [T]).sum()) == number + 1


def test_exemplars_are_few(folder):
    """Five of each kind, and the slowest good answer at the end."""
    books = recorder(folder)
    for number in range(9):
        books.exemplar("read", "leak", at=T + number, detail="x" * 900, request_id=str(number))
    books.slowest("read", 0.2, at=T, request_id="a")
    books.slowest("read", 0.9, at=T, request_id="b")
    books.slowest("read", 0.3, at=T, request_id="c")
    books.close(T + 20)
    events = [json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines()]
    assert [event["class"] for event in events] == ["leak"] * 5 + ["slowest"]
    assert events[-1]["request_id"] == "b"
    assert len(events[0]["detail"]) == 500


def test_buffers_stay_bounded(folder, monkeypatch):
    """When nobody flushes in time the recorder does it itself, and nothing is lost."""
    monkeypatch.setattr("scenarios.load.recorder._FULL", 10)
    books = recorder(folder)
    for _ in range(25):
        one(books, "read", T + 1, "ok", latency=0.02, service=0.01)
    assert sum(line["ok"] for line in counters(folder)) == 20
    flush(books, T + 2)
    assert (
        sum(line["ok"] for line in counters(folder))
        == sum(line["intended"] for line in counters(folder))
        == 25
    )


def test_answers_during_a_flush_are_kept(folder):
    """A flush lets other work in between; what that work records is in the next one."""
    books = recorder(folder)
    one(books, "read", T + 1, "ok", latency=0.02, service=0.01)
    one(books, "write", T + 1, "ok", latency=0.02, service=0.01)
    for _ in books.flush(T + 2):
        one(books, "read", T + 1, "ok", latency=0.02, service=0.01)
    flush(books, T + 3)
    lines = counters(folder)
    assert sum(line["ok"] for line in lines) == sum(line["intended"] for line in lines) == books.totals().ok


def test_names_and_outcomes_are_bounded(folder):
    """An operation nobody declared, an outcome nobody knows and ever new operations are refused by name."""
    books = recorder(folder)
    with pytest.raises(UnknownNameError, match="'raed' was never declared"):
        books.intended("raed", T)
    with pytest.raises(UnknownNameError, match="'http_502' is not ok or one of"):
        books.resolve("read", T, "http_502")
    for number in range(MOST_OPERATIONS - 2):
        books.learn(operation(f"op{number}", "GET /b"))
    books.learn(operation("op7", "GET /b"))
    with pytest.raises(UnknownNameError, match="name them by their template"):
        books.learn(operation("one_more", "GET /b/17"))


def test_an_answer_beyond_the_scale_is_clamped_and_counted(folder):
    """More than an hour counts as an hour, and an event says how many did."""
    books = recorder(folder)
    one(books, "read", T + 1, "ok", latency=4000.0, service=0.01)
    books.close(T + 5000)
    log = histogram.read(folder / "latency.hlog")
    assert histogram.quantile(log.merged(["read.ok"]), 1.0) == pytest.approx(3600, rel=1e-3)
    events = [json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines()]
    assert [event["count"] for event in events if event["kind"] == "clamped"] == [1]


def test_memory_does_not_grow_with_time(folder):
    """50 operations, second after second: the last takes no more than the first did."""
    operations = [operation(f"op{number}", "GET /a") for number in range(50)]
    books = Recorder(sink=NullSink(), operations=operations, thresholds=[(0.1,)] * 50, start=T)
    tracemalloc.start()
    try:
        sizes = []
        for second in range(8):
            for number in range(500):
                one(books, f"op{number % 50}", T + second, "ok", latency=0.01, service=0.01)
            flush(books, T + second + 1)
            sizes.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    assert sizes[-1] < sizes[len(sizes) // 2] + 100_000


WRITER = """
import sys, time
from pathlib import Path
from scenarios.load.operation import operation
from scenarios.load.recorder import Recorder
from scenarios.load.sink import FolderSink

start = float(sys.argv[2])
books = Recorder(
    sink=FolderSink(Path(sys.argv[1])),
    operations=[operation("read", "GET /a")],
    thresholds=[(0.1,)],
    start=start,
)
for second in range(1000):
    for number in range(500):
        books.intended("read", start + second)
        books.sent("read", start + second)
        books.resolve("read", start + second, "ok", latency=0.01, service=0.01)
    for _ in books.flush(start + second + 1):
        pass
    print(second, flush=True)
"""


def test_a_killed_process_leaves_a_readable_folder_behind(folder):
    """Kill -9 takes no more than what was not flushed yet, of counters and histograms alike."""
    command = [sys.executable, "-c", WRITER, str(folder), str(T)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        flushed = 0
        for line in process.stdout:
            flushed = int(line) + 1
            if flushed == 7:
                process.kill()
    found = read_counters(folder / "counters.jsonl")
    log = histogram.read(folder / "latency.hlog")
    assert int(found.ok.sum()) >= flushed * 500
    assert int(log.merged(["read.ok"]).sum()) >= flushed * 500
