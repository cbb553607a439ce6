"""The phases of a run as they pass: marked in the run folder, faults set off where the plan has them."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from chaos import driver
from chaos.experiment import Experiment
from fixtures.environment import Environment
from gameday.errors import LoadError
from gameday.plan import Phase, Plan
from gameday.traffic import ended, start_limit
from slo import jsonl, judge, record
from slo.objective import Objective

UNDO_RESERVE_S = 5.0
CALM = ("steady", "recovered")
GATE_S = 30.0


@dataclass(slots=True, kw_only=True)
class Timeline:
    """Walks through a plan's phases beside the traffic process.

    `now` names the phase for whoever shows progress; `approved` are plan hashes by experiment, `good` is the
    share of good answers now.
    """

    plan: Plan
    env: Environment
    folder: Path
    commit: str
    objectives: tuple[Objective, ...]
    experiments: Mapping[str, Experiment]
    traffic: subprocess.Popen[bytes]
    stop: threading.Event
    say: Callable[[str], None]
    approved: Mapping[str, str] = field(default_factory=dict)
    good: Callable[[], float | None] | None = None
    now: str = "logging users in"
    bounds: list[tuple[Phase, float, float]] = field(default_factory=list)
    _later: ExitStack = field(default_factory=ExitStack)

    def walk(self) -> bool:
        """Wait for the traffic's start, pass every phase, wait for the read-back; False when interrupted.

        Drills are undone last: what they left the system with is what is read back.

        Raises:
            LoadError: the traffic process ended before its time.
            DriveError: a drill is not proven undone.
        """
        with self._later:
            return self._walk()

    def _walk(self) -> bool:
        start = self._wait_for("start", start_limit(self.folder))
        if start is None:
            return False
        for phase in self.plan.phases:
            if not self._pass(phase, start, start + phase.for_s):
                return False
            start += phase.for_s
        self.now = "draining, reading writes back"
        return self._finished()

    def _pass(self, phase: Phase, start: float, end: float) -> bool:
        self.now = f"{phase.name}: {phase.experiment}" if phase.experiment else phase.name
        begun = max(start, time.time()) if phase.name in {"fault", "recovered"} else start
        self._mark(phase, "start", begun)
        if phase.experiment:
            self._fault(self.experiments[phase.experiment], end)
        whole = self._sleep_until(end)
        finish = end if whole else time.time()
        self._mark(phase, "end", finish)
        self.bounds.append((phase, begun, finish))
        return whole

    def _fault(self, experiment: Experiment, end: float) -> None:
        gate = self._gate(experiment)
        jsonl.append(
            self.folder / "events.jsonl",
            {
                "t": time.time(),
                "kind": "gate",
                "experiment": experiment.name,
                "holds": gate.holds,
                "reason": gate.reason,
            },
        )
        if not gate.holds:
            self.say(f"{experiment.name} not started: {gate.reason}")
            return
        outcome = driver.run(
            experiment,
            self.env,
            self.folder,
            stop=self.stop,
            deadline=end - UNDO_RESERVE_S,
            run_id=self.folder.name,
            commit=self.commit,
            approved=self.approved.get(experiment.name, ""),
            good=self.good,
            later=self._later,
        )
        self.say(f"{experiment.name}: {outcome.summary}")

    def _gate(self, experiment: Experiment) -> judge.Gate:
        phase, start, end = next(bound for bound in reversed(self.bounds) if bound[0].name in CALM)
        if phase.name == "recovered":  # trouble may reach into its beginning
            start = max(start, end - GATE_S)
        wanted = tuple(o for o in self.objectives if o.id in experiment.steady_state)
        return judge.holds(record.read(self.folder), wanted, start=start, end=end)

    def _wait_for(self, edge: str, limit: float) -> float | None:
        """The time of the traffic's `edge` event; None when interrupted first."""
        events = self.folder / "events.jsonl"
        deadline = time.monotonic() + limit
        while time.monotonic() < deadline:
            for event in jsonl.read(events) if events.is_file() else ():
                if event.get("kind") == "load" and event.get("edge") == edge:
                    return float(event["t"])
            if self.stop.wait(0.1):
                return None
            self._alive()
        raise LoadError(f"the traffic did not reach {edge!r} within {limit:g} s")

    def _sleep_until(self, end: float) -> bool:
        while (left := end - time.time()) > 0:
            if self.stop.wait(min(left, 0.2)):
                return False
            self._alive()
        return not self.stop.is_set()

    def _finished(self) -> bool:
        while self.traffic.poll() is None:
            if self.stop.wait(0.2):
                return False
        if self.traffic.returncode:
            raise ended(self.traffic.returncode, self.now)
        return True

    def _alive(self) -> None:
        code = self.traffic.poll()
        if code is not None:
            raise ended(code, self.now)

    def _mark(self, phase: Phase, edge: str, at: float) -> None:
        event = {"t": at, "kind": "phase", "name": phase.name, "experiment": phase.experiment, "edge": edge}
        jsonl.append(self.folder / "events.jsonl", event)
