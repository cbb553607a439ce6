"""The run folder of a plain Locust test: what ``gameday report`` reads.

It names no objectives, so it is measured and nobody judges it; judged runs use ``gameday run``.
"""

import json
import os
import platform
import re
import secrets
import shlex
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from scenarios.load.plan import ARRIVALS, SCHEMA, USERS
from scenarios.load.sink import FolderSink, lines

PHASE = "steady"
_PACKAGES = ("gameday", "locust", "gevent", "numpy", "hdrhistogram")


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """One test's folder; ``started`` in epoch seconds."""

    path: Path
    started: float
    manifest: Mapping[str, Any]

    @property
    def sink(self) -> FolderSink:
        """Where its files grow."""
        return FolderSink(self.path)

    def event(self, line: Mapping[str, Any]) -> None:
        """Append to events.jsonl."""
        self.sink.append("events.jsonl", lines([line]))

    def begin(self, at: float) -> None:
        """The load, and its only phase, begin."""
        self.event({"t": at, "kind": "load", "edge": "start"})
        self.event({"t": at, "kind": "phase", "name": PHASE, "experiment": None, "edge": "start"})

    def end(self, at: float) -> None:
        """No arrival begins any more."""
        self.event({"t": at, "kind": "phase", "name": PHASE, "experiment": None, "edge": "end"})
        self.event({"t": at, "kind": "load", "edge": "end"})

    def close(self, named: Mapping[str, str], closed: frozenset[str], *, reason: str) -> None:
        """Write down which operations there were; with a ``reason`` the run was cut short."""
        now = time.time()
        self.event({"t": now, "kind": "load", "edge": "drained"})
        operations = {slug: {"name": name, "groups": _groups(slug, closed)} for slug, name in named.items()}
        load = dict(self.manifest["load"])
        if closed:
            load["model"] = USERS
        phases = [{**self.manifest["phases"][0], "for_s": round(now - self.started, 3)}]
        ended = {"state": "cut-short" if reason else "complete", "reason": reason, "ended": now}
        _write(
            self.path,
            {**self.manifest, **ended, "operations": operations, "load": load, "phases": phases},
        )


def create(parent: Path, run_id: str, *, system: str, url: str, load: Mapping[str, Any]) -> Folder:
    """Make ``parent/<run id>-<4 hex>/``; OSError when it cannot be made."""
    path = parent / f"{run_id}-{secrets.token_hex(2)}"
    path.mkdir(parents=True)
    now = time.time()
    manifest = {
        "schema": SCHEMA,
        "run_id": path.name,
        "state": "running",
        "reason": "",
        "system": system,
        "plan": "locust",
        "policy": "measure",
        "environment": {"name": "locust", "kind": "remote", "urls": {"api": _bare(url)}, "time_scale": 1.0},
        "load": {"model": ARRIVALS, **load},
        "phases": [{"name": PHASE, "for_s": 0.0, "experiment": None}],
        "operations": {},
        "flows": {},
        "thresholds": {},
        "objectives": [],
        "least_passes": 0,
        "experiments": {},
        "git": {"commit": None, "dirty": None},
        "versions": _versions(),
        "seed": load.get("seed"),
        "command": _bare(shlex.join(["locust", *sys.argv[1:]])),
        "workers": 1,
        "allow_hosts": [],
        "started": now,
        "ended": None,
    }
    _write(path, manifest)
    return Folder(path=path, started=now, manifest=manifest)


def _bare(text: str) -> str:
    """Without the credentials of a URL."""
    return re.sub(r"(?<=://)[^/@\s]*@", "", text)


def _groups(slug: str, closed: frozenset[str]) -> list[str]:
    return ["closed"] if slug in closed else []


def _versions() -> dict[str, str]:
    known = {"python": platform.python_version(), "os": f"{platform.system()} {platform.release()}"}
    return known | {"cores": str(os.cpu_count())} | {name: metadata.version(name) for name in _PACKAGES}


def _write(path: Path, manifest: Mapping[str, Any]) -> None:
    """Replace the manifest in one step: a reader never sees half of it."""
    draft = path / ".manifest.json"
    try:
        draft.write_text(json.dumps(manifest, indent=1) + "\n")
        draft.replace(path / "manifest.json")
    finally:
        draft.unlink(missing_ok=True)
