"""What every judged run leaves behind: one line of `history.jsonl`, appended and never changed.

    {"schema": 1, "kind": "run", "run_id": "...", "started": 1.0, "judged": 2.0, "system": "lexohub",
     "plan": "...", "environment": "local", "fingerprint": "3f9a...", "commit": "...", "dirty": false,
     "state": "complete", "verdict": "pass", "sound": true, "parts": {"system": "lexohub", ...},
     "values": {"latency-p99": {"verdict": "pass", "value": 0.02, "unit": "s", "expr": "p(99) < 500ms"}}}
    {"schema": 1, "kind": "baseline", "run_id": "...", "t": 3.0}

`sound` runs are the nights of later baselines: complete, and passing apart from baselines that were not there
yet; lines of earlier versions have neither it nor `parts`, what makes runs comparable.

A run judged twice has two lines; the last one counts. A `baseline` line names the run that later ones of the
same fingerprint are compared with; the last one counts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from slo import fingerprint, jsonl
from slo.errors import RecordError
from slo.finding import NO_DATA, PASS
from slo.manifest import Manifest
from slo.verdict import Verdicts

SCHEMA = 1
FILE = "history.jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """What one objective measured, in `unit`; None where nothing was."""

    verdict: str
    value: float | None
    unit: str
    expr: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One judged run; times are epoch seconds."""

    run_id: str
    started: float
    judged: float
    system: str
    plan: str
    environment: str
    fingerprint: str
    commit: str | None
    dirty: bool | None
    state: str
    verdict: str
    values: Mapping[str, Value]
    sound: bool = True
    parts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """Whether later runs may be compared with it."""
        return self.state == "complete" and self.sound and self.verdict in (PASS, NO_DATA)


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """Entries by the start of their run, and the runs that were made baselines, the last one last."""

    entries: tuple[Entry, ...]
    baselines: tuple[str, ...]

    def of(self, system: str) -> "History":
        """Only one system's."""
        return History(
            entries=tuple(one for one in self.entries if one.system == system), baselines=self.baselines
        )

    def comparable(self, fingerprint: str, *, run_id: str, started: float) -> tuple[Entry, ...]:
        """Runs with this fingerprint that passed and began before that moment."""
        return tuple(
            one
            for one in self.entries
            if one.fingerprint == fingerprint
            and one.run_id != run_id
            and one.started < started
            and one.passed
        )

    def baseline(self, entry: Entry) -> Entry | None:
        """The last run that was made a baseline and is comparable in all but its verdict."""
        known = {one.run_id: one for one in self.entries if one.fingerprint == entry.fingerprint}
        return next((known[name] for name in reversed(self.baselines) if name in known), None)


def entry(manifest: Manifest, verdicts: Verdicts, *, judged: float) -> Entry:
    """What this run leaves behind."""
    git = manifest.raw.get("git") or {}
    return Entry(
        run_id=verdicts.run_id,
        started=manifest.started,
        judged=judged,
        system=manifest.system,
        plan=manifest.plan,
        environment=str(manifest.environment.get("name", "")),
        fingerprint=fingerprint.of(manifest),
        commit=git.get("commit"),
        dirty=git.get("dirty"),
        state=verdicts.state,
        verdict=verdicts.verdict,
        values={
            one.name: Value(verdict=one.verdict, value=one.measured, unit=one.unit, expr=one.expr)
            for one in verdicts.objectives
        },
        sound=verdicts.sound,
        parts=fingerprint.parts(manifest),
    )


def append(path: Path, one: Entry) -> None:
    """Add a run's line."""
    jsonl.append(path, {"schema": SCHEMA, "kind": "run", **asdict(one)})


def set_baseline(path: Path, run_id: str, *, t: float) -> None:
    """Make a run the one that later ones are compared with."""
    jsonl.append(path, {"schema": SCHEMA, "kind": "baseline", "run_id": run_id, "t": t})


def read(path: Path) -> History:
    """Read a history; one that is not there is empty.

    Raises:
        RecordError: names the file and the line that is not one of ours.
    """
    lines = jsonl.read(path, missing_ok=True)
    runs: dict[str, Entry] = {}
    baselines: list[str] = []
    for number, line in enumerate(lines, start=1):
        try:
            _take(line, runs, baselines)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise RecordError(
                f"{path}:{number}: not a line of history ({type(error).__name__}: {error}); "
                "it was not written by this version"
            ) from error
    return History(
        entries=tuple(sorted(runs.values(), key=lambda one: (one.started, one.run_id))),
        baselines=tuple(baselines),
    )


def _take(line: Mapping[str, Any], runs: dict[str, Entry], baselines: list[str]) -> None:
    if line["schema"] != SCHEMA:
        raise ValueError(f"schema {line['schema']!r} instead of {SCHEMA}")
    if line["kind"] == "baseline":
        baselines.append(str(line["run_id"]))
        return
    known = {"sound": line["verdict"] == PASS, "parts": {}, **line}
    fields = {name: known[name] for name in Entry.__dataclass_fields__}
    fields["started"], fields["judged"] = jsonl.number(fields["started"]), jsonl.number(fields["judged"])
    fields["values"] = {name: Value(**value) for name, value in fields["values"].items()}
    for found in fields["values"].values():
        if found.value is not None:
            jsonl.number(found.value)
    runs[str(line["run_id"])] = Entry(**fields)


def numbers(entries: Sequence[Entry], name: str) -> list[float]:
    """What one objective measured in these runs, where it did."""
    found = [one.values[name].value for one in entries if name in one.values]
    return [value for value in found if value is not None]
