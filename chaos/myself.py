"""Who this process is, and whether the process that said so earlier still exists."""

from __future__ import annotations

import contextlib
import getpass
import os
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil

_STARTED_WITHIN_S = 1.0


def process() -> dict[str, Any]:
    """This process, so that a later one with its recycled id is not taken for it."""
    return {"pid": os.getpid(), "pid_started": psutil.Process().create_time()}


def gone(said: Mapping[str, Any]) -> bool:
    """Whether the process of this machine that said so is gone; one that said nothing is."""
    try:
        found = psutil.Process(int(said["pid"]))
        return bool(abs(found.create_time() - float(said["pid_started"])) > _STARTED_WITHIN_S)
    except (psutil.NoSuchProcess, KeyError):
        return True


def machine() -> str:
    """This machine since it was started, as far as a process id means the same everywhere in it."""
    words = [socket.gethostname()]
    with contextlib.suppress(OSError):
        words.append(Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip())
        words.append(str(Path("/proc/self/ns/pid").readlink()))
    return "/".join(words)


def operator() -> str:
    """The user's name."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container without a passwd entry for this user id
        return "unknown"
