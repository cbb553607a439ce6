"""`gameday load` from start to end against real servers on loopback, good and bad."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest
from click.testing import CliRunner, Result

from gameday.cli import main
from gameday.exitcodes import ExitCode
from gameday.process import ROOT
from slo import jsonl
from tests.gameday import hostile

SPREAD = {"p50", "p90", "p99", "p999", "max"}
SHORT = ("--warmup", "0s", "--for", "2s", "--timeout", "500ms")


def gameday(*words: str) -> Result:
    return CliRunner().invoke(main, list(words))


def loaded(out: Path, url: str, *words: str) -> tuple[Result, dict[str, Any]]:
    shown = gameday("load", url, "--json", "--out", str(out), *words)
    return shown, json.loads(shown.stdout)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Result, dict[str, Any], bytes]:
    """One good run of two measured seconds, its figures, and a head the server saw."""
    with hostile.serving() as server:
        words = (
            "--arrivals",
            "50/s",
            "--warmup",
            "1s",
            "--for",
            "2s",
            "--header",
            "Authorization: Bearer hunter2",
        )
        shown, found = loaded(tmp_path_factory.mktemp("runs"), server.url("/ok?q=1"), "--body", "{}", *words)
        return shown, found, server.heads[-1]


def test_every_arrival_of_the_measured_time_is_counted(run: tuple[Result, dict[str, Any], bytes]) -> None:
    """Rate times time, no more and no less, the warm-up left out."""
    shown, found, _ = run
    assert shown.exit_code == found["exit"] == ExitCode.PASS
    assert (found["intended"], found["sent"], found["ok"], found["bad"]) == (100, 100, 100, {})
    assert (found["verdict"], found["verdicts"], found["valid"]) == ("measured", [], True)
    assert "nothing was judged" in found["reason"]
    assert (found["model"], found["measured_s"]) == ("arrivals", 2.0)


def test_the_figures_are_whole(run: tuple[Result, dict[str, Any], bytes]) -> None:
    """Percentiles rise, latency is not shorter than service time, and costs are there."""
    _, found, _ = run
    for name in ("latency_ms", "service_ms"):
        values = found[name]
        assert set(values) == SPREAD
        assert 0 < values["p50"] <= values["p90"] <= values["p99"] <= values["p999"] <= values["max"]
    assert found["latency_ms"]["p50"] >= found["service_ms"]["p50"]
    assert set(found["start_lag_ms"]) == {"p50", "p99", "max"}
    assert 0 < found["cpu_seconds"] < 10
    assert 0 < next(iter(found["floor_ms"].values())) < 100


def test_the_request_is_the_one_asked_for(run: tuple[Result, dict[str, Any], bytes]) -> None:
    """Method, path, headers and the run's mark arrive; the secret stands in no file of the run."""
    _, found, head = run
    assert head.startswith(b"POST /ok?q=1 HTTP/1.1\r\n")
    assert b"Authorization: Bearer hunter2\r\n" in head + b"\r\n"
    assert Path(found["run"]).name.encode() in head
    written = b"".join(path.read_bytes() for path in Path(found["run"]).iterdir())
    assert b"hunter2" not in written
    assert b"env:GAMEDAY_HEADER_1" in written


def test_the_folder_is_an_ordinary_one(run: tuple[Result, dict[str, Any], bytes]) -> None:
    """It is judged and reported again, and says that nothing was judged."""
    _, found, _ = run
    shown = gameday("judge", found["run"])
    assert (shown.exit_code, "MEASURED" in shown.output) == (ExitCode.PASS, True)
    assert gameday("report", found["run"]).exit_code == 0
    assert "No objective was given" in (Path(found["run"]) / "report.html").read_text()


def test_every_way_to_misbehave_has_its_class(tmp_path: Path) -> None:
    """Resets, garbage, silence, endless bodies and errors are told apart; the run ends on time and fails."""
    with hostile.serving() as server:
        # a wide limit: it fails all the same, and a busy machine's late starts do not void the run
        asked = ("--objective", "rate < 1%", "--objective", "p(50) < 3s")
        shown, found = loaded(tmp_path, server.url("/mix"), "--arrivals", "30/s", *SHORT, *asked)
    assert (found["intended"], found["sent"], found["ok"]) == (60, 60, 10)
    assert found["bad"] == {"reset": 10, "protocol": 10, "timeout": 20, "http_5xx": 10}
    events = jsonl.read(Path(found["run"]) / "events.jsonl")
    edges = {one["edge"]: one["t"] for one in events if one["kind"] == "load"}
    assert edges["drained"] - edges["start"] < 2 + 0.5 + 2
    assert shown.exit_code == found["exit"] == ExitCode.FAIL
    assert {one["id"]: one["verdict"] for one in found["verdicts"]}["errors"] == "fail"
    assert "--for 300s" in shown.stderr or "--for 120s" in shown.stderr
    assert gameday("judge", found["run"]).exit_code == ExitCode.FAIL


def test_nobody_there_is_no_data(tmp_path: Path) -> None:
    """Every arrival is counted as not connected; without one good answer nothing was measured."""
    url = f"http://127.0.0.1:{hostile.closed_port()}/"
    shown, found = loaded(tmp_path, url, "--arrivals", "20/s", *SHORT)
    assert (found["intended"], found["sent"], found["ok"], found["bad"]) == (40, 40, 0, {"connect": 40})
    assert (shown.exit_code, found["verdict"]) == (ExitCode.INCONCLUSIVE, "no-data")
    assert (found["latency_ms"]["p99"], found["floor_ms"]) == (None, None)


def test_users_are_marked_as_a_closed_model(tmp_path: Path) -> None:
    """In the figures, the reason, the table and both reports."""
    with hostile.serving() as server:
        words = ("--users", "3", "--think", "100ms", "--objective", "max < 5s")
        shown, found = loaded(tmp_path, server.url(), *SHORT, *words)
    assert shown.exit_code == ExitCode.PASS
    assert (found["model"], found["verdicts"][0]["verdict"]) == ("users", "pass")
    assert 20 <= found["ok"] <= 63
    assert "closed model: who sends next waits" in found["reason"]
    assert "pass (closed model)" in gameday("judge", found["run"]).output
    for name in ("report.html", "report.md"):
        assert "closed model" in (Path(found["run"]) / name).read_text()


def test_an_interrupt_ends_it_and_leaves_nothing_behind(tmp_path: Path) -> None:
    """Exit 130, the folder says it was cut short, and no process of it is left."""
    with hostile.serving() as server:
        command = [sys.executable, "-c", "from gameday.cli import main; main()", "load", server.url()]
        process = subprocess.Popen(
            [*command, "--arrivals", "20/s", "--for", "60s", "--json", "--out", str(tmp_path)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        try:
            hostile.until(lambda: server.seen)
            children = psutil.Process(process.pid).children(recursive=True)
            os.kill(process.pid, signal.SIGINT)
            out, _ = process.communicate(timeout=30)
        finally:
            process.kill()
            process.wait()
    found = json.loads(out)
    assert process.returncode == found["exit"] == ExitCode.INTERRUPTED
    assert json.loads((Path(found["run"]) / "manifest.json").read_text())["state"] == "cut-short"
    assert children
    assert not psutil.wait_procs(children, timeout=5)[1]
