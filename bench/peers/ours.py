"""The engine under test: the `gameday load` command as a user would type it, and its --json."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import Any

from bench.errors import BenchError
from bench.figures import OURS
from bench.generator import Command, Report

_FIXED = ("--warmup", "0s", "--json")
_INVALID = 4  # flat out the generator is the bottleneck, as is asked for here, and says so


def closed(url: str, *, users: int, for_s: float, out: Path, workers: int = 0) -> Command:
    """As many requests as ``users`` can make that never think."""
    return _command(url, for_s, out, "--users", str(users), workers=workers, good_exits=(0, _INVALID))


def arrivals(
    url: str, *, rate: float, for_s: float, out: Path, sessions: int = 0, workers: int = 0
) -> Command:
    """``rate`` arrivals a second, over so many held sessions if a number is given."""
    held = ("--sessions", str(sessions)) if sessions else ()
    return _command(url, for_s, out, "--arrivals", f"{rate:g}/s", *held, workers=workers)


def read(output: str) -> Report:
    """What --json prints."""
    try:
        said: dict[str, Any] = json.loads(output)
        latency, lag = said["latency_ms"], said["start_lag_ms"]
        bad = said["bad"]
        return Report(
            requests=said["sent"],
            p50_ms=_known(latency["p50"]),
            p90_ms=_known(latency["p90"]),
            p99_ms=_known(latency["p99"]),
            lag_p99_ms=_known(lag["p99"]),
            intended=said["intended"],
            sent=said["sent"],
            ok=said["ok"],
            bad=sum(bad.values()),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BenchError(f"the --json of gameday load cannot be read: {error!r}: {output[:300]}") from error


def _known(value: float | None) -> float:
    return math.nan if value is None else float(value)


def _command(
    url: str, for_s: float, out: Path, *model: str, workers: int, good_exits: tuple[int, ...] = (0,)
) -> Command:
    program = Path(sys.executable).parent / "gameday"
    split = ("--workers", str(workers)) if workers else ()
    return Command(
        tool=OURS,
        argv=(str(program), "load", url, *model, *split, "--for", f"{for_s:g}s", *_FIXED, "--out", str(out)),
        for_s=for_s,
        report=read,
        good_exits=good_exits,
    )
