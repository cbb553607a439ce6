"""A game day's items: one per objective, and one for the run as a whole."""

from __future__ import annotations

import fcntl
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from chaos.errors import ConfigError as ExperimentError
from fixtures.errors import ConfigError as EnvironmentConfigError
from gameday import past, prepare
from gameday.errors import ConfigError
from gameday.exitcodes import ExitCode
from gameday.run import Request, judge_and_report, run, writable
from slo import manifest, policy, verdict
from slo.errors import ConfigError as ObjectiveError
from slo.errors import RecordError
from slo.verdict import Verdict, Verdicts

USAGE_ERRORS = (ConfigError, ExperimentError, EnvironmentConfigError, ObjectiveError, RecordError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One item: an objective, or the run as a whole (`objective` empty)."""

    phase: str
    objective: str
    sli: str = ""
    decides: bool = True

    @property
    def name(self) -> str:
        """The end of the item's id."""
        return self.objective or "verdict"


class MissedError(Exception):
    """An item that is not a pass; the message is all there is to show."""


class GamedayItem(pytest.Item):
    """One objective of one run."""

    def __init__(self, *, question: Question, gate: Gate, **more: Any) -> None:
        super().__init__(**more)
        self.question = question
        self._gate = gate
        marks = {question.phase, question.sli, "gameday"} - {""}
        for mark in sorted(marks):
            self.add_marker(mark)
        if self.config.pluginmanager.hasplugin("timeout"):
            self.add_marker(pytest.mark.timeout(0))  # a game day takes as long as its plan says

    def runtest(self) -> None:
        """Look the objective's verdicts up; the first item to run runs the game day."""
        verdicts = self._gate.verdicts()
        if not self.question.objective:
            if verdicts.exit:
                raise MissedError(said(verdicts))
            return
        found = [one for one in verdicts.objectives if one.id == self.question.objective]
        wrong = [one for one in found if one.verdict != "pass"]
        told = [_told(one) for one in wrong] if found else [_untold(verdicts, self.question.objective)]
        void = _void(verdicts)
        if not told and not void:
            return
        if not void and not self.question.decides and not any(one.decides for one in wrong):
            pytest.xfail("\n".join(["informs only:", *told]))
        raise MissedError("\n".join([*told, *void]))

    def repr_failure(self, excinfo: Any, style: Any = None) -> Any:
        """Without a traceback: it would show this file, not the system."""
        if isinstance(excinfo.value, MissedError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, None, str]:
        """How reports call it."""
        return self.path, None, self.nodeid


class _Phase(pytest.Collector):
    """`PLAN::steady` and its like, so that ids read as the run does."""

    def collect(self) -> Iterator[pytest.Item]:
        """Nothing: the gate makes the items."""
        return iter(())


class Gate:
    """The run behind the items. Built per process; the folder of the run is shared among xdist's workers."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._plan: str | None = config.getoption("gameday")
        self._given: Path | None = config.getoption("run_folder")
        self._verdicts: Verdicts | None = None
        self._worker: Mapping[str, Any] | None = getattr(config, "workerinput", None)

    def questions(self) -> tuple[str, list[Question]]:
        """The plan's name and what is asked, in order."""
        return self._of_folder(self._given) if self._given is not None else self._of_plan()

    def verdicts(self) -> Verdicts:
        """The run's verdicts, once it was done."""
        if self._verdicts is None:
            self._verdicts = verdict.read(self._folder())
        return self._verdicts

    @property
    def folder(self) -> Path | None:
        """The judged run folder, if any item has asked."""
        return None if self._verdicts is None else self._folder()

    def _folder(self) -> Path:
        if self._given is not None:
            return self._given
        if self._worker is None:
            self._given = self._run()
        else:
            word = shared(self._worker["testrunuid"])
            self._given = Path(once(word, lambda: str(self._run())))
        return self._given

    def _run(self) -> Path:
        result = run(self._request(), lambda line: print(line, file=sys.stderr))  # noqa: T201
        for line in past.remember(result.path, result.verdicts):
            print(line, file=sys.stderr)  # noqa: T201
        if result.code == ExitCode.INTERRUPTED:
            pytest.exit(f"interrupted; run folder {result.path}", returncode=int(ExitCode.INTERRUPTED))
        if result.code == ExitCode.BROKEN and self._worker is None:
            told = f"broken: {said(result.verdicts)}; run folder {result.path}"
            pytest.exit(told, returncode=int(ExitCode.BROKEN))
        return result.path

    def _request(self) -> Request:
        options = prepare.Options(env=self._config.getoption("gameday_env"))
        out = writable(self._config.getoption("gameday_out"))
        command = f"pytest --gameday {self._plan} --env {options.env}"
        return prepare.request(str(self._plan), options, out=out, command=command)

    def _of_plan(self) -> tuple[str, list[Question]]:
        request = self._request()
        judged = (name for one in request.experiments.values() for name in one.judge)
        wanted = set(request.plan.objectives) | set(judged)
        rules = policy.of(request.plan.policy)
        asked = [
            Question(phase=one.phase, objective=one.id, sli=one.sli, decides=rules.decides(one))
            for one in request.objectives
            if one.id in wanted
        ]
        return request.plan.name, [*asked, Question(phase="run", objective="")]

    def _of_folder(self, folder: Path) -> tuple[str, list[Question]]:
        if self._worker is None:
            self._verdicts = judge_and_report(folder)
        asked = {
            one.id: Question(phase=one.phase, objective=one.id, sli=one.sli, decides=one.decides)
            for one in self.verdicts().objectives
        }
        return manifest.read(folder).plan, [*asked.values(), Question(phase="run", objective="")]


def asked(gate: Gate) -> tuple[str, list[Question]]:
    """The plan's name and what is asked; UsageError when the plan or the run folder cannot be read."""
    try:
        return gate.questions()
    except USAGE_ERRORS as error:
        raise pytest.UsageError(str(error)) from error


def collect(session: pytest.Session, gate: Gate) -> Iterator[pytest.Item]:
    """The items; UsageError when the plan or the run folder cannot be read."""
    plan, questions = asked(gate)
    for question in questions:
        phase = _Phase.from_parent(session, name=question.phase, nodeid=f"{plan}::{question.phase}")
        yield GamedayItem.from_parent(
            phase,
            name=question.name,
            nodeid=f"{plan}::{question.phase}::{question.name}",
            question=question,
            gate=gate,
        )


def shared(session: str) -> Path:
    """Where the workers of one xdist session leave word of the run folder."""
    return Path(tempfile.gettempdir()) / f"gameday-{session}"


def left(session: str) -> Path | None:
    """The run folder of an xdist session that is over, if one was made; the word of it is taken away."""
    try:
        found = shared(session).read_text("utf-8")
        shared(session).unlink()
    except FileNotFoundError:
        return None
    return Path(found) if found else None


def once(word: Path, make: Callable[[], str]) -> str:
    """What `make` returned in whichever process asked first; the others wait for it.

    `word` is a path of this test session alone. When `make` raised, the next one tries again.
    """
    with word.open("a+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        made = file.read()
        if not made:
            made = make()
            file.write(made)
        return made


def said(verdicts: Verdicts) -> str:
    """The run's verdict as `gameday run` would exit with it."""
    return f"{verdicts.verdict}, exit code {verdicts.exit}: {verdicts.reason}"


def _void(verdicts: Verdicts) -> list[str]:
    """Why no item of this run passes, whichever were selected; nothing for a whole and valid run."""
    if verdicts.state == "complete" and verdicts.validity.get("valid") is True:
        return []
    return [f"no item of this run passes: {said(verdicts)}"]


def _told(one: Verdict) -> str:
    source = f"{one.source.get('file', '')}, {one.source.get('heading', '')}"
    bounds = f" [{one.interval[0]:.3g}, {one.interval[1]:.3g}]" if one.interval else ""
    counted = f", {one.k:,} bad of {one.n:,}{bounds}" if one.k is not None and one.n else ""
    measured = one.measured_text or "nothing"
    return "\n  ".join(
        (
            f"{one.name}: {one.verdict}",
            f"asked for {one.expr} ({source})",
            f"measured {measured}{counted}",
            one.reason,
        )
    )


def _untold(verdicts: Verdicts, objective: str) -> str:
    reasons = [one["reason"] for one in verdicts.not_driven if one["id"] == objective]
    return f"{objective}: no data\n  {'; '.join(reasons) or 'the run does not judge it'}"
