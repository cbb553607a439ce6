"""AWS FIS through boto3: templates and experiments with this suite's tags, started, watched and stopped.

Throttled and broken-off requests are retried by botocore (standard mode); everything else becomes a FisError
that says what was asked.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from botocore.exceptions import BotoCoreError, ClientError

from chaos.errors import FisError
from fixtures import aws
from fixtures.environment import Environment

TERMINAL = frozenset({"completed", "stopped", "failed", "cancelled"})
SUITE_TAG = "gameday-suite"
ENTRY_TAG = "gameday-entry"
SUITE_TAGS = {SUITE_TAG: "gameday"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One action's state and the reason FIS gives for it."""

    state: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """An experiment as FIS describes it; times in epoch seconds."""

    id: str
    state: str
    reason: str = ""
    actions: Mapping[str, Action] = field(default_factory=dict)
    started: float | None = None
    ended: float | None = None
    template_id: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def over(self) -> bool:
        """Whether no further change will come."""
        return self.state in TERMINAL

    @property
    def touched(self) -> bool:
        """Whether any action got so far that it may have changed something."""
        untouched = {"pending", "initiating", "cancelled", "skipped"}
        return any(action.state not in untouched for action in self.actions.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One resolved target: the template's name for it, its type, and what identifies it (ARN first)."""

    name: str
    type: str
    information: Mapping[str, str]

    @property
    def arn(self) -> str:
        """Its ARN, or else every word FIS gives on it."""
        for key, value in self.information.items():
            if key.lower().endswith("arn"):
                return value
        return " ".join(f"{key}={value}" for key, value in sorted(self.information.items()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Fis:
    """FIS of one environment. `client` is a boto3 client of `fis`."""

    client: Any

    @classmethod
    def of(cls, env: Environment) -> Fis:
        """The FIS of a resolved environment."""
        return cls(client=aws.client(env, "fis"))

    def create_template(self, template: Mapping[str, Any], tags: Mapping[str, str]) -> str:
        """Create an experiment template and return its id; `tags` come on top of the template's own."""
        asked = {**template, "tags": {**template.get("tags", {}), **SUITE_TAGS, **tags}}
        with _asking("create the experiment template"):
            answer = self.client.create_experiment_template(clientToken=uuid.uuid4().hex, **asked)
        return str(answer["experimentTemplate"]["id"])

    def delete_template(self, template_id: str) -> None:
        """Delete a template; one that is gone already is as good."""
        try:
            with _asking(f"delete the template {template_id}"):
                self.client.delete_experiment_template(id=template_id)
        except FisError as error:
            if _code(error) != "ResourceNotFoundException":
                raise

    def start(
        self,
        template_id: str,
        *,
        token: str,
        tags: Mapping[str, str],
        mode: Literal["run-all", "skip-all"] = "run-all",
    ) -> Status:
        """Start an experiment; the same `token` never starts two. `skip-all` only resolves targets."""
        with _asking(f"start an experiment from {template_id}"):
            answer = self.client.start_experiment(
                clientToken=token,
                experimentTemplateId=template_id,
                experimentOptions={"actionsMode": mode},
                tags={**SUITE_TAGS, **tags},
            )
        return _status(answer["experiment"])

    def status(self, experiment_id: str) -> Status:
        """The experiment as it stands."""
        with _asking(f"look at the experiment {experiment_id}"):
            return _status(self.client.get_experiment(id=experiment_id)["experiment"])

    def stop(self, experiment_id: str) -> None:
        """Ask for a stop; an experiment that has ended meanwhile is as good."""
        try:
            with _asking(f"stop the experiment {experiment_id}"):
                self.client.stop_experiment(id=experiment_id)
        except FisError:
            if not self.status(experiment_id).over:
                raise

    def resolved(self, experiment_id: str) -> tuple[Target, ...]:
        """What the experiment's targets resolved to, in a stable order."""
        with _asking(f"read the resolved targets of {experiment_id}"):
            pages = self.client.get_paginator("list_experiment_resolved_targets").paginate(
                experimentId=experiment_id
            )
            found = [
                Target(
                    name=item.get("targetName", ""),
                    type=item.get("resourceType", ""),
                    information=dict(item.get("targetInformation", {})),
                )
                for page in pages
                for item in page["resolvedTargets"]
            ]
        return tuple(sorted(found, key=lambda target: (target.name, target.arn)))

    def experiments(self) -> Iterator[Status]:
        """Every experiment that carries this suite's tag, page by page."""
        with _asking("list the experiments"):
            for page in self.client.get_paginator("list_experiments").paginate():
                for item in page["experiments"]:
                    if item.get("tags", {}).get(SUITE_TAG):
                        yield _status(item)

    def templates(self) -> Iterator[tuple[str, Mapping[str, str]]]:
        """Id and tags of every template that carries this suite's tag, page by page."""
        with _asking("list the experiment templates"):
            for page in self.client.get_paginator("list_experiment_templates").paginate():
                for item in page["experimentTemplates"]:
                    if item.get("tags", {}).get(SUITE_TAG):
                        yield str(item["id"]), item["tags"]


@contextmanager
def _asking(what: str) -> Iterator[None]:
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise FisError(f"FIS would not {what}: {error}") from error


def _code(error: FisError) -> str:
    cause = error.__cause__
    return str(cause.response.get("Error", {}).get("Code", "")) if isinstance(cause, ClientError) else ""


def _status(item: Mapping[str, Any]) -> Status:
    state = item.get("state", {})
    actions = {
        name: Action(
            state=action.get("state", {}).get("status", "pending"),
            reason=action.get("state", {}).get("reason", ""),
        )
        for name, action in sorted(item.get("actions", {}).items())
    }
    return Status(
        id=item["id"],
        state=state.get("status", "pending"),
        reason=state.get("reason", ""),
        actions=actions,
        started=_epoch(item.get("startTime")),
        ended=_epoch(item.get("endTime")),
        template_id=item.get("experimentTemplateId", ""),
        tags=item.get("tags", {}),
    )


def _epoch(moment: datetime | None) -> float | None:
    return moment.timestamp() if moment else None
