"""The master's door, and the worker processes that it starts on its own machine."""

import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from locust.env import Environment
from locust.exception import RPCError

from scenarios.errors import WorkerError

ROOT = Path(__file__).resolve().parents[3]
PATIENCE_S = 5.0
EVERYWHERE = frozenset({"*", "0.0.0.0", "::", "[::]"})  # noqa: S104 - compared with, not bound to

Process = subprocess.Popen[bytes]


def bound(environment: Environment, bind: str, port: int) -> Any:
    """Locust's master runner listening there; WorkerError when it cannot."""
    try:
        return environment.create_master_runner(master_bind_host=bind, master_bind_port=port)
    except (RPCError, SystemExit, OSError) as error:  # Locust leaves the process when the port is taken
        raise WorkerError(
            f"the master cannot listen at {bind}:{port}: {error}; "
            "another run may have the port, choose another --master-bind"
        ) from error


def start(count: int, bind: str, port: int) -> list[Process]:
    """Start workers that end when this process does; a session of their own keeps Ctrl-C from them."""
    host = "127.0.0.1" if bind in EVERYWHERE else bind
    return [
        subprocess.Popen(
            [
                *(sys.executable, "-m", "scenarios.load.distributed.worker"),
                *("--master-host", host, "--master-port", str(port)),
            ],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            env=os.environ | {"GAMEDAY_TIED": "1"},
        )
        for _ in range(count)
    ]


def find(processes: Sequence[Process], host: str, pid: int) -> Process | None:
    """The process of a worker that says it runs on this host under this id."""
    if host != socket.gethostname():
        return None
    return next((process for process in processes if process.pid == pid), None)


def end(processes: Sequence[Process]) -> None:
    """Wait for them to leave, as they were told to; kill those that do not."""
    for process in processes:
        try:
            process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
