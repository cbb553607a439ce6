"""Run folders for the drive, and what it leaves in them."""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


def run_folder(parent: Path, url: str, *, for_s: float = 3.0, rate: float = 150.0, **load: Any) -> Path:
    """A folder with a manifest that drives LexoHub's scenario at `url`."""
    folder = parent / "lexohub-test-20261121T114500Z-0001"
    folder.mkdir(parents=True)
    manifest = {
        "schema": 1,
        "run_id": folder.name,
        "system": "lexohub",
        "environment": {"name": "test", "urls": {"api": url}, "documents": 2000},
        "load": {
            "model": "arrivals",
            "rate": rate,
            "max_in_flight": 60,
            "seed": 7,
            "only": [],
            "timeout_s": 5.0,
        }
        | load,
        "phases": [{"name": "steady", "for_s": for_s, "experiment": None}],
        "thresholds": {"*": [0.1, 0.5]},
        "allow_hosts": ["127.0.0.1"],
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def spawn(folder: Path, *, quiet: bool = True) -> subprocess.Popen[str]:
    """The drive as a process of its own: gevent stays out of the tests' process."""
    environment = {name: value for name, value in os.environ.items() if name != "GAMEDAY_QUIET"}
    return subprocess.Popen(
        [sys.executable, "-m", "scenarios.load.drive", str(folder)],
        cwd=ROOT,
        env=environment | ({"GAMEDAY_QUIET": "1"} if quiet else {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def drive(folder: Path) -> tuple[int, str, str]:
    """Drive to the end: exit code, stdout, stderr."""
    process = spawn(folder)
    try:
        out, error = process.communicate(timeout=90)
    finally:
        process.kill()
    return process.returncode, out, error


def lines(folder: Path, name: str) -> list[dict[str, Any]]:
    """The objects of a JSON-lines file; empty if there is none."""
    path = folder / name
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def sums(folder: Path) -> tuple[Counter[str], Counter[str]]:
    """Counters over the whole run, and bad ones by class."""
    total: Counter[str] = Counter()
    bad: Counter[str] = Counter()
    for line in lines(folder, "counters.jsonl"):
        total.update({name: line[name] for name in ("planned", "intended", "sent", "ok")})
        bad.update(line["bad"])
    return total, bad
