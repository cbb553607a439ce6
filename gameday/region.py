"""The local region inside a run: started before the traffic, gone after it."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from fixtures.environment import Environment
from fixtures.region import info
from gameday.errors import Interrupted, RegionError
from gameday.process import ROOT, child

START_LIMIT_S = 120.0
STANDING = ROOT / ".gameday" / "region"


@contextmanager
def region(
    env: Environment, system: str, *, stop: threading.Event, defects: Sequence[str] = ()
) -> Iterator[tuple[info.RegionInfo, Path]]:
    """Bring the region of `env` up for `system`, and take it down with all it made; yields its file, too.

    `defects` are planted in it.

    Raises:
        RegionError: it failed to start (with the cause), or did not within two minutes.
        Interrupted: `stop` was set meanwhile.
    """
    folder = Path(tempfile.mkdtemp(prefix="gameday-"))
    arguments = (
        "up",
        "--environment",
        str(env.path),
        "--dir",
        str(folder),
        "--system",
        system,
        "--tie-to-parent",
        "--give-way",
        *planting(defects),
    )
    try:
        with child("fixtures.region", *arguments, patience_s=30.0) as process:
            yield ready(folder, process, stop), folder / "region.json"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def planting(defects: Sequence[str]) -> list[str]:
    """The words that have a region plant these."""
    return [word for text in defects for word in ("--defect", text)]


def standing(env: Environment) -> info.RegionInfo:
    """The region that `gameday region up` left running for `env`; RegionError when there is none."""
    path = STANDING / env.name / "region.json"
    if not path.is_file():
        raise RegionError(
            f"no standing region for {env.name!r}; start one with: gameday region up --env {env.name}"
        )
    found = info.read(path)
    if found.state != "ready":
        raise RegionError(
            f"the standing region for {env.name!r} is {found.state}: {found.reason or 'not ready'}"
        )
    return found


def ready(folder: Path, process: subprocess.Popen[bytes], stop: threading.Event) -> info.RegionInfo:
    """Wait until the region that `process` starts in `folder` is ready; RegionError otherwise."""
    path = folder / "region.json"
    waited = 0.0
    while waited < START_LIMIT_S:
        if stop.wait(0.1):
            raise Interrupted("interrupted while the local region was starting; it is gone again")
        waited += 0.1
        found = info.read(path) if path.is_file() else None
        if found is not None and found.state == "ready":
            return found
        if found is not None and found.state == "failed":
            raise RegionError(f"the local region did not start: {found.reason}")
        code = process.poll()
        if code is not None:
            raise RegionError(
                f"the local region ended with code {code} before it was ready; its words are above"
            )
    raise RegionError(f"the local region was not ready within {START_LIMIT_S:g} s; its words are above")
