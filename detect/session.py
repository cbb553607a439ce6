"""Where one pass over the schedule keeps what it finds.

A folder of its own, so that nothing is compared with runs of another day, and the seed of everything drawn.
"""

from __future__ import annotations

import json
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from detect.setup import ROOT

FILE = "session.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A folder and its seed."""

    folder: Path
    seed: int


def opened(out: Path, *, quick: bool, fresh: bool, seed: int | None) -> Session:
    """A new session, or the latest of its kind in `out` to go on with, which keeps its seed."""
    kind = "quick" if quick else "full"
    there = sorted(path.parent for path in out.glob(f"{kind}-*/{FILE}"))
    if there and not fresh:
        kept = int(json.loads((there[-1] / FILE).read_text("utf-8"))["seed"])
        return Session(folder=there[-1], seed=kept if seed is None else seed)
    drawn = time.time_ns() % 1_000_000_000 if seed is None else seed
    folder = out / f"{kind}-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILE).write_text(json.dumps({"seed": drawn}) + "\n", "utf-8")
    return Session(folder=folder, seed=drawn)


def commit() -> str:
    """What is checked out, with a plus where files differ from it; nothing outside of a checkout."""

    def git(*words: str) -> str:
        done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)
        return done.stdout.strip()

    return git("rev-parse", "--short=12", "HEAD") + ("+" if git("status", "--porcelain") else "")
