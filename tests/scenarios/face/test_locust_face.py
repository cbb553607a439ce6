import json
import time
import urllib.request

import psutil
import pytest

from slo import record
from tests.scenarios.face.commands import counts, end, free_port, locust, rows, spawn
from tests.scenarios.face.shop_server import shop

USERS = 8


def test_tasks_arrive(tmp_path):
    """--gameday-rate: tasks of two classes arrive by weight and tags; a run folder holds the same figures.

    Locust's --csv, --html and --json-file are written as ever.
    """
    runs, own = tmp_path / "runs", tmp_path / "own"
    with shop() as server:
        code, summary, said = locust(
            *("shop", "--headless", "-u", "8", "-r", "8", "-t", "3s", "-H", server.url, "--tags", "read"),
            *("--gameday-rate", "40", "--gameday-run-folder", str(runs)),
            *("--csv", str(own), "--html", f"{own}.html", "--json-file", str(own)),
        )
        seen = sum(server.seen.values())
    assert code == 0, said
    looked, rounds = counts(summary, "GET /items/{id}")[0], counts(summary, "GET /first")[0]
    assert looked == pytest.approx(3 * rounds, abs=4)
    second = counts(summary, "GET /second")[0]
    assert rounds - USERS <= second <= rounds  # each user may be under way at the end
    assert 50 < looked + rounds < 130
    assert "GET /receipt" not in rows(summary)
    assert "[closed]" not in summary
    assert "start lag of" in summary
    (folder,) = runs.iterdir()
    kept = record.read(folder)
    assert kept.state == "complete"
    assert (
        int(kept.counters.intended.sum()) == int(kept.counters.ok.sum()) == counts(summary, "all")[0] == seen
    )
    assert set(kept.manifest.operations) == set(kept.counters.operations)
    assert kept.histograms.merged([f"{slug}.ok" for slug in kept.counters.operations]).sum() == seen
    assert str(folder) in summary
    assert "GET,/items/{id}" in (tmp_path / "own_stats.csv").read_text()
    assert (tmp_path / "own.html").stat().st_size > 10_000
    assert sum(row["num_requests"] for row in json.loads((tmp_path / "own.json").read_text())) == seen


def test_a_slow_shop_does_not_slow_arrivals_down():
    """Latency counts from the intended start, and what no session was free for is a drop of the system's."""
    with shop() as server:
        _, summary, _ = locust(
            *("calls_slowly", "--headless", "-u", "2", "-r", "2", "-t", "4s", "-H", server.url),
            *("--gameday-rate", "20", "--gameday-timeout", "2"),
        )
    intended, sent, _, bad = counts(summary, "GET /slow")
    assert intended > 2 * sent
    assert bad >= intended - sent
    assert "dropped_system" in summary


def test_master_and_workers_add_up(tmp_path):
    """--processes 2: the schedule is shared, not doubled, and the master's summary has everything."""
    port = free_port()
    with shop() as server:
        code, summary, said = locust(
            *("shop", "--headless", "-u", "8", "-r", "8", "-t", "6s", "-H", server.url, "--processes", "2"),
            *("--gameday-rate", "40", "--gameday-run-folder", str(tmp_path)),
            *("--master-bind-port", port, "--master-port", port),
        )
        seen = sum(server.seen.values())
    assert code == 0, said
    intended, _, ok, bad = counts(summary, "all")
    assert (ok, intended) == (seen, seen + bad)
    assert bad <= USERS  # Locust cuts off what is under way at the end
    flows = sum(counts(summary, name)[0] for name in ("GET /items/{id}", "POST /buy", "GET /first"))
    seconds = int(summary.split()[1])
    assert 40 * (seconds - 2) <= flows <= 40 * seconds + 4
    assert "incomplete" not in summary
    (folder,) = tmp_path.iterdir()
    assert int(record.read(folder).counters.ok.sum()) == seen


def test_the_web_ui_is_for_this_machine_only():
    """Without --web-host the UI binds 127.0.0.1; our options and a summary are in it."""
    with shop() as server:
        process = spawn("shop", "-H", server.url, "--web-port", "0", "--autostart", "-u", "2")
        try:
            bound = _listening(process.pid)
            assert bound.ip == "127.0.0.1"
            page = _page(bound.port, "")
            assert all(f"gameday_{name}" in page for name in ("rate", "spacing", "seed", "timeout"))
            assert not any(f"gameday_{name}" in page for name in ("run_folder", "allow_hosts"))
            _until(lambda: "GET /items/{id} [closed]" in _page(bound.port, "gameday"))
            process.terminate()  # a background shell hands SIGINT down ignored
            _, said = process.communicate(timeout=30)
        finally:
            end(process)
    assert "GET /items/{id} [closed]" in said


def test_names_without_bounds_are_refused():
    """A new name for every id ends the run with exit code 2 and says what to do."""
    with shop() as server:
        code, summary, said = locust(
            *("shop", "--headless", "-u", "20", "-r", "20", "-t", "30s", "-H", server.url, "--tags", "read"),
            *("--gameday-rate", "600"),
            SHOP_IDS="1",
        )
    assert code == 2
    assert 'name="/items/{id}"' in said
    assert len(rows(summary)) < 502


def _listening(pid):
    found = []

    def look():
        found[:] = [
            each.laddr
            for each in psutil.Process(pid).net_connections("tcp")
            if each.status == psutil.CONN_LISTEN
        ]
        return found

    _until(look)
    return found[0]


def _page(port, path):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}", timeout=10) as answer:
        return answer.read().decode()


def _until(condition, within_s=20):
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)
