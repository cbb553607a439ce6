"""Real `locust` processes with the locustfiles of this folder, and what their summaries say."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
FILES = Path(__file__).parent / "locustfiles"


def spawn(file: str, *arguments: str, **environment: str) -> subprocess.Popen[str]:
    """Start it; its table of numbers and ours go to stderr."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GAMEDAY_", "LOCUST_"))}
    path = ROOT / file if "/" in file else FILES / f"{file}.py"
    return subprocess.Popen(
        [sys.executable, "-m", "locust", "-f", str(path), "--only-summary", *arguments],
        cwd=ROOT,
        env=kept | {"PYTHONPATH": str(ROOT)} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )


def end(process: subprocess.Popen[str]) -> None:
    """Nothing of it is left, whatever it has forked."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def free_port() -> str:
    """A port nobody listens at."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return str(found.getsockname()[1])


def locust(file: str, *arguments: str, **environment: str) -> tuple[int, str, str]:
    """Run it to its end: exit code, our summary, everything it said before that."""
    process = spawn(file, *arguments, **environment)
    try:
        _, said = process.communicate(timeout=60)
    finally:
        end(process)
    before, mark, summary = said.partition("Gameday")
    return process.returncode, mark + summary, before


def rows(summary: str) -> dict[str, list[str]]:
    """The summary's table: intended, sent, ok, bad, percentiles and service p50 by operation."""
    found = {}
    for line in summary.splitlines()[2:]:
        cells = line.split()
        if len(cells) < 11:
            break
        found[" ".join(cells[:-10])] = cells[-10:]
    return found


def counts(summary: str, name: str) -> tuple[int, int, int, int]:
    """Intended, sent, ok and bad of one operation."""
    intended, sent, ok, bad = map(int, rows(summary)[name][:4])
    return intended, sent, ok, bad
