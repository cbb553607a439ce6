"""A fault in being: its journal entry, its template, its experiment and what is known of them."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from chaos.errors import ChaosError, FisError
from chaos.facts import Context
from chaos.fis import ENTRY_TAG, Fis, Status
from chaos.floor import Watch
from chaos.guard import Plan
from chaos.journal import Entry
from chaos.outcome import Outcome, Request
from chaos.prober import Prober
from chaos.proof import Proof, prove

_UNPROVEN = Proof(gone=False, detail="not looked at")


@dataclass(slots=True, kw_only=True)
class Fault:
    """The `with` blocks of one fault; enter `journalled`, `template` and `running` in that order."""

    request: Request
    fis: Fis
    plan: Plan
    prober: Prober
    context: Context
    status: Status | None = None
    cut: str = ""
    proof: Proof = _UNPROVEN
    _entry: Entry | None = None
    _written: tuple[object, ...] = ()
    _may_have_started: bool = False
    _token: str = field(default_factory=lambda: uuid.uuid4().hex)

    @contextmanager
    def journalled(self) -> Iterator[Entry]:
        """The journal entry: written first, closed when the fault is proven gone, and only then."""
        request, env = self.request, self.request.env
        entry = self._entry = request.journal.open(
            run_id=request.run_id,
            folder=str(request.folder.resolve()),
            system=request.experiment.system,
            experiment=request.experiment.name,
            environment=env.name,
            kind=env.kind,
            endpoint=env.aws.endpoint,
            region_file=str(env.region_file) if env.region_file else None,
            region_started=self.context.region.info().started if self.context.region else None,
            plan_hash=self.plan.hash,
            targets=list(self.plan.arns),
            actions=list(request.experiment.actions),
            template=dict(self.context.template),
            probe=request.experiment.probe,
            probe_options=self._probe_options(),
            armed=dict(self.prober.armed or {}),
            undo=f"stop the experiment tagged {ENTRY_TAG} with this entry's id, wait, prove the fault gone",
        )
        try:
            yield entry
        finally:
            self._prove(entry)

    @contextmanager
    def template(self, template: Mapping[str, Any]) -> Iterator[str]:
        """The experiment template; deleted afterwards."""
        template_id = self.fis.create_template(template, self._tags())
        try:
            yield template_id
        finally:
            self.fis.delete_template(template_id)

    @contextmanager
    def running(self, template_id: str) -> Iterator[None]:
        """The experiment; over at the end of the block, whatever ends it."""
        self._may_have_started = True
        self.prober.begin()
        try:
            self._took(self.fis.start(template_id, token=self._token, tags=self._tags()))
            if self._entry and self.status:
                self.request.journal.note(self._entry.id, experiment_id=self.status.id)
            yield
        finally:
            self._end()

    def watch(self) -> None:
        """Follow the experiment to its end, or to the moment at which it must be stopped."""
        watch = Watch(floor=self.request.experiment.floor, good=self.request.good)
        checked = False
        while self.status and not self.status.over and not self.cut:
            self.request.stop.wait(self.request.patience.poll_s)
            self._took(self._status(self.status.id))
            if not checked and self.status.state not in ("pending", "initiating"):
                checked, self.cut = True, self._outside(self.status.id)
            if not self.cut and not self.status.over:
                self.cut = self._due() or watch.broken()
        if self.cut:
            self.request.event("cut", reason=self.cut)

    def _due(self) -> str:
        """Why it is over for us; empty while it is not."""
        if self.request.stop.is_set():
            return "interrupted"
        return "its phase was over" if time.time() >= self.request.deadline else ""

    def outcome(self) -> Outcome:
        """How it went; call it after the blocks."""
        status = self.status or Status(id="", state="not-started")
        first, last = self.prober.first, self.prober.last
        return Outcome(
            experiment=self.request.experiment.name,
            id=status.id,
            state=status.state,
            reason=status.reason,
            actions=status.actions,
            cut=self.cut,
            expected=self.request.experiment.probe != "none",
            observed=first is not None,
            first=first.t if first else None,
            last=last.t if last else None,
            verified=self.proof.gone,
            detail=self.proof.detail,
            plan_hash=self.plan.hash,
        )

    def _tags(self) -> dict[str, str]:
        return {**self.request.tags(self.plan.hash), ENTRY_TAG: self._entry.id if self._entry else ""}

    def _probe_options(self) -> dict[str, Any]:
        return {"every_s": self.request.experiment.every_s, **self.request.options}

    def _outside(self, experiment_id: str) -> str:
        outside = {target.arn for target in self.fis.resolved(experiment_id)} - set(self.plan.arns)
        if not outside:
            return ""
        return f"it hit {', '.join(sorted(outside))}, which the plan {self.plan.hash[:12]} does not cover"

    def _status(self, experiment_id: str) -> Status:
        """FIS's answer; its silence is borne for a while, since the fault goes on meanwhile."""
        deadline = time.monotonic() + self.request.patience.silence_s
        while True:
            try:
                return self.fis.status(experiment_id)
            except FisError:
                if time.monotonic() >= deadline:
                    raise
                time.sleep(self.request.patience.poll_s)

    def _took(self, status: Status) -> None:
        self.status = status
        actions = {
            name: {"state": item.state, "reason": item.reason} for name, item in status.actions.items()
        }
        key = (status.state, status.reason, tuple((n, a["state"], a["reason"]) for n, a in actions.items()))
        if key != self._written:
            self._written = key
            self.request.event(
                "fis",
                id=status.id,
                state=status.state,
                actions=actions,
                reason=status.reason,
                started=status.started,
                plan=self.plan.hash,
            )

    def _end(self) -> None:
        if self.status is None:
            # The request may have been carried out although its answer never arrived.
            found = [
                status
                for status in self.fis.experiments()
                if self._entry and _entry_of(status) == self._entry.id
            ]
            if not found:
                self._may_have_started = False
                return
            self.status = found[0]
        deadline = time.monotonic() + self.request.patience.end_s
        if not self.status.over:
            self.fis.stop(self.status.id)
        while not self.status.over:
            self._took(self._status(self.status.id))
            if not self.status.over:
                if time.monotonic() >= deadline:
                    raise FisError(
                        f"{self.status.id} is {self.status.state} long after it was stopped; gameday abort"
                    )
                time.sleep(self.request.patience.poll_s)

    def _prove(self, entry: Entry) -> None:
        try:
            self.proof = self._proof()
        except ChaosError as error:
            self.proof = Proof(gone=False, detail=str(error))
        self.request.event("undo", verified=self.proof.gone, detail=self.proof.detail)
        if self.proof.gone:
            self.request.journal.close(entry.id, self.proof.detail)

    def _proof(self) -> Proof:
        if not self._may_have_started:
            return Proof(gone=True, detail="nothing was started")
        if self.status is None or not self.status.over:
            state = self.status.state if self.status else "unknown"
            return Proof(gone=False, detail=f"the experiment's state is {state}, not an end")
        touched = self.status.touched and self.request.experiment.probe != "none"
        actions = self.request.experiment.actions
        return prove(self.prober, actions, self.context, self.request.patience, touched=touched)


def _entry_of(status: Status) -> str:
    return status.tags.get(ENTRY_TAG, "")
