"""Stock Locust with FastHttpUser: the command lines, and the percentiles its own statistics report."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path

from bench.errors import BenchError
from bench.generator import Command, Report

TOOL = "locust"
SPAWN_A_SECOND = 1000
_FILE = Path(__file__).parent / "stock_user.py"


def closed(url: str, *, users: int, for_s: float) -> Command:
    """As many requests as ``users`` can make that never think."""
    return _command(url, users=users, for_s=for_s, pace=0.0)


def paced(url: str, *, users: int, rate: float, for_s: float) -> Command:
    """Users with ``constant_throughput`` that ask ``rate`` times a second together, if answers allow it."""
    return _command(url, users=users, for_s=for_s, pace=rate / users)


def read(output: str) -> Report:
    """The last line that the locustfile prints."""
    try:
        said = json.loads(output.strip().rpartition("\n")[2])
        return Report(
            requests=said["requests"],
            p50_ms=said["p50_ms"],
            p90_ms=said["p90_ms"],
            p99_ms=said["p99_ms"],
            sent=said["requests"],
            ok=said["requests"] - said["failures"],
            bad=said["failures"],
        )
    except (ValueError, KeyError, TypeError) as error:
        raise BenchError(f"Locust's statistics cannot be read: {error!r}: {output[-300:]}") from error


def _command(url: str, *, users: int, for_s: float, pace: float) -> Command:
    argv = [sys.executable, "-m", "locust", "-f", str(_FILE), "--headless", "--host", url.rstrip("/")]
    argv += ["--users", str(users), "--spawn-rate", str(min(users, SPAWN_A_SECOND))]
    argv += [
        "--run-time",
        f"{math.ceil(for_s)}s",
        "--stop-timeout",
        "10",
        "--loglevel",
        "ERROR",
        "--only-summary",
    ]
    return Command(
        tool=TOOL,
        argv=tuple(argv),
        for_s=for_s,
        report=read,
        env={"BENCH_PACE": f"{pace!r}"},
    )
