"""One generator's run: started on its core, watched while its load is steady, asked for its own report."""

from __future__ import annotations

import math
import os
import resource
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench import cores
from bench.errors import BenchError
from bench.target import ROOT, Target

GRACE_S = 45.0
_QUOTE = 1500


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a generator says of its own run; milliseconds, NaN where it does not say."""

    requests: int
    p50_ms: float
    p90_ms: float
    p99_ms: float
    lag_p99_ms: float = math.nan
    intended: int = 0
    sent: int = 0
    ok: int = 0
    bad: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """How to start a generator for ``for_s`` seconds of load; ``report`` reads what stdout or a file says."""

    tool: str
    argv: tuple[str, ...]
    for_s: float
    report: Callable[[str], Report]
    env: Mapping[str, str] = field(default_factory=dict)
    good_exits: tuple[int, ...] = (0,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A steady stretch: requests as the server counted them, CPU of the generator's whole process tree."""

    requests: int
    seconds: float
    cpu_s: float
    server_cpu_s: float
    memory: cores.Memory

    @property
    def per_cpu_second(self) -> float:
        """Requests per CPU-second of the generator."""
        return self.requests / self.cpu_s if self.cpu_s else math.nan

    @property
    def cpu_us(self) -> float:
        """Microseconds of the generator's CPU per request."""
        return self.cpu_s / self.requests * 1e6 if self.requests else math.nan

    @property
    def rate(self) -> float:
        """Requests per second of wall time."""
        return self.requests / self.seconds

    @property
    def share(self) -> float:
        """Generator CPU as a share of one core."""
        return self.cpu_s / self.seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One finished run; ``cpu_s`` is the whole process tree from start-up to exit."""

    window: Window
    report: Report
    cpu_s: float


def run(
    command: Command,
    target: Target,
    *,
    folder: Path,
    warm_s: float,
    window_s: float,
    cpus: tuple[int, ...],
    during: Callable[[int], None] | None = None,
) -> Run:
    """Run a generator to its end; the window opens ``warm_s`` after the server saw its first request.

    ``during`` is called at that moment with the generator's process id; what it takes is part of the window.

    Raises:
        BenchError: it did not start, failed, or did not end; its last words are quoted.
    """
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    seen = target.requests
    with _started(command, folder, cpus) as (process, said):
        try:
            begun = target.await_traffic(seen, busy=process)
            window = _watch(process, target, begun + warm_s, window_s, during)
            process.wait(command.for_s + GRACE_S)
        except subprocess.TimeoutExpired:
            raise BenchError(f"{command.tool} did not end in time: {said()}") from None
        except BenchError as error:
            raise BenchError(f"{command.tool}: {error}: {said()}") from error
        if process.returncode not in command.good_exits:
            raise BenchError(f"{command.tool} ended with exit {process.returncode}: {said()}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    output = (folder / "stdout").read_text(errors="replace")
    return Run(window=window, report=command.report(output), cpu_s=spent)


def _watch(
    process: subprocess.Popen[bytes],
    target: Target,
    opens: float,
    window_s: float,
    during: Callable[[int], None] | None,
) -> Window:
    time.sleep(max(0.0, opens - time.monotonic()))
    begun, requests = time.monotonic(), target.requests
    cpu, server = cores.cpu_s(process.pid), target.cpu_s()
    if during is not None:
        during(process.pid)
    time.sleep(max(0.0, begun + window_s - time.monotonic()))
    ended, answered = time.monotonic(), target.requests
    window = Window(
        requests=answered - requests,
        seconds=ended - begun,
        cpu_s=cores.cpu_s(process.pid) - cpu,
        server_cpu_s=target.cpu_s() - server,
        memory=cores.memory(process.pid),
    )
    if process.poll() is not None:
        raise BenchError(f"it ended (exit {process.returncode}) while it was measured")
    return window


@contextmanager
def _started(
    command: Command, folder: Path, cpus: tuple[int, ...]
) -> Iterator[tuple[subprocess.Popen[bytes], Callable[[], str]]]:
    """The generator in a session of its own, so that Ctrl-C reaches the bench alone, which then ends it."""

    def said() -> str:
        return (folder / "stderr").read_text(errors="replace")[-_QUOTE:].strip() or "it said nothing"

    with (folder / "stdout").open("wb") as out, (folder / "stderr").open("wb") as err, cores.pinned(cpus):
        process = subprocess.Popen(
            command.argv,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            start_new_session=True,
            env={**os.environ, **command.env},
        )
    try:
        yield process, said
    finally:
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    for number in (signal.SIGTERM, signal.SIGTERM, signal.SIGKILL):
        if process.poll() is not None:
            return
        try:
            os.killpg(process.pid, number)  # its own session: nobody else is in it
            process.wait(5)
        except (subprocess.TimeoutExpired, ProcessLookupError):
            continue
