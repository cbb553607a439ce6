"""`manifest.json`: what a run was meant to be and under which circumstances.

Only what judging needs is given a type; the whole document stays in `raw` for those who print it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slo import jsonl
from slo.errors import RecordError

SCHEMA = 1
OPEN_MODELS = ("arrivals", "sessions")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedPhase:
    """A phase of the plan; the experiment is that of a fault and of the recovery after it."""

    name: str
    for_s: float
    experiment: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedExperiment:
    """What the judge needs of an experiment: the objectives it is judged by and the kind of its probe."""

    name: str
    judge: tuple[str, ...]
    steady_state: tuple[str, ...]
    probe: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """The typed part of `manifest.json`; times are epoch seconds."""

    run_id: str
    state: str
    reason: str
    system: str
    plan: str
    policy: str
    environment: Mapping[str, Any]
    load: Mapping[str, Any]
    phases: tuple[PlannedPhase, ...]
    operations: Mapping[str, tuple[str, ...]]
    objectives: tuple[str, ...]
    least_passes: int
    experiments: tuple[PlannedExperiment, ...]
    started: float
    raw: Mapping[str, Any]

    @property
    def time_scale(self) -> float:
        """By how much the environment shortens durations; 1.0 is real time."""
        return float(self.environment.get("time_scale") or 1.0)

    @property
    def model(self) -> str:
        """How load was made: arrivals, sessions, users, partly-open, or the name of another kind of user."""
        return str(self.load.get("model", "arrivals"))

    @property
    def closed(self) -> bool:
        """Whether who sent next waited for an answer first, so that a slow system made its own load less."""
        return self.model not in OPEN_MODELS

    @property
    def timeout_s(self) -> float:
        """How long the client waited for an answer."""
        return float(self.load.get("timeout_s") or 10.0)

    def select(self, selectors: Sequence[str]) -> tuple[str, ...]:
        """Slugs of this run that the selectors name; none means all."""
        return select(selectors, self.operations)

    def experiment(self, name: str | None) -> PlannedExperiment | None:
        """The experiment of that name, if the run has it."""
        return next((one for one in self.experiments if one.name == name), None)


def select(selectors: Sequence[str], operations: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Slugs that `@group` and slug selectors name, in the order of `operations`; none means all."""
    return tuple(
        slug
        for slug, groups in operations.items()
        if not selectors or slug in selectors or any(f"@{group}" in selectors for group in groups)
    )


def read(folder: Path) -> Manifest:
    """Read the manifest of a run folder.

    Raises:
        RecordError: missing, not JSON, of another schema, or without a field.
    """
    path = folder / "manifest.json"
    try:
        raw = jsonl.document(path.read_bytes())
    except FileNotFoundError:
        raise RecordError(f"{folder}: no manifest.json; is this a run folder?") from None
    except (OSError, ValueError) as error:
        raise RecordError(f"{path}: cannot be read as JSON: {error}") from error
    if not isinstance(raw, dict) or raw.get("schema") != SCHEMA:
        found = raw.get("schema") if isinstance(raw, dict) else type(raw).__name__
        raise RecordError(
            f"{path}: schema {found!r} instead of {SCHEMA}; use the version of gameday that wrote it"
        )
    try:
        return _manifest(raw)
    except KeyError as error:
        raise RecordError(
            f"{path}: no {error.args[0]!r}; the manifest is not one that gameday wrote"
        ) from error
    except (TypeError, ValueError, AttributeError) as error:
        raise RecordError(
            f"{path}: a field has the wrong type ({error}); compare it with another run's"
        ) from error


def _manifest(raw: Mapping[str, Any]) -> Manifest:
    environment, load = dict(raw.get("environment", {})), dict(raw.get("load", {}))
    for table, key in ((environment, "time_scale"), (load, "timeout_s")):
        if table.get(key) is not None and jsonl.number(table[key]) <= 0:
            raise ValueError(f"{key} is {table[key]!r}")
    return Manifest(
        run_id=str(raw["run_id"]),
        state=str(raw["state"]),
        reason=str(raw.get("reason", "")),
        system=str(raw["system"]),
        plan=str(raw.get("plan", "")),
        policy=str(raw.get("policy", "")),
        environment=environment,
        load=load,
        phases=tuple(
            PlannedPhase(
                name=str(one["name"]),
                for_s=jsonl.number(one["for_s"]),
                experiment=_name(one.get("experiment")),
            )
            for one in raw["phases"]
        ),
        operations={slug: tuple(one.get("groups", ())) for slug, one in raw["operations"].items()},
        objectives=_names(raw["objectives"]),
        least_passes=_least(raw.get("least_passes", 0)),
        experiments=tuple(_experiment(name, one) for name, one in raw.get("experiments", {}).items()),
        started=jsonl.number(raw.get("started") or 0.0),
        raw=raw,
    )


def _experiment(name: str, raw: Mapping[str, Any]) -> PlannedExperiment:
    return PlannedExperiment(
        name=name,
        judge=_names(raw.get("judge", [])),
        steady_state=_names(raw.get("steady_state", [])),
        probe=str(raw.get("observe", {}).get("probe", "none")),
    )


def _names(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise TypeError(f"{value!r} is not a list of names")
    return tuple(value)


def _least(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise TypeError(f"least_passes is {value!r}")
    return value


def _name(value: object) -> str | None:
    return None if value is None else str(value)
