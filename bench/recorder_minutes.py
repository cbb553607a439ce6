"""``python -m bench.recorder_minutes FOLDER MINUTES RATE OPERATIONS``: a recorder over simulated minutes.

Prints the resident memory (MB) at the end of each minute as a JSON list.
"""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path

import psutil

from bench.cores import MB
from scenarios.load.operation import operation
from scenarios.load.recorder import BAD_CLASSES, Recorder
from scenarios.load.sink import FolderSink

START = 1_790_000_000.0
BAD_SHARE = 0.02
THRESHOLDS = (0.1, 0.5)
_MEDIAN_S, _SIGMA = 0.02, 0.8  # a long-tailed latency: p99.9 is about 12 medians away


def minutes(folder: Path, count: int, rate: int, operations: int) -> list[float]:
    """Resident MB at the end of each simulated minute of ``rate`` operations a second."""
    known = [operation(f"op{number}", f"GET /op/{number}") for number in range(operations)]
    recorder = Recorder(
        sink=FolderSink(folder), operations=known, thresholds=[THRESHOLDS] * operations, start=START
    )
    rng = random.Random(1)
    process = psutil.Process()
    resident = []
    for second in range(count * 60):
        _second(recorder, rng, START + second, rate, operations)
        for _ in recorder.flush(START + second + 1):
            pass
        recorder.recent_p99()
        if second % 60 == 59:
            resident.append(round(process.memory_info().rss / MB, 2))
    recorder.close(START + count * 60)
    return resident


def _second(recorder: Recorder, rng: random.Random, begin: float, rate: int, operations: int) -> None:
    for number in range(rate):
        at, slug = begin + number / rate, f"op{number % operations}"
        recorder.intended(slug, at)
        recorder.sent(slug, at)
        latency = _MEDIAN_S * rng.lognormvariate(0.0, _SIGMA)
        outcome = "ok" if rng.random() > BAD_SHARE else rng.choice(BAD_CLASSES)
        recorder.resolve(slug, at, outcome, latency=latency, service=latency)
        if outcome == "ok":
            recorder.slowest(slug, latency, at=at, request_id=f"r{at}")
        else:
            recorder.exemplar(slug, outcome, at=at, detail=f"failed at {at}", request_id=f"r{at}")


if __name__ == "__main__":
    sys.stdout.write(json.dumps(minutes(Path(sys.argv[1]), *(int(word) for word in sys.argv[2:5]))) + "\n")
