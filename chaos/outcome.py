"""What a run of one experiment is asked for, and how it went."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chaos import myself
from chaos.experiment import Experiment
from chaos.fis import Action
from chaos.floor import Good
from chaos.journal import Journal
from chaos.proof import Patience
from chaos.sight import Edge, Sample
from fixtures.environment import Environment
from slo import jsonl

RUN_TAG = "gameday-run"
EXPERIMENT_TAG = "gameday-experiment"
PLAN_TAG = "gameday-plan"
PREVIEW = "preview"
"""The plan that a preview is tagged with: it breaks nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What `driver.run` was asked for.

    `approved`: the hash that the plan must have, "" for any; `good`: the run's own view of its traffic.
    """

    experiment: Experiment
    env: Environment
    folder: Path
    stop: threading.Event
    deadline: float
    run_id: str
    commit: str
    options: Mapping[str, Any]
    journal: Journal
    patience: Patience
    approved: str = ""
    good: Good | None = None
    later: ExitStack | None = None

    def tags(self, plan_hash: str) -> dict[str, str]:
        """What marks everything that is started as this run's."""
        return origin(self.experiment, run_id=self.run_id, commit=self.commit, plan_hash=plan_hash)

    def event(self, kind: str, *, t: float | None = None, **facts: Any) -> None:
        """Append one event to the run folder, now or at `t`."""
        stamp = time.time() if t is None else t
        line = {"t": stamp, "kind": kind, "experiment": self.experiment.name, **facts}
        jsonl.append(self.folder / "events.jsonl", line)

    def saw(self, edge: Edge, sample: Sample) -> None:
        """Record a probe's first or last sight."""
        self.event("probe", t=sample.t, probe=self.experiment.probe, edge=edge, detail={"saw": sample.detail})


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How an experiment went; `state` is FIS's, or `not-started`. Times in epoch seconds.

    `cut` says why it was stopped early by us, `observed` whether the probe saw the fault begin, `verified`
    whether the fault is proven gone.
    """

    experiment: str
    id: str
    state: str
    reason: str
    actions: Mapping[str, Action]
    cut: str
    expected: bool
    observed: bool
    first: float | None
    last: float | None
    verified: bool
    detail: str
    plan_hash: str

    @property
    def ok(self) -> bool:
        """Every action did what it should, the probe saw what it should, and the fault is gone."""
        done = self.state == "completed" and all(
            action.state == "completed" for action in self.actions.values()
        )
        return done and self.verified and self.observed == self.expected

    @property
    def summary(self) -> str:
        """One line for people."""
        parts = [f"{self.state} ({self.cut or self.reason})" if self.cut or self.reason else self.state]
        parts += [
            f"action {name} {action.state}: {action.reason or 'no reason given'}"
            for name, action in self.actions.items()
            if action.state not in ("completed", "stopped")
        ]
        if self.state != "not-started":
            parts.append(self._seen())
            parts.append(
                "fault proven gone" if self.verified else f"NOT PROVEN GONE: {self.detail}; run gameday abort"
            )
        return "; ".join(parts)

    def _seen(self) -> str:
        if self.first is not None and self.last is not None:
            return f"seen for {self.last - self.first:.1f} s"
        if self.first is not None:
            return "seen to begin"
        return "not seen by its probe" if self.expected else "no fault expected, none seen"


def origin(experiment: Experiment, *, run_id: str, commit: str, plan_hash: str) -> dict[str, str]:
    """The tags of everything that is started for an experiment."""
    return {
        RUN_TAG: run_id,
        EXPERIMENT_TAG: f"{experiment.system}/{experiment.name}",
        "gameday-commit": commit,
        "gameday-operator": myself.operator(),
        PLAN_TAG: plan_hash,
    }


def not_started(experiment: Experiment, why: str) -> Outcome:
    """The outcome of an experiment that was not started: nothing was broken."""
    return Outcome(
        experiment=experiment.name,
        id="",
        state="not-started",
        reason="",
        actions={},
        cut=why,
        expected=experiment.probe != "none",
        observed=False,
        first=None,
        last=None,
        verified=True,
        detail="nothing was broken",
        plan_hash="",
    )
