"""How long judging takes: an hour at 1,000 requests/s over 20 operations, from the folder to the verdicts.

The folder is made here, in the shape that a run leaves: a line of counters for each operation and second and
one more for answers that came late, ten parts of each 10 s histogram, a report of the generator each second,
series every 5 s. It is judged by a process of its own, whose time counts from the first file read (the
interpreter and its imports are not judging) and whose memory is all it ever held. The second pair of figures
adds a ledger of writes, and has no target.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from bench.errors import BenchError
from bench.figures import OURS, Figure, at_most
from bench.judging_folder import Shape, write
from bench.stage import Stage
from bench.target import ROOT

SECTION = "judging"
RATE, OPERATIONS, SECONDS = 1000, 20, 3600
WRITES = 20  # acknowledged writes a second in the second figure
_LIMIT_S = 300.0


def measure(stage: Stage) -> list[Figure]:
    """Seconds and memory of judging, without and with a ledger of many writes."""
    seconds = 600 if stage.quick else SECONDS
    figures = []
    for name, writes in (("", 0), (f", {WRITES} writes/s", WRITES)):
        stage.say(f"judging: writing a run of {seconds} s{name}")
        folder = write(
            stage.folder / f"run-{writes}",
            Shape(seconds=seconds, rate=RATE, operations=OPERATIONS, writes=writes),
        )
        stage.say(f"judging: {stage.repeats} times{name}")
        runs = [_judged(folder) for _ in range(stage.repeats)]
        figures += _figures(
            f"{seconds} s at {RATE}/s, {OPERATIONS} operations{name}", runs, judged=not writes
        )
    return figures


def _figures(name: str, runs: list[dict[str, float]], *, judged: bool) -> list[Figure]:
    took, held = [run["seconds"] for run in runs], [run["mb"] for run in runs]
    return [
        Figure(
            section=SECTION,
            name=f"judge {name}: time",
            unit="s",
            measured={OURS: took},
            target=at_most(3.0) if judged else None,
            note=f"with its report {max(run['report_seconds'] for run in runs):.1f} s more",
        ),
        Figure(
            section=SECTION,
            name=f"judge {name}: memory",
            unit="MB",
            measured={OURS: held},
            target=at_most(300.0) if judged else None,
        ),
    ]


def _judged(folder: Path) -> dict[str, float]:
    argv = [sys.executable, "-m", "bench.judging_once", str(folder)]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=_LIMIT_S, check=False)
    if done.returncode:
        raise BenchError(f"judging failed (exit {done.returncode}): {done.stderr[-1000:]}")
    found: dict[str, float] = json.loads(done.stdout)
    return found
