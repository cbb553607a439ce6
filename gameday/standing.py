"""The region that stands by itself, for writing scenarios: `gameday region up|status|down`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click
import psutil

from fixtures.environment import Environment
from fixtures.region import info
from gameday import defects
from gameday.errors import GamedayError, RegionError
from gameday.interrupts import interrupts
from gameday.process import ROOT
from gameday.region import STANDING, planting, ready, standing

END_LIMIT_S = 30.0


def folder(env: Environment) -> Path:
    """Where the standing region of `env` keeps region.json and its logs."""
    return STANDING / env.name


def up(
    env: Environment,
    system: str,
    *,
    detach: bool,
    port: int | None,
    as_json: bool,
    planted: Sequence[str] = (),
) -> int:
    """Start it; returns the exit code. In the foreground it lasts until Ctrl-C. `planted` are its defects.

    Raises:
        ConfigError: a defect that cannot be planted.
        RegionError: one is up already, or this one did not start.
    """
    defects.allowed(planted, system, env)
    if (alive := _process(env)) is not None:
        raise RegionError(
            f"a region for {env.name!r} is up already (pid {alive.pid}); gameday region down --env {env.name}"
        )
    place = folder(env)
    place.mkdir(parents=True, exist_ok=True)
    (place / info.FILE_NAME).unlink(missing_ok=True)
    words = ["up", "--environment", str(env.path), "--dir", str(place), "--system", system, "--give-way"]
    words += ["--port", str(port)] if port else []
    words += [] if detach else ["--tie-to-parent"]
    words += planting(planted)
    process = subprocess.Popen(
        [sys.executable, "-m", "fixtures.region", *words],
        cwd=ROOT, stdin=subprocess.DEVNULL, start_new_session=True,
        stdout=subprocess.DEVNULL if detach else None,
        stderr=(place / "supervisor.log").open("wb") if detach else None,
    )  # fmt: skip
    with interrupts() as stop:
        try:
            found = ready(place, process, stop)
            ready_at = f"ready: {found.endpoints['edge']} (AWS endpoint {found.endpoints['aws']})"
            if planted:
                click.echo(f"planted on purpose: {', '.join(planted)}", err=True)
            click.echo(_text(found) if as_json else ready_at)
            if detach:
                return 0
            while process.poll() is None and not stop.wait(0.2):
                pass
        except GamedayError:
            _end(process)
            raise
        _end(process)
    return 130 if stop.is_set() else 5


def status(env: Environment) -> str:
    """region.json of the standing region, as text; RegionError when there is none."""
    return _text(standing(env))


def down(env: Environment) -> str:
    """End it and wait until it is gone; says what was done."""
    process = _process(env)
    if process is None:
        return f"no region for {env.name!r} is up"
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(END_LIMIT_S)
    except psutil.TimeoutExpired as error:
        raise RegionError(f"the region (pid {process.pid}) did not end within {END_LIMIT_S:g} s") from error
    return f"region for {env.name!r} is gone"


def resolved(env: Environment) -> Environment:
    """`env` with the standing region's addresses where one is up; one that is gone leaves it as it is."""
    if env.kind != "region":
        return env.resolved(None)
    if _process(env) is None:
        return env
    return env.resolved(standing(env), folder(env) / info.FILE_NAME)


def _process(env: Environment) -> psutil.Process | None:
    path = folder(env) / info.FILE_NAME
    if not path.is_file():
        return None
    try:
        process = psutil.Process(info.read(path).pid)
        ours = "fixtures.region" in process.cmdline() and process.uids().real == os.getuid()
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return None
    return process if ours else None


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(END_LIMIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _text(found: info.RegionInfo) -> str:
    return json.dumps(asdict(found), indent=1)
