"""Children of a run: they end with it, and Ctrl-C while they start is an interruption, not a failure."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from gameday.errors import Interrupted, RegionError
from gameday.interrupts import interrupts
from gameday.process import child
from gameday.region import ready

STUBBORN = """
import pathlib, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
pathlib.Path(sys.argv[1]).touch()
time.sleep(60)
"""


def test_a_child_is_gone_when_the_block_ends() -> None:
    """SIGTERM ends it, also when the block was left by an error."""
    with pytest.raises(KeyError), child("http.server", "0", "--bind", "127.0.0.1") as process:  # noqa: PT012
        assert process.poll() is None
        raise KeyError
    assert process.poll() == -signal.SIGTERM


def test_a_child_that_will_not_end_is_killed(tmp_path: Path) -> None:
    """Patience has a limit."""
    (tmp_path / "stubborn.py").write_text(STUBBORN, "utf-8")
    up = tmp_path / "up"
    with child("stubborn", str(up), env={"PYTHONPATH": str(tmp_path)}, patience_s=0.2) as process:
        deadline = time.monotonic() + 10
        while not up.exists():
            assert time.monotonic() < deadline
            assert process.poll() is None
    assert process.poll() == -signal.SIGKILL


def test_a_child_does_not_see_the_terminals_ctrl_c() -> None:
    """It lives in a session of its own."""
    with child("http.server", "0", "--bind", "127.0.0.1") as process:
        assert os.getsid(process.pid) == process.pid


def test_ctrl_c_while_the_region_starts_is_an_interruption(tmp_path: Path) -> None:
    """Exit 130, not 5: nobody broke anything."""
    stop = threading.Event()
    stop.set()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        with pytest.raises(Interrupted):
            ready(tmp_path, process, stop)
        process.kill()


def test_a_region_that_ends_before_it_is_ready_is_said(tmp_path: Path) -> None:
    """The code it ended with is in the message."""
    with subprocess.Popen([sys.executable, "-c", "raise SystemExit(5)"]) as process:
        process.wait(10)
        with pytest.raises(RegionError, match="code 5"):
            ready(tmp_path, process, threading.Event())


def test_signals_become_one_event_and_are_given_back() -> None:
    """A second signal changes nothing; the handler of before returns."""
    before = signal.getsignal(signal.SIGINT)
    with interrupts() as stop:
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.wait(5)
    assert signal.getsignal(signal.SIGINT) is before
