"""Defects a run plants on purpose, to see whether the judge catches them: only into a region of its own."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from fixtures.environment import Environment
from fixtures.errors import ConfigError as ChoiceError
from fixtures.region.defects import catalogue, choice, planting
from gameday.errors import ConfigError


def known(texts: Sequence[str], system: str) -> None:
    """Refuse what cannot be planted into `system`; fixtures.errors.ConfigError says what could be."""
    choice.parse(texts, catalogue.of(catalogue.folder_of(system)))


def allowed(texts: Sequence[str], system: str, env: Environment, *, standing: bool = False) -> None:
    """Refuse defects that are unknown, or asked for where there is no region to plant them in.

    What GAMEDAY_DEFECTS asks for is looked at as well, before anything is started.

    Raises:
        ConfigError: nothing was started.
    """
    if texts and env.kind != "region":
        raise ConfigError(
            f"{', '.join(texts)}: environment {env.name!r} is of kind {env.kind}; "
            "expected no defects anywhere but in a local region (kind region)"
        )
    if texts and standing:
        raise ConfigError(
            f"{', '.join(texts)}: a standing region has the defects it was started with; "
            f"expected gameday region up --env {env.name} --defect {texts[0]}"
        )
    sealed = os.environ.get(planting.VARIABLE, "") if env.kind == "region" and not standing else ""
    try:
        known([sealed, *texts], system)
    except ChoiceError as error:
        raise ConfigError(f"defects: {error}") from error


def lines(systems: Sequence[str]) -> Iterator[str]:
    """What can be planted, what must catch it, and what is broken then: a line each, in columns."""
    for system in systems:
        for name, found in catalogue.of(catalogue.folder_of(system)).items():
            yield f"  {system}/{name:<23} {found.catches:<22} {found.sentence}"
