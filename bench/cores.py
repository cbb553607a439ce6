"""Who runs on which core, and what a process tree costs: CPU seconds and memory."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psutil

from bench.errors import MissingError

MB = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """A tree's memory in MB (1e6 bytes): ``rss`` counts shared pages in each process, ``pss`` once in all."""

    rss: float
    pss: float


def two() -> tuple[int, int]:
    """The core of the generators and the core of the server.

    Raises:
        MissingError: this process may use one core only.
    """
    allowed = sorted(os.sched_getaffinity(0))
    if len(allowed) < 2:
        raise MissingError("the bench needs two cores: one for the generator, one for the server")
    return allowed[0], allowed[1]


@contextmanager
def pinned(cpus: tuple[int, ...]) -> Iterator[None]:
    """Processes started in this block run on these cores only."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cpus)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def cpu_s(pid: int) -> float:
    """CPU seconds (user and system) of a process and its descendants, also of dead ones it waited for."""
    total = 0.0
    for process in _tree(pid):
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system + times.children_user + times.children_system
    return total


def memory(pid: int) -> Memory:
    """Memory of a process and all its descendants now."""
    rss = pss = 0.0
    for process in _tree(pid):
        try:
            full = process.memory_full_info()
        except psutil.NoSuchProcess:
            continue
        rss += full.rss / MB
        pss += full.pss / MB
    return Memory(rss=rss, pss=pss)


def _tree(pid: int) -> list[psutil.Process]:
    try:
        root = psutil.Process(pid)
        return [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []
