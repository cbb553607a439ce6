"""Child processes that never outlive the run and never see the terminal's Ctrl-C themselves."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

ROOT = Path(__file__).parent.parent


@contextmanager
def child(
    module: str,
    *arguments: str,
    stderr: IO[bytes] | None = None,
    env: Mapping[str, str] | None = None,
    patience_s: float = 20.0,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run `python -m module` in a session of its own; SIGTERM at the end, SIGKILL after `patience_s`.

    The session is its own so that Ctrl-C reaches the suite alone, which then ends its children in order.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stderr=stderr,
        start_new_session=True,
        env={**os.environ, **(env or {})},
    )
    try:
        yield process
    finally:
        _end(process, patience_s)


def _end(process: subprocess.Popen[bytes], patience_s: float) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(patience_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
