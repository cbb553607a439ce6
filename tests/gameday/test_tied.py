"""A load does not outlive the run that started it, however early that is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil

from gameday.traffic import traffic
from tests.scenarios.runs import ROOT, run_folder, sums
from tests.scenarios.stand_in import stand_in

KILLED = """
import os, signal, sys
from pathlib import Path
from gameday.traffic import traffic

with traffic(Path(sys.argv[1]), timeout_s=1) as load:
    print(load.pid, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""
ECHO = """
import sys
print(__name__, *sys.argv[1:])
sys.exit(7)
"""


def test_a_load_whose_run_was_killed_at_once_never_begins(tmp_path: Path) -> None:
    """It is gone long before its planned end, and nothing was sent."""
    with stand_in() as system:
        folder = run_folder(tmp_path, system.url, for_s=60)
        with subprocess.Popen(
            [sys.executable, "-c", KILLED, str(folder)], cwd=ROOT, stdout=subprocess.PIPE, text=True
        ) as parent:
            assert parent.stdout is not None
            number = int(parent.stdout.readline())
        assert parent.returncode == -signal.SIGKILL
        there = [psutil.Process(number)] if psutil.pid_exists(number) else []
        _, alive = psutil.wait_procs(there, timeout=20)
        for process in alive:
            process.kill()
    assert alive == []
    assert sums(folder)[0]["sent"] == 0


def test_a_load_whose_run_lives_is_driven_to_its_end(tmp_path: Path) -> None:
    """Being tied changes nothing else."""
    with stand_in() as system:
        folder = run_folder(tmp_path, system.url, for_s=1.0, rate=50.0)
        with traffic(folder, timeout_s=5) as load:
            assert load.wait(60) == 0
    assert sums(folder)[0]["ok"] > 20


def _tied(folder: Path, parent: int) -> tuple[int, str]:
    (folder / "echo.py").write_text(ECHO, "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "gameday.tied", str(parent), "echo", "a", "b"],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(folder)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout


def test_the_module_runs_as_the_program_it_is(tmp_path: Path) -> None:
    """With its arguments and its exit code; not at all for a parent that is not there."""
    assert _tied(tmp_path, os.getpid()) == (7, "__main__ a b\n")
    assert _tied(tmp_path, 1) == (1, "")
