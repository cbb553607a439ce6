"""The run folder from the suite's side: made, described in its manifest, closed with how the run ended."""

from __future__ import annotations

import json
import os
import platform
import secrets
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from chaos.experiment import Experiment
from fixtures.environment import Environment
from gameday.crew import Crew
from gameday.errors import FolderError
from gameday.plan import Plan
from gameday.process import ROOT
from gameday.traffic import Traffic
from slo.objective import Objective, thresholds

SCHEMA = 1
OBJECTIVES = "objectives.toml"
_PACKAGES = ("gameday", "locust", "gevent", "boto3", "numpy", "hdrhistogram", "moto", "granian", "tantivy")


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """One run's folder; its name is the run's id."""

    path: Path
    manifest: Mapping[str, Any]

    @property
    def run_id(self) -> str:
        """The id that every request and record of the run carries."""
        return self.path.name

    def close(self, state: str, reason: str, **more: object) -> None:
        """Say how the run ended: `complete`, or `cut-short` with its reason."""
        ended = {"state": state, "reason": reason, "ended": time.time(), **more}
        _write(self.path, {**self.manifest, **ended})


def name(plan: Plan) -> str:
    """The id of a new run: `<plan>-<utc>-<4 hex>`."""
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    return f"{plan.name}-{stamp}-{secrets.token_hex(2)}"


def create(out: Path, run_id: str) -> Path:
    """Make the folder of a run.

    Raises:
        FolderError: the disk is full, or `out` may not be written.
    """
    path = out / run_id
    try:
        path.mkdir(parents=True)
    except OSError as error:
        raise FolderError(f"cannot make the run folder {path}: {error.strerror or error}") from error
    return path


def begin(
    path: Path,
    *,
    plan: Plan,
    env: Environment,
    traffic: Traffic,
    objectives: tuple[Objective, ...],
    experiments: Mapping[str, Experiment],
    command: str,
    own_targets: str = "",
    load: Mapping[str, object] | None = None,
    crew: Crew | None = None,
    defects: Sequence[str] = (),
) -> Folder:
    """Write the manifest that everybody else of the run reads; no secret is in it.

    `own_targets`, if any, becomes the run's objectives.toml; `load` adds to the plan's load; `crew` are the
    workers that share it; `defects` were planted on purpose.
    """
    manifest = {
        "schema": SCHEMA,
        "run_id": path.name,
        "state": "running",
        "reason": "",
        "system": plan.system,
        "plan": plan.name,
        "policy": plan.policy,
        "environment": _environment(env),
        "load": {**asdict(plan.load), **(load or {})},
        "phases": [asdict(phase) for phase in plan.phases],
        "operations": traffic.operations,
        "flows": _mixed(traffic, plan),
        "thresholds": thresholds(objectives, {s: o["groups"] for s, o in traffic.operations.items()}),
        "objectives": list(plan.objectives),
        "least_passes": plan.least_passes,
        "experiments": {name: _experiment(experiment) for name, experiment in experiments.items()},
        "git": _git(),
        "versions": _versions(),
        "seed": plan.load.seed,
        "defects": list(defects),
        "command": command,
        **(crew.manifest() if crew else {"workers": 1}),
        "allow_hosts": list(env.allow_hosts),
        "started": time.time(),
        "ended": None,
    }
    if own_targets:
        _replace(path / OBJECTIVES, own_targets)
    _write(path, manifest)
    return Folder(path=path, manifest=manifest)


def _environment(env: Environment) -> dict[str, Any]:
    region = asdict(env.region) if env.region else {}
    return {
        "name": env.name,
        "kind": env.kind,
        "size": env.size,
        "urls": dict(env.urls),
        "aws_endpoint": env.aws.endpoint,
        "time_scale": env.time_scale,
        "detection_s": env.detection_s,
        "max_connections": region.get("max_connections"),
        "documents": region.get("documents"),
        "replication": {"mode": region.get("replication"), "lag_ms": region.get("lag_ms")},
    }


def _mixed(traffic: Traffic, plan: Plan) -> dict[str, Any]:
    return {
        name: {**flow, "weight": plan.load.mix.get(name, flow["weight"])}
        for name, flow in traffic.flows.items()
    }


def _experiment(experiment: Experiment) -> dict[str, Any]:
    return {
        "hypothesis": experiment.hypothesis,
        "steady_state": list(experiment.steady_state),
        "judge": list(experiment.judge),
        "observe": dict(experiment.observe),
    }


def _git() -> dict[str, Any]:
    def git(*words: str) -> str | None:
        try:
            done = subprocess.run(
                ["git", *words], cwd=ROOT, capture_output=True, text=True, check=False, timeout=10
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
        return done.stdout.strip() if done.returncode == 0 else None

    changes = git("status", "--porcelain")
    return {"commit": git("rev-parse", "HEAD"), "dirty": None if changes is None else bool(changes)}


def _versions() -> dict[str, str]:
    known = {"python": platform.python_version(), "os": f"{platform.system()} {platform.release()}"}
    cores = {"cores": str(os.cpu_count())}
    return known | cores | {name: metadata.version(name) for name in _PACKAGES}


def _write(path: Path, manifest: Mapping[str, Any]) -> None:
    _replace(path / "manifest.json", json.dumps(manifest, indent=1))


def _replace(path: Path, text: str) -> None:
    fresh = path.with_name(f".{path.name}")
    try:
        fresh.write_text(text, "utf-8")
        fresh.replace(path)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        raise FolderError(f"cannot write {path}: {error.strerror or error}") from error
