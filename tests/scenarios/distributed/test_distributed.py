"""Master and workers as real processes on loopback, against a stand-in of the system."""

import json
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager

import psutil
import pytest

from tests.scenarios.runs import ROOT, lines, run_folder, spawn, sums
from tests.scenarios.stand_in import stand_in


def distributed(parent, url, *, workers=2, remote=0, port=0, wait_s=60.0, **load):
    """A run folder whose manifest asks for workers."""
    folder = run_folder(parent, url, **load)
    path = folder / "manifest.json"
    crew = {"local": workers, "remote": remote, "bind": "127.0.0.1", "port": port, "wait_s": wait_s}
    manifest = json.loads(path.read_text()) | {"workers": workers + remote, "distribution": crew}
    path.write_text(json.dumps(manifest))
    return folder


@contextmanager
def ended(process):
    """The process until the end of the block; neither it nor a child outlives it."""
    try:
        yield process
    finally:
        alive = process.poll() is None
        for each in (*(psutil.Process(process.pid).children(recursive=True) if alive else ()), process):
            each.kill()
        process.wait(20)
        process.stdout.close()
        process.stderr.close()


def started(*arguments):
    """Python with these arguments in the project, for the length of a block."""
    return ended(
        subprocess.Popen(
            [sys.executable, *arguments],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
    )


def master(folder):
    """The drive of a folder, for the length of a block."""
    return ended(spawn(folder))


def wait_for(process, condition):
    """Poll until the condition holds while the process lives; what it gave."""
    deadline = time.monotonic() + 40
    while not (found := condition()):
        assert time.monotonic() < deadline
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    return found


def arriving(folder, process):
    """Wait for a book of every worker; the worker processes among the descendants of `process`."""
    manifest = json.loads((folder / "manifest.json").read_text())
    wait_for(process, lambda: len({e["worker"] for e in events(folder, "generator")}) == manifest["workers"])
    found = psutil.Process(process.pid).children(recursive=True)
    return [each for each in found if not each.children()]


def events(folder, kind):
    """Events of a kind."""
    return [line for line in lines(folder, "events.jsonl") if line["kind"] == kind]


def left(processes):
    """The processes that are still there after a while; they are ended."""
    _, alive = psutil.wait_procs(processes, timeout=15)
    for each in alive:
        each.kill()
    return alive


def free_port():
    """A port that nobody has now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_two_workers_perform_one_schedule(tmp_path):
    """Every arrival once, books in one folder, one read-back, an account and a clock of each worker."""
    with stand_in() as system:
        folder = distributed(tmp_path, system.url, for_s=2, rate=200)
        with master(folder) as process:
            _, error = process.communicate(timeout=60)
        assert (process.returncode, error) == (0, "")
        logins = system.seen["POST login"]
    total, bad = sums(folder)
    assert not bad
    assert total["ok"] == total["sent"] == total["intended"] == pytest.approx(400, abs=4)
    asked = sum(line["sent"] for line in lines(folder, "counters.jsonl") if line["op"].endswith("login"))
    assert logins - asked == 60 + 1  # 60 sessions among the workers, and the auditor
    assert {line["worker"] for line in events(folder, "generator")} == {"w1", "w2"}
    clocks = events(folder, "clock")
    assert {(line["worker"], line["edge"]) for line in clocks} == {
        (worker, edge) for worker in ("w1", "w2") for edge in ("start", "end")
    }
    assert all(abs(line["offset"]) < 0.05 and line["rtt"] < 0.5 for line in clocks)
    edges = events(folder, "load")
    assert [line["edge"] for line in edges] == ["start", "end", "drained"]
    assert edges[0]["t"] == min(line["t"] for line in lines(folder, "counters.jsonl"))
    writes = [line for line in lines(folder, "ledger.jsonl") if line["kind"] == "write"]
    assert len({(line["set"], line["id"]) for line in writes}) == len(writes) > 10
    found = [line["complete"] for line in lines(folder, "ledger.jsonl") if line["kind"] == "readback"]
    assert found
    assert all(found)
    assert not events(folder, "worker_lost")


def test_a_killed_worker_makes_the_run_invalid(tmp_path):
    """Kill -9 of one of two: named at once, what it owed is counted, the other drains on time, exit 4."""
    with stand_in() as system:
        command = ["load", f"{system.url}/static/app.js", "--arrivals", "100/s", "--for", "4s"]
        command += ["--warmup", "0s", "--workers", "2", "--objective", "p(99) < 500ms"]
        command += ["--out", str(tmp_path)]
        with started("-c", "from gameday.cli import main; main()", *command) as process:
            (folder,) = wait_for(process, lambda: list(tmp_path.glob("*/events.jsonl")))
            folder = folder.parent
            workers = arriving(folder, process)
            assert len(workers) == 2
            workers[0].kill()
            killed = time.time()
            (event,) = wait_for(process, lambda: events(folder, "worker_lost"))
            _, error = process.communicate(timeout=60)
    assert event["t"] - killed < 1.5
    assert event["pid"] == workers[0].pid
    assert process.returncode == 4, error
    named = f"worker {event['worker']} (pid {event['pid']} on {socket.gethostname()}) was lost"
    assert named in error
    assert named in json.loads((folder / "verdicts.json").read_text())["reason"]
    assert named in (folder / "report.html").read_text()
    edges = {line["edge"]: line["t"] for line in events(folder, "load")}
    assert edges["drained"] - edges["start"] < 4 + 2
    total, bad = sums(folder)
    assert total["intended"] == pytest.approx(400, abs=2)
    assert bad["dropped_generator"] > 20


def test_a_hanging_worker_is_lost_and_without_any_the_load_ends(tmp_path):
    """SIGSTOP: named and ended after some heartbeats; without the other, too, the load ends with code 4."""
    with stand_in() as system:
        folder = distributed(tmp_path, system.url, for_s=60, rate=50)
        with master(folder) as process:
            workers = arriving(folder, process)
            workers[1].send_signal(signal.SIGSTOP)
            (event,) = wait_for(process, lambda: events(folder, "worker_lost"))
            assert not left([workers[1]])
            workers[0].kill()
            _, error = process.communicate(timeout=30)
    assert process.returncode == 4
    assert "no sign of life" in event["reason"]
    assert [line["pid"] for line in events(folder, "worker_lost")] == [workers[1].pid, workers[0].pid]
    assert "every worker was lost" in error


def test_workers_do_not_outlive_their_master(tmp_path):
    """One of this machine and one that joined by address, without a folder: both end after kill -9."""
    port = free_port()
    with stand_in() as system:
        folder = distributed(tmp_path, system.url, workers=1, remote=1, port=port, for_s=60, rate=50)
        joining = started("-m", "scenarios.load.distributed.worker", "--master-port", str(port))
        with joining as remote, master(folder) as process:
            (local,) = arriving(folder, process)
            process.kill()
            assert not left([local])
            _, error = remote.communicate(timeout=20)
    assert remote.returncode == 5
    assert "the master has not been heard" in error


def test_an_interrupted_load_drains_everywhere(tmp_path):
    """SIGTERM to the master: no more arrivals, all answered and recorded, no read-back, nobody lost."""
    with stand_in() as system:
        folder = distributed(tmp_path, system.url, workers=1, for_s=600, rate=100)
        with master(folder) as process:
            workers = arriving(folder, process)
            process.terminate()
            _, error = process.communicate(timeout=30)
            assert not left(workers)
    assert (process.returncode, error) == (0, "")
    total, bad = sums(folder)
    assert not bad
    assert total["ok"] == total["intended"] > 0
    assert [line["edge"] for line in events(folder, "load")][-1] == "drained"
    assert not events(folder, "worker_lost")
    kinds = {line["kind"] for line in lines(folder, "ledger.jsonl")}
    assert not kinds & {"read", "readback"}


def test_workers_that_do_not_come_are_waited_for_no_longer_than_said(tmp_path):
    """The number is fixed: a load with fewer does not start, exit 5, and says who was there."""
    with stand_in() as system:
        folder = distributed(tmp_path, system.url, workers=0, remote=1, port=free_port(), wait_s=0.5)
        with master(folder) as process:
            _, error = process.communicate(timeout=30)
    assert process.returncode == 5
    assert "only 0 of 1 workers were there within 0.5 s: none" in error
    assert not lines(folder, "counters.jsonl")


def test_a_worker_that_cannot_open_its_sessions_says_why(tmp_path):
    """The cause comes from the worker, the exit code is 5, and nothing was counted."""
    folder = distributed(tmp_path, f"http://127.0.0.1:{free_port()}", workers=1, max_in_flight=2)
    with master(folder) as process:
        _, error = process.communicate(timeout=60)
    assert process.returncode == 5
    assert "w1 (pid" in error
    assert "could not be opened" in error
    assert not lines(folder, "counters.jsonl")


def test_fewer_sessions_than_workers_are_refused(tmp_path):
    """Before a worker is started: exit 5 and what to do."""
    with master(distributed(tmp_path, "http://127.0.0.1:1", max_in_flight=1)) as process:
        _, error = process.communicate(timeout=30)
    assert process.returncode == 5
    assert "1 sessions for 2 workers" in error
    assert "take fewer workers" in error
