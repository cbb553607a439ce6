"""Experiments: a FIS template exactly as boto3 takes it, in an envelope that says what it is for.

`chaos/experiments/<system>/<name>.json`: `hypothesis`, `steady_state` and `judge` (objective ids), `template`
(create_experiment_template's input) or `drill` (`chaos.drills`), `observe` (the probe), `stop_alarm` (its
name in the environment); `floor` if the usual one will not do (`chaos.floor`).
What the environment knows stands as `${env.account}`, `${env.region}`, `${env.roles.NAME}`,
`${env.alarms.NAME}` or `${env.urls.NAME}`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from chaos import rules
from chaos.errors import ConfigError
from chaos.floor import Floor
from fixtures.environment import Environment
from slo import source

FOLDER = Path(__file__).parent / "experiments"
_PLACEHOLDER = re.compile(r"\$\{([^}]*)\}?")
_FILLS: dict[str, Callable[[Environment], str | Mapping[str, str]]] = {
    "account": lambda env: env.aws.account,
    "region": lambda env: env.aws.region,
    "roles": lambda env: env.aws.roles,
    "alarms": lambda env: env.aws.alarms,
    "urls": lambda env: env.urls,
}
_SINGLE = {"account", "region"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """One experiment as its file says it; `template` and `options` still hold their placeholders."""

    name: str
    system: str
    path: Path
    hypothesis: str
    steady_state: tuple[str, ...]
    template: Mapping[str, Any]
    probe: str
    every_s: float
    options: Mapping[str, Any]
    judge: tuple[str, ...]
    stop_alarm: str
    floor: Floor = field(default_factory=Floor)
    drill: Mapping[str, Any] = field(default_factory=dict)

    @property
    def actions(self) -> tuple[str, ...]:
        """The FIS action ids it uses, sorted; of a drill its kind."""
        if self.drill:
            return (f"drill:{self.drill['kind']}",)
        return tuple(sorted({action["actionId"] for action in self.template["actions"].values()}))

    @property
    def observe(self) -> dict[str, Any]:
        """The `observe` table as the run's manifest keeps it."""
        return {"probe": self.probe, "every_s": self.every_s, **self.options}


def names(system: str) -> list[str]:
    """The experiments that ship for a system."""
    return sorted(path.stem for path in (FOLDER / system).glob("*.json"))


def load(path: Path) -> Experiment:
    """Read and check one experiment; its name is the file's stem, its system the folder's name.

    Raises:
        ConfigError: "file:line: what is wrong; what was expected".
    """
    try:
        text = path.read_text("utf-8")
        data = json.loads(text, object_pairs_hook=_without_duplicates)
    except json.JSONDecodeError as error:
        raise ConfigError(
            f"not JSON: {error.msg}; expected one object", path=path, line=error.lineno
        ) from error
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigError(f"cannot be read: {error}", path=path) from error
    if not isinstance(data, dict):
        raise ConfigError(f"holds {type(data).__name__}; expected one object", path=path)
    system = path.parent.name
    problem = next(rules.problems(data, system=system), None) or next(_unknown_names(data, ()), None)
    if problem is not None:
        keys, said = problem
        raise ConfigError(said, path=path, line=source.line_of(text, keys))
    observe = dict(data["observe"])
    return Experiment(
        name=path.stem,
        system=system,
        path=path,
        hypothesis=data["hypothesis"],
        steady_state=tuple(data["steady_state"]),
        template=data.get("template", {}),
        probe=observe.pop("probe"),
        every_s=float(observe.pop("every_s", 0.1)),
        options=observe,
        judge=tuple(data["judge"]),
        stop_alarm=data["stop_alarm"],
        floor=Floor(**{key: float(value) for key, value in data.get("floor", {}).items()}),
        drill=data.get("drill", {}),
    )


def resolve(experiment: Experiment, env: Environment) -> dict[str, Any]:
    """The template for `env`, every placeholder filled: ready for create_experiment_template.

    Raises:
        ConfigError: the environment has no such role, alarm or address.
    """
    filled: dict[str, Any] = _filled(experiment.template, ("template",), experiment, env)
    return filled


def drill_options(experiment: Experiment, env: Environment) -> dict[str, Any]:
    """The `drill` table for `env`, every placeholder filled.

    Raises:
        ConfigError: the environment has no such role, alarm or address.
    """
    filled: dict[str, Any] = _filled(experiment.drill, ("drill",), experiment, env)
    return filled


def observe_options(experiment: Experiment, env: Environment) -> dict[str, Any]:
    """The probe's options for `env`, every placeholder filled.

    Raises:
        ConfigError: the environment has no such role, alarm or address.
    """
    filled: dict[str, Any] = _filled(experiment.options, ("observe",), experiment, env)
    return filled


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"the key {key!r} appears twice in one object; expected it once")
        found[key] = value
    return found


def _unknown_names(value: Any, keys: rules.Keys) -> rules.Problems:
    for inner, text in _texts(value, keys):
        for match in _PLACEHOLDER.finditer(text):
            words = match[1].split(".")
            kind = words[1] if len(words) > 1 else ""
            depth = 2 if kind in _SINGLE else 3
            known = words[0] == "env" and kind in _FILLS and len(words) == depth and all(words)
            if not (known and match[0].endswith("}")):
                yield (
                    inner,
                    f"unknown name {match[0]!r}; expected ${{env.account}}, ${{env.region}} or "
                    "${env.roles.NAME}, ${env.alarms.NAME}, ${env.urls.NAME}",
                )


def _texts(value: Any, keys: rules.Keys) -> list[tuple[rules.Keys, str]]:
    if isinstance(value, str):
        return [(keys, value)]
    if isinstance(value, dict):
        return [found for key, item in value.items() for found in _texts(item, (*keys, key))]
    if isinstance(value, list):
        return [found for index, item in enumerate(value) for found in _texts(item, (*keys, index))]
    return []


def _filled(value: Any, keys: rules.Keys, experiment: Experiment, env: Environment) -> Any:
    if isinstance(value, Mapping):
        return {key: _filled(item, (*keys, key), experiment, env) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, (*keys, index), experiment, env) for index, item in enumerate(value)]
    if isinstance(value, str):
        return _PLACEHOLDER.sub(lambda match: _lookup(match[1], keys, experiment, env), value)
    return value


def _lookup(name: str, keys: rules.Keys, experiment: Experiment, env: Environment) -> str:
    _, kind, *rest = name.split(".")
    value = _FILLS[kind](env)
    if isinstance(value, str):
        return value
    if rest[0] not in value:
        line = source.line_of(experiment.path.read_text("utf-8"), keys)
        problem = f"{env.path} has no {kind}.{rest[0]}; expected it there beside {sorted(value)}"
        raise ConfigError(problem, path=experiment.path, line=line)
    return value[rest[0]]
