"""Plans: which system, how much traffic, in which phases, with which experiments, judged by what.

One TOML file each under `gameday/plans/`; the file's stem is the plan's name.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fixtures import quantity
from fixtures.errors import ConfigError as FixtureConfigError
from gameday import defects, loads
from gameday.errors import ConfigError
from gameday.loads import Load
from slo.source import line_of

__all__ = ["Load", "Phase", "Plan", "load", "names"]

FOLDER = Path(__file__).parent / "plans"
EXPERIMENTS = Path(__file__).parent.parent / "chaos" / "experiments"
PHASES = ("warmup", "steady", "fault", "recovered")
POLICIES = ("local", "nightly", "release")

Keys = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """One stretch of the run; `for_s` in seconds, `experiment` only in a fault phase."""

    name: str
    for_s: float
    experiment: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A whole run, before it is pointed at an environment; `defects` are planted in its region on purpose."""

    name: str
    system: str
    policy: str
    objectives: tuple[str, ...]
    least_passes: int
    load: Load
    phases: tuple[Phase, ...]
    defects: tuple[str, ...] = ()

    @property
    def seconds(self) -> float:
        """How long traffic flows, in seconds, without the read-back."""
        return sum(phase.for_s for phase in self.phases)

    @property
    def experiments(self) -> tuple[str, ...]:
        """The experiments in the order they run."""
        return tuple(phase.experiment for phase in self.phases if phase.experiment)


def names() -> list[str]:
    """The plans that ship with the suite."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def load(name_or_path: str | Path) -> Plan:
    """Read a plan by name or by file; ConfigError with file, line and what was expected."""
    path = Path(name_or_path)
    if path.suffix != ".toml":
        path = FOLDER / f"{name_or_path}.toml"
    if not path.is_file():
        raise ConfigError(f"no plan {str(name_or_path)!r}; expected one of {names()} or a .toml file")
    try:
        text = path.read_text("utf-8")
        data = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError, RecursionError) as error:
        raise ConfigError(f"{path}: not TOML: {error}") from error
    return _Reader(path=path, text=text, data=data).plan()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reader:
    path: Path
    text: str
    data: Mapping[str, Any]

    def plan(self) -> Plan:
        known = {"system", "policy", "objectives", "least_passes", "load", "phase", "defects"}
        self._known((), self.data, known)
        objectives = self._objectives()
        return Plan(
            name=self.path.stem,
            system=self._text("system"),
            policy=self._choice((), self.data, "policy", POLICIES, default="local"),
            objectives=objectives,
            least_passes=self._least_passes(len(objectives)),
            load=self._load(),
            phases=self._phases(),
            defects=self._defects(),
        )

    def _objectives(self) -> tuple[str, ...]:
        value = self.data.get("objectives")
        if not isinstance(value, list) or not value or not all(isinstance(item, str) for item in value):
            raise self._error(("objectives",), f"objectives is {value!r}; expected a list of at least one id")
        twice = sorted({item for item in value if value.count(item) > 1})
        if twice:
            raise self._error(("objectives",), f"listed twice: {twice}; expected each id once")
        return tuple(value)

    def _defects(self) -> tuple[str, ...]:
        value = self.data.get("defects", [])
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self._error(("defects",), f"defects is {value!r}; expected a list of names")
        try:
            defects.known(value, self._text("system"))
        except FixtureConfigError as error:
            raise self._error(("defects",), error.problem) from error
        return tuple(value)

    def _least_passes(self, objectives: int) -> int:
        value = self.data.get("least_passes")
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= objectives:
            raise self._error(
                ("least_passes",),
                f"least_passes is {value!r}; expected 1 to {objectives}, the objectives listed",
            )
        return value

    def _load(self) -> Load:
        table = self.data.get("load")
        if not isinstance(table, dict):
            raise self._error(("load",), 'no [load]; expected at least rate = "300/s"')
        return loads.Reader(table=table, refuse=self._error).load()

    def _phases(self) -> tuple[Phase, ...]:
        tables = self.data.get("phase")
        if not isinstance(tables, list) or not tables or not all(isinstance(one, dict) for one in tables):
            raise self._error(("phase",), "no [[phase]]; expected at least a steady phase")
        phases = tuple(self._phase(number, table) for number, table in enumerate(tables))
        if all(phase.name != "steady" for phase in phases):
            raise self._error(("phase", 0), "no steady phase; expected one before any fault")
        first_fault = next((n for n, phase in enumerate(phases) if phase.name == "fault"), None)
        if first_fault is not None and all(phase.name != "steady" for phase in phases[:first_fault]):
            raise self._error(
                ("phase", first_fault), "a fault before any steady phase; expected steady first"
            )
        return phases

    def _phase(self, number: int, table: Mapping[str, Any]) -> Phase:
        where: Keys = ("phase", number)
        self._known(where, table, {"name", "for", "experiment"})
        name = self._choice(where, table, "name", PHASES)
        experiment = table.get("experiment")
        if (name == "fault") != (experiment is not None):
            raise self._error(
                (*where, "experiment"), f"a {name} phase; expected an experiment in fault phases only"
            )
        if experiment is not None:
            known = sorted(path.stem for path in (EXPERIMENTS / str(self.data.get("system"))).glob("*.json"))
            if experiment not in known:
                raise self._error(
                    (*where, "experiment"), f"no experiment {experiment!r}; expected one of {known}"
                )
        seconds = self._quantity((*where, "for"), table.get("for"), quantity.duration)
        return Phase(name=name, for_s=seconds, experiment=experiment)

    def _text(self, key: str) -> str:
        value = self.data.get(key)
        if not isinstance(value, str) or not value:
            raise self._error((key,), f"{key} is {value!r}; expected a text")
        return value

    def _choice(
        self,
        where: Keys,
        table: Mapping[str, Any],
        key: str,
        allowed: tuple[str, ...],
        default: str | None = None,
    ) -> str:
        value = table.get(key, default)
        if value not in allowed:
            raise self._error((*where, key), f"{key} is {value!r}; expected one of {list(allowed)}")
        return str(value)

    def _quantity(self, keys: Keys, value: object, parse: Any) -> float:
        try:
            return float(parse(value))
        except FixtureConfigError as error:
            raise self._error(keys, f"{keys[-1]}: {error.problem}") from error

    def _known(self, where: Keys, table: Mapping[str, Any], known: set[str]) -> None:
        for key in table:
            if key not in known:
                raise self._error((*where, key), f"unknown key {key!r}; expected one of {sorted(known)}")

    def _error(self, keys: Keys, problem: str) -> ConfigError:
        line = line_of(self.text, keys)
        return ConfigError(f"{self.path}:{line}: {problem}" if line else f"{self.path}: {problem}")
