"""Drills: what FIS cannot do, done by our own calls to AWS. One file per kind.

A file `<kind>.py` defines `REQUIRED` and `OPTIONAL` (keys of the experiment's `drill` beside `kind`), `FACTS`
(FIS actions whose facts must hold when it is over, `chaos.facts`), `problems(options)` and
`make(options, env, poll_s) -> Drill`. The file's stem is the kind; there is no other list. A drill says
what it hits by the owner's opt-in `tags`.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

from chaos.errors import GuardError
from chaos.fis import Target
from fixtures.environment import Environment

Facts = dict[str, Any]


class Tell(Protocol):
    """How a drill reports: an event of the run folder."""

    def __call__(self, kind: str, **facts: Any) -> None:
        """Write one event of this experiment, now."""
        ...


class Drill(Protocol):
    """One drill in one environment. Every method calls AWS; botocore's errors come through."""

    def targets(self) -> tuple[Target, ...]:
        """Everything it would change; asking changes nothing.

        Raises:
            GuardError: there is not exactly what it needs.
        """
        ...

    def prepare(self, name: str) -> Facts:
        """What it will do, as JSON: in the journal before anything is done. `name` is unique."""
        ...

    def perform(self, facts: Facts, tell: Tell) -> Iterator[None]:
        """Do it, step by step: wherever it yields it may be left, and is then undone.

        Raises:
            FisError: AWS says that a step of it failed.
        """
        ...

    def undo(self, facts: Facts) -> str:
        """Take back whatever was done, in any process and any number of times; what it found, in words.

        Raises:
            FisError: AWS says that a step of it failed, or takes too long.
        """
        ...


class DrillKind(Protocol):
    """What a drill file defines."""

    REQUIRED: frozenset[str]
    OPTIONAL: frozenset[str]
    FACTS: tuple[str, ...]

    def problems(self, options: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """(key, what is wrong; what was expected) of options whose keys are known."""
        ...

    def make(self, options: Mapping[str, Any], env: Environment, poll_s: float) -> Drill:
        """Build the drill; it looks at AWS every `poll_s` seconds."""
        ...


def names() -> list[str]:
    """The kinds there are: this folder's files."""
    return sorted(path.stem for path in Path(__file__).parent.glob("[a-z]*.py"))


def kind(name: str) -> DrillKind:
    """The file of one kind.

    Raises:
        GuardError: there is no such file.
    """
    if name not in names():
        raise GuardError(f"no drill {name!r}; expected one of {names()}")
    module: Any = importlib.import_module(f"chaos.drills.{name}")
    loaded: DrillKind = module
    return loaded
