import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter

import psutil
import pytest

from slo import histogram
from slo import ledger as accounts
from slo.ledger.versions import versions
from tests.scenarios.runs import ROOT, drive, lines, run_folder, spawn, sums
from tests.scenarios.stand_in import stand_in


def wait_for_start(folder, process):
    """Until the arrivals have begun, and 20 requests at least are in the books."""
    deadline = time.monotonic() + 20
    while sums(folder)[0]["sent"] < 20:
        assert time.monotonic() < deadline
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)


def finish(process):
    """Exit code and stderr of a drive; it may not outlive the test."""
    try:
        _, error = process.communicate(timeout=60)
    finally:
        process.kill()
    return process.returncode, error


def balanced(folder):
    """Every intended arrival was resolved, once."""
    total, bad = sums(folder)
    assert total["intended"] > 0
    assert total["ok"] + sum(bad.values()) == total["intended"]
    return total, bad


def ledger(folder):
    """Outcomes and read-backs per set."""
    return Counter((line["set"], line["kind"], line.get("outcome")) for line in lines(folder, "ledger.jsonl"))


def test_a_healthy_run_leaves_everything_behind(tmp_path):
    """Rate, counters, histograms, events, ledger and read-back of a system that does as it should."""
    with stand_in() as system:
        folder = run_folder(tmp_path, system.url, for_s=4, rate=300)
        assert drive(folder) == (0, "", "")
    total, bad = balanced(folder)
    assert not bad
    assert total["intended"] == pytest.approx(1200, rel=0.04)
    searches = sum(line["intended"] for line in lines(folder, "counters.jsonl") if "search" in line["op"])
    assert searches / total["intended"] > 0.36
    assert system.runs == {folder.name}
    assert system.agents == {f"gameday/1 ({folder.name})"}
    edges = [line for line in lines(folder, "events.jsonl") if line["kind"] == "load"]
    assert [line["edge"] for line in edges] == ["start", "end", "drained"]
    assert edges[1]["t"] - edges[0]["t"] == pytest.approx(4, abs=0.3)
    assert all(line["t"] >= int(edges[0]["t"]) for line in lines(folder, "counters.jsonl"))
    seconds = [line for line in lines(folder, "events.jsonl") if line["kind"] == "generator"]
    assert len(seconds) >= 4
    log = histogram.read(folder / "latency.hlog")
    good = [tag for tag in log.intervals if tag.endswith(".ok")]
    assert int(log.merged(good).sum()) == total["ok"]
    books = ledger(folder)
    for name in ("invoices", "matter-changes", "workflows", "pdf-jobs"):
        assert books[name, "write", "ok"] == books[name, "read", None] > 0
    assert all(line["complete"] for line in lines(folder, "ledger.jsonl") if line["kind"] == "readback")
    changes = versions(accounts.read(folder / "ledger.jsonl"), "matter-changes")
    assert (changes.ok, changes.lost, changes.doubt) == (books["matter-changes", "write", "ok"], 0, "")


def test_a_frozen_system_cannot_hide(tmp_path):
    """A 2.5 s stop of 5: arrivals go on, p99 shows the stop, every arrival is accounted for."""
    with stand_in() as system:
        folder = run_folder(tmp_path, system.url, for_s=5, rate=150, max_in_flight=700, only=["search"])
        process = spawn(folder)
        wait_for_start(folder, process)
        system.freeze(2.5)
        assert finish(process) == (0, "")
    total, bad = balanced(folder)
    assert total["intended"] == pytest.approx(750, rel=0.02)
    assert not bad
    log = histogram.read(folder / "latency.hlog")
    latency = log.merged([tag for tag in log.intervals if tag.endswith(".ok")])
    assert histogram.quantile(latency, 0.99) > 2.0
    assert histogram.quantile(latency, 0.75) > 0.5


def test_a_full_pool_drops_and_blames_the_system(tmp_path):
    """When all sessions wait for answers, arrivals that find none are violations that the system caused.

    A generator that was late itself, beside other tests, says so: then another try shows it.
    """
    for attempt in ("first", "second", "third"):
        with stand_in() as system:
            folder = run_folder(tmp_path / attempt, system.url, for_s=5, rate=100, max_in_flight=20)
            process = spawn(folder)
            wait_for_start(folder, process)
            system.freeze(2)
            assert finish(process) == (0, "")
        total, bad = balanced(folder)
        if "dropped_generator" not in bad:
            break
    assert set(bad) == {"dropped_system"}
    assert total["planned"] > total["intended"] == total["sent"] + bad["dropped_system"]
    assert (
        sum(line.get("dropped_system", 0) for line in lines(folder, "events.jsonl")) == bad["dropped_system"]
    )


def test_faults_get_their_class_and_the_ledger_its_doubt(tmp_path):
    """5xx, 4xx, leaks and content are told apart; an unsure write is unknown, a refused one refused."""

    def fail(method, path):
        if method == "PUT":
            return 500
        return {"/api/invoices": 503, "/api/workflow/counts": 404}.get(path, 0)

    with stand_in(lies={"leak", "wrong-pdf"}, fail=fail) as system:
        folder = run_folder(tmp_path, system.url, for_s=2.5, rate=300)
        assert drive(folder) == (0, "", "")
    total, _ = balanced(folder)
    by_op = {}
    for line in lines(folder, "counters.jsonl"):
        by_op.setdefault(line["op"], Counter()).update(line["bad"])
    assert set(by_op["search_text"]) == {"leak"}
    assert set(by_op["pdf_download"]) == {"content"}
    assert set(by_op["counts"]) == {"http_4xx"}
    assert set(by_op["matter_update"]) == set(by_op["invoice_create"]) == {"http_5xx"}
    assert total["planned"] > total["intended"]  # flows that never got further
    books = ledger(folder)
    assert books["matter-changes", "write", "unknown"] > 0 == books["matter-changes", "write", "ok"]
    assert books["invoices", "write", "refused"] > 0 == books["invoices", "write", "ok"]
    shown = Counter(line["op"] for line in lines(folder, "events.jsonl") if line.get("class") == "leak")
    assert shown["search_text"] == 5


def test_a_stop_drains_and_does_not_read_back(tmp_path):
    """SIGTERM: no more arrivals, what is in flight is answered, everything is written, exit 0."""
    with stand_in() as system:
        folder = run_folder(tmp_path, system.url, for_s=600, rate=150)
        process = spawn(folder)
        wait_for_start(folder, process)
        process.send_signal(signal.SIGTERM)
        assert finish(process) == (0, "")
    balanced(folder)
    assert [line["edge"] for line in lines(folder, "events.jsonl") if line["kind"] == "load"][-1] == "drained"
    kinds = {line["kind"] for line in lines(folder, "ledger.jsonl")}
    assert "write" in kinds
    assert not kinds & {"read", "readback"}


def test_an_answer_that_never_comes_is_a_timeout(tmp_path):
    """At the end nothing stays open: unanswered operations are timeouts, their writes unknown."""
    with stand_in() as system:
        folder = run_folder(tmp_path, system.url, for_s=2, rate=60, timeout_s=1.0, max_in_flight=200)
        process = spawn(folder)
        wait_for_start(folder, process)
        system.freeze(4)
        assert finish(process)[0] == 0
    _, bad = balanced(folder)
    assert bad["timeout"] > 20
    assert not [line for line in lines(folder, "ledger.jsonl") if line.get("outcome") == "refused"]


def test_no_system_no_load(tmp_path):
    """Where nobody listens nothing starts: exit 5, and the session that failed says why."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        folder = run_folder(tmp_path, f"http://127.0.0.1:{nobody.getsockname()[1]}", max_in_flight=2)
        code, _, error = drive(folder)
    assert code == 5
    assert "could not be opened" in error
    assert not lines(folder, "counters.jsonl")


@pytest.mark.parametrize(
    ("load", "url", "says"),
    [
        ({}, "http://example.com", "not among allow_hosts"),
        ({"mix": {"brwse": 1}}, "http://127.0.0.1:1", "unknown flows brwse"),
    ],
)
def test_meaningless_loads_are_refused(tmp_path, load, url, says):
    """Nothing is sent to a host that is not allowed or for flows that do not exist: exit 5 and the reason."""
    code, _, error = drive(run_folder(tmp_path, url, **load))
    assert code == 5
    assert says in error


PARENT = """
import subprocess, sys
drive = subprocess.Popen([sys.executable, "-m", "scenarios.load.drive", sys.argv[1]])
print(drive.pid, flush=True)
drive.wait()
"""


def test_a_tied_load_ends_with_its_parent(tmp_path):
    """When the process that started it is killed, the load ends long before its planned end."""
    with stand_in() as system:
        folder = run_folder(tmp_path, system.url, for_s=90)
        parent = subprocess.Popen(
            [sys.executable, "-c", PARENT, str(folder)],
            cwd=ROOT,
            env=os.environ | {"GAMEDAY_QUIET": "1", "GAMEDAY_TIED": "1"},
            stdout=subprocess.PIPE,
            text=True,
        )
        load = psutil.Process(int(parent.stdout.readline()))
        wait_for_start(folder, parent)
        parent.kill()
        parent.communicate(timeout=10)
        gone, alive = psutil.wait_procs([load], timeout=20)
        for process in alive:
            process.kill()
    assert (len(gone), len(alive)) == (1, 0)
    balanced(folder)
