"""Progress on a terminal, in a log, and where nobody can read it."""

from __future__ import annotations

import fcntl
import io
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gameday import live
from gameday.live import Plain, Terminal, Watcher, parts, screen_of, watch
from gameday.process import ROOT
from gameday.tail import Standing, View

NOW = 1_790_000_000.0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A run that is 30 s into its 60 s, with a fault."""
    manifest = {"phases": [{"for_s": 60.0}], "load": {"max_in_flight": 600}}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    events = [
        {"t": NOW - 30, "kind": "load", "edge": "start"},
        {"t": NOW, "kind": "generator", "in_flight": 12, "lag_p99": 0.0015, "cpu": 0.31, "dropped_system": 2},
        {"t": NOW, "kind": "fis", "experiment": "aurora-failover", "state": "running"},
    ]
    (tmp_path / "events.jsonl").write_text("".join(json.dumps(each) + "\n" for each in events), "utf-8")
    rows = [
        {
            "t": NOW - age,
            "op": "a",
            "intended": 300,
            "ok": 295,
            "bad": {"timeout": 5},
            "p50": 0.004,
            "p99": 0.2,
        }
        for age in range(2, 7)
    ]
    (tmp_path / "counters.jsonl").write_text("".join(json.dumps(each) + "\n" for each in rows), "utf-8")
    return tmp_path


def watcher(folder: Path, stream: io.StringIO, publish: Callable[[float], None] | None = None) -> Watcher:
    return Watcher(folder=folder, phase=lambda: "steady", publish=publish, screen=Plain(stream, every=1))


def test_the_line_says_everything_in_order_of_importance(folder: Path) -> None:
    """Clock and remaining time, phase, rates, latencies, drops, faults, in flight, start lag, CPU."""
    stream = io.StringIO()
    watcher(folder, stream).tick(NOW)
    assert stream.getvalue().split("  ") == [
        "0:30 (0:30 left)",
        "steady",
        *[""] * 4,
        "300.0/s",
        "good 295.0",
        "bad 5.0",
        "p50 4.0 ms p99 200 ms",
        "2 dropped",
        "aurora-failover: running",
        "12/600 in flight",
        "start lag 1.5 ms",
        "cpu 31%\n",
    ]


def test_before_the_start_there_is_only_what_is_known(tmp_path: Path) -> None:
    """No clock, no rates, no lag: how many sessions are open, once that is said."""
    standing = Standing(tmp_path)
    assert parts("logging users in", View(), standing, NOW) == ["logging users in"]
    event = {"t": NOW, "kind": "opening", "open": 120, "of": 10_500}
    (tmp_path / "events.jsonl").write_text(json.dumps(event) + "\n", "utf-8")
    standing.read()
    line = parts("logging users in", View(), standing, NOW)
    assert line == ["logging users in", "120 of 10500 sessions open"]


def test_a_log_gets_every_tenth_line(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A log is not flooded: whole lines, no control characters."""
    stream = io.StringIO()
    shown = screen_of(stream)
    assert isinstance(shown, Plain)
    one = Watcher(folder=folder, phase=lambda: "steady", publish=None, screen=shown)
    for _ in range(25):
        one.tick(NOW)
    assert stream.getvalue().count("\n") == 2
    assert "\x1b" not in stream.getvalue()


def test_the_ratio_is_published_until_that_fails(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every third second; a failure is said once and stops nothing else."""
    heard: list[float] = []

    def publish(ratio: float) -> None:
        heard.append(ratio)
        if len(heard) == 2:
            raise RuntimeError("no such alarm")

    stream = io.StringIO()
    one = watcher(folder, stream, publish)
    for _ in range(12):
        one.tick(NOW)
    assert heard == [pytest.approx(295 / 300)] * 2
    assert capsys.readouterr().err == "good ratio no longer published: no such alarm\n"
    assert stream.getvalue().count("\n") == 12


def test_a_closed_stderr_ends_the_showing_and_nothing_else(folder: Path) -> None:
    """Closed before or meanwhile: the good ratio is published all the same."""
    assert screen_of(None) is None
    stream, heard = io.StringIO(), []
    one = watcher(folder, stream, heard.append)
    stream.close()
    assert screen_of(stream) is None
    for _ in range(6):
        one.tick(NOW)
    assert len(heard) == 2


def test_watch_ends_with_its_block(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The thread is gone when the block is left, whatever ended it; a missing stderr is no reason to fail."""
    monkeypatch.setattr(live, "TICK_S", 0.01)
    monkeypatch.setattr(sys, "stderr", None)
    heard = threading.Event()
    before = threading.active_count()
    row = {"t": time.time() - 3, "op": "a", "intended": 9, "ok": 9}
    (folder / "counters.jsonl").write_text(json.dumps(row) + "\n", "utf-8")

    def fall() -> None:
        with watch(folder, lambda: "steady", lambda _: heard.set()):
            assert heard.wait(10)
            raise KeyError

    with pytest.raises(KeyError):
        fall()
    assert threading.active_count() == before


@contextmanager
def terminal(columns: int) -> Iterator[tuple[int, int]]:
    """A pseudo-terminal of this width: our side and the process's side."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    try:
        yield ours, theirs
    finally:
        os.close(ours)
        os.close(theirs)


def read(ours: int) -> str:
    """What was written to the terminal so far."""
    data, end = b"", time.monotonic() + 0.2
    while select.select([ours], [], [], 0.05)[0] and time.monotonic() < end:
        data += os.read(ours, 65536)
    return data.decode()


@pytest.mark.parametrize("columns", [200, 80, 40, 8])
def test_a_terminal_is_rewritten_in_place_and_never_wrapped(folder: Path, columns: int) -> None:
    """One line of what fits, whole parts only, gone at the end; the cursor is never hidden."""
    with terminal(columns) as (ours, theirs), os.fdopen(os.dup(theirs), "w") as stream:
        one = Watcher(folder=folder, phase=lambda: "steady", publish=None, screen=Terminal(stream))
        one.tick(NOW)
        one.tick(NOW)
        assert one.screen is not None
        one.screen.close()
        written = read(ours)
    lines = [text for text in re.split(r"\x1b\[[0-9;?]*[a-zA-Z]|\r|\n", written) if text.strip()]
    assert all(len(each.rstrip()) < columns for each in lines)
    assert lines[0] == lines[1]
    assert lines[0].startswith("0:30 (0:30 left)"[: columns - 2])
    assert ("cpu 31%" in lines[0]) == (columns == 200)
    assert "\x1b[?25l" not in written
    assert written.endswith("\x1b[2K")


SCRIPT = """
import sys, threading, time, pathlib
from gameday import live
from gameday.interrupts import interrupts
live.TICK_S = 0.02
with interrupts() as stop, live.watch(pathlib.Path(sys.argv[1]), lambda: "steady", None):
    stop.wait(20)
print("undone", flush=True)
"""


def test_ctrl_c_leaves_a_usable_terminal(folder: Path) -> None:
    """The line is taken away, what is said afterwards stands alone, and the modes are as before."""
    with terminal(100) as (ours, theirs):
        before = termios.tcgetattr(theirs)
        process = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, str(folder)], cwd=ROOT, stderr=theirs, stdout=theirs
        )
        written = ""
        deadline = time.monotonic() + 20
        while "steady" not in written and time.monotonic() < deadline:
            written += read(ours)
        process.send_signal(signal.SIGINT)
        while process.poll() is None and time.monotonic() < deadline:
            written += read(ours)
        written += read(ours)
        assert process.wait(5) == 0
        assert termios.tcgetattr(theirs) == before
    assert written.rstrip().endswith("undone")
    assert written.rpartition("undone")[0].endswith("\x1b[2K")
    assert "\x1b[?25l" not in written


def test_the_share_of_good_answers_is_told_while_it_is_fresh(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of what was seen too long ago nobody knows."""
    one = watcher(folder, io.StringIO())
    assert one.good() is None
    one.tick(NOW)
    for age, expected in ((0.0, 295 / 300), (live.STALE_S, 295 / 300), (live.STALE_S + 1, None)):
        monkeypatch.setattr(time, "time", lambda age=age: NOW + age)
        assert one.good() == expected
