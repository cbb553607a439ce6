"""The server as its measurer sees it: started, counted, stopped for a while, ended."""

from __future__ import annotations

import os
import resource
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench import cores
from bench.errors import BenchError
from bench.server import COUNTS_BYTES

ROOT = Path(__file__).resolve().parent.parent
FIRST_REQUEST_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One or more server processes on one port of 127.0.0.1."""

    port: int
    processes: tuple[subprocess.Popen[str], ...]
    counts: tuple[Path, ...]

    @property
    def url(self) -> str:
        """The address every generator asks."""
        return f"http://127.0.0.1:{self.port}/"

    @property
    def requests(self) -> int:
        """Requests answered since the start."""
        return sum(struct.unpack("=QQ", path.read_bytes())[0] for path in self.counts)

    def await_traffic(self, since: int, *, busy: subprocess.Popen[bytes]) -> float:
        """The moment (monotonic) at which more than ``since`` requests had been answered.

        Raises:
            BenchError: the generator ended, or a minute passed, without any.
        """
        deadline = time.monotonic() + FIRST_REQUEST_S
        while self.requests <= since:
            if busy.poll() is not None:
                raise BenchError(f"the generator ended (exit {busy.returncode}) before its first request")
            if time.monotonic() > deadline:
                raise BenchError(f"no request within {FIRST_REQUEST_S:g} s")
            time.sleep(0.005)
        return time.monotonic()

    def freeze(self, seconds: float) -> float:
        """Stop every server process for so long; how long it really was, seconds."""
        begun = time.monotonic()
        for process in self.processes:
            process.send_signal(signal.SIGSTOP)
        try:
            time.sleep(seconds)
        finally:
            for process in self.processes:
                process.send_signal(signal.SIGCONT)
        return time.monotonic() - begun

    def cpu_s(self) -> float:
        """CPU seconds the server has used."""
        return sum(cores.cpu_s(process.pid) for process in self.processes)


@contextmanager
def serving(folder: Path, *, cpus: tuple[int, ...]) -> Iterator[Target]:
    """One server process for each core in ``cpus``, pinned to it, all on one port."""
    _allow_files()
    processes: list[subprocess.Popen[str]] = []
    counts: list[Path] = []
    port = 0
    try:
        for cpu in cpus:
            counts.append(folder / f"counts-{time.monotonic_ns()}-{cpu}")
            counts[-1].write_bytes(bytes(COUNTS_BYTES))
            process = _start(counts[-1], port, cpu)
            processes.append(process)
            port = _port(process)
        yield Target(port=port, processes=tuple(processes), counts=tuple(counts))
    finally:
        for process in processes:
            process.kill()
            process.wait()
            if process.stdout:
                process.stdout.close()


def _start(counts: Path, port: int, cpu: int) -> subprocess.Popen[str]:
    with cores.pinned((cpu,)):
        return subprocess.Popen(
            [sys.executable, "-m", "bench.server", str(counts), str(port)],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            start_new_session=True,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )


def _port(process: subprocess.Popen[str]) -> int:
    line = process.stdout.readline() if process.stdout else ""
    if not line.strip().isdigit():
        raise BenchError(f"the bench's server did not start (exit {process.poll()})")
    return int(line)


def _allow_files() -> None:
    """Children inherit the limit: ten thousand connections need as many descriptors on both ends."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
