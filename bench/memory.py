"""Does the recorder's memory stay flat? Ten simulated minutes at 2,000/s, and a shorter real run.

The simulated minutes go through the Recorder's own interface with moments of our making, flushed and written
once a second as in a run, in a process of its own (`recorder_minutes.py`): 50 operations, all outcomes.
The real run has one operation and the whole generator around it.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time

from bench import cores
from bench.errors import BenchError
from bench.figures import OURS, Figure, at_most
from bench.peers import ours
from bench.rounds import alone
from bench.stage import Stage
from bench.target import ROOT, serving

RATE = 2000
OPERATIONS = 50
SECTION = "memory"
SETTLED_MINUTE = 1
_LIMIT_S = 300.0
_SAMPLE_S = 1.0


def measure(stage: Stage) -> list[Figure]:
    """Resident memory at the end against the first minute's end (of the real run: the first third's)."""
    minutes = 3 if stage.quick else 10
    stage.say(f"memory: {minutes} simulated minutes")
    simulated = _simulated(stage, minutes)
    return [
        Figure(
            section=SECTION,
            name=f"recorder, minute {minutes} : minute {SETTLED_MINUTE}, simulated time",
            unit="MB",
            measured={OURS: simulated},
            judged=[simulated[-1] - simulated[SETTLED_MINUTE - 1]],
            judged_unit="MB grown",
            target=at_most(2.0),
            note=f"{RATE}/s, {OPERATIONS} operations; resident at the end of each minute",
        ),
        _real(stage),
    ]


def _simulated(stage: Stage, minutes: int) -> list[float]:
    folder = stage.folder / "recorder"
    folder.mkdir()
    argv = [sys.executable, "-m", "bench.recorder_minutes", str(folder)]
    argv += [str(minutes), str(RATE), str(OPERATIONS)]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=_LIMIT_S, check=False)
    if done.returncode:
        raise BenchError(f"the recorder's minutes failed (exit {done.returncode}): {done.stderr[-1000:]}")
    values: list[float] = json.loads(done.stdout)
    return values


def _real(stage: Stage) -> Figure:
    for_s = stage.seconds(60.0, 6.0)
    samples: list[float] = []

    def sample(generator: int) -> None:
        ends = time.monotonic() + for_s - 4.0
        while time.monotonic() < ends:
            samples.append(cores.memory(generator).rss)
            time.sleep(_SAMPLE_S)

    with serving(stage.folder, cpus=(cores.two()[1],)) as target:
        stage.say(f"memory: {for_s:g} s for real")
        command = ours.arrivals(target.url, rate=RATE, for_s=for_s, out=stage.folder)
        alone(stage, target, command, warm_s=1.0, window_s=1.0, during=sample)()
    third = len(samples) // 3
    return Figure(
        section=SECTION,
        name=f"gameday load, end : a third of {for_s:g} s, real time",
        unit="MB",
        measured={OURS: samples},
        judged=[samples[-1] - samples[third]],
        judged_unit="MB grown",
        note=f"{RATE}/s, one operation; resident memory of the process tree each second",
    )
