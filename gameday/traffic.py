"""The traffic process: described before a run, started on a run folder, told to drain at its end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gameday.errors import ConfigError, LoadError, WorkersLostError
from gameday.process import ROOT, child

EVERY_WORKER_LOST = 4
START_LIMIT_S = 90.0
OPENED_PER_S = 50.0
DRAIN_S, DRAIN_WORKERS_S = 15.0, 35.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """What a system's scenario can send: operations and flows as the manifest records them."""

    operations: dict[str, dict[str, Any]]
    flows: dict[str, dict[str, Any]]
    requests_per_flow: float
    ledger_sets: frozenset[str] = frozenset()

    def driven(self) -> set[str]:
        """Slugs and `@group` names that are sent: by a flow, or beside all flows (pushes, reconnects)."""
        of_flows = {slug for flow in self.flows.values() for slug in flow["operations"]}
        slugs = {slug for flow in self.flows.values() if flow["weight"] > 0 for slug in flow["operations"]}
        slugs |= self.operations.keys() - of_flows
        groups = {f"@{group}" for slug in slugs for group in self.operations[slug]["groups"]}
        return slugs | groups

    def rate_of(self, operations: tuple[str, ...], rate: float) -> float:
        """Requests per second for `operations` (slugs or @groups; none means all) of a mix at `rate`."""
        if not operations:
            return rate
        total = sum(flow["weight"] * len(flow["operations"]) for flow in self.flows.values())
        share = sum(
            flow["weight"]
            for flow in self.flows.values()
            for slug in flow["operations"]
            if slug in operations
            or any(f"@{group}" in operations for group in self.operations[slug]["groups"])
        )
        return rate * share / total if total else 0.0


def describe(system: str, only: tuple[str, ...] = ()) -> Traffic:
    """Ask the scenario in a process of its own, for Locust rewires whatever process imports it.

    Raises:
        ConfigError: no such scenario, or `only` names no flow or tag of it.
    """
    options = [word for name in only for word in ("--only", name)]
    done = subprocess.run(
        [sys.executable, "-m", "scenarios.load.describe", system, *options],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    if done.returncode == 2:
        raise ConfigError(done.stderr.strip().removeprefix("error: "))
    if done.returncode:
        raise LoadError(f"the scenario of {system!r} cannot be read:\n{done.stderr.strip()}")
    data = json.loads(done.stdout)
    return Traffic(
        operations=data["operations"],
        flows=data["flows"],
        requests_per_flow=float(data["mean_requests"]),
        ledger_sets=frozenset(data["ledger_sets"]),
    )


def start_limit(folder: Path) -> float:
    """Seconds until the first arrival at most: a start, workers to wait for, sessions to log in."""
    manifest = _manifest(folder)
    load = manifest["load"]
    sessions = max(int(load.get(key) or 0) for key in ("max_in_flight", "sessions", "users"))
    waiting = float(manifest.get("distribution", {}).get("wait_s", 0.0))
    return START_LIMIT_S + sessions / OPENED_PER_S + waiting


def ended(code: int, phase: str) -> LoadError:
    """What to raise for a traffic process that has ended before its time."""
    if code == EVERY_WORKER_LOST:
        return WorkersLostError(f"every worker was lost in phase {phase!r}; the causes are above")
    if code >= 0:
        return LoadError(
            f"the traffic process ended with code {code} in phase {phase!r}; its words are above"
        )
    how = f"was killed ({signal.Signals(-code).name})"
    return LoadError(
        f"the traffic process {how} in phase {phase!r}; workers it led end by themselves within seconds"
    )


def _manifest(folder: Path) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_bytes())
    return manifest


@contextmanager
def traffic(folder: Path, *, timeout_s: float) -> Iterator[subprocess.Popen[bytes]]:
    """Drive the load that `folder`'s manifest describes; drained, not cut off, when the block ends early."""
    patience = timeout_s + (DRAIN_WORKERS_S if _manifest(folder).get("distribution") else DRAIN_S)
    with child(
        "gameday.tied",
        str(os.getpid()),
        "scenarios.load.drive",
        str(folder.resolve()),
        env={"GAMEDAY_QUIET": "1", "GAMEDAY_TIED": "1"},
        patience_s=patience,
    ) as process:
        yield process
