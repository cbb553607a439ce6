"""Earlier runs: compared one with another, remembered in a history, made a baseline.

The history of a folder of runs is `history.jsonl` beside them; it only grows.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path

from gameday.errors import ConfigError
from slo import baseline, compare, history, manifest, nights, verdict
from slo.baseline import Baseline
from slo.errors import RecordError
from slo.expression import parse
from slo.finding import spoken
from slo.history import Entry, History
from slo.manifest import Manifest
from slo.verdict import Verdicts


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """A history and where it is kept."""

    path: Path
    history: History


def of(out: Path) -> Past:
    """The history of the runs in a folder; RecordError when it is damaged."""
    path = out / history.FILE
    return Past(path=path, history=history.read(path))


def compared(before: Path, after: Path) -> compare.Comparison:
    """Two run folders, both judged already; RecordError when one is not."""
    return compare.compare(*((manifest.read(path), verdict.read(path)) for path in (before, after)))


def set_out(folder: Path) -> None:
    """Write down what earlier runs measured, before the run is judged for the first time."""
    if not (folder / baseline.FILE).is_file():
        baseline.write(folder, _nights_of(folder))


def _nights_of(folder: Path) -> Baseline:
    found = manifest.read(folder)
    try:
        return nights.before(found, of(folder.parent).history)
    except RecordError as error:
        return Baseline(reason=f"the history of earlier runs cannot be read: {error}")


def remember(folder: Path, verdicts: Verdicts) -> list[str]:
    """Append the run to its folder's history; what stands out beside earlier ones, in sentences."""
    try:
        past = of(folder.parent)
    except RecordError as error:
        return [f"this run was not added to the history: {error}"]
    entry = _entry(manifest.read(folder), verdicts)
    history.append(past.path, entry)
    return [*_beside_baseline(past.history, entry), *_out_of_line(past.history, entry)]


def _entry(found: Manifest, verdicts: Verdicts) -> Entry:
    """A run with planted defects is no measure for later ones, whatever it passed."""
    entry = history.entry(found, verdicts, judged=time.time())
    return replace(entry, sound=False) if found.raw.get("defects") else entry


def make_baseline(folder: Path) -> str:
    """Make a run the one that later ones of its kind are compared with; its fingerprint.

    Raises:
        ConfigError: it did not pass.
    """
    verdicts = verdict.read(folder)
    if (verdicts.state, verdicts.verdict) != ("complete", "pass"):
        raise ConfigError(
            f"{folder}: {verdicts.verdict}, {verdicts.state}; expected a complete run that passed"
        )
    past = of(folder.parent)
    entry = _entry(manifest.read(folder), verdicts)
    if all(one.run_id != entry.run_id for one in past.history.entries):
        history.append(past.path, entry)
    history.set_baseline(past.path, entry.run_id, t=time.time())
    return entry.fingerprint


def _beside_baseline(known: History, entry: Entry) -> list[str]:
    chosen = known.baseline(entry)
    if chosen is None:
        return []
    return [
        f"{name} is {_said(entry, name)}, {_said(chosen, name)} in baseline {chosen.run_id}"
        for name in entry.values
        if _said(entry, name) and _said(chosen, name)
    ]


def _said(entry: Entry, name: str) -> str:
    found = entry.values.get(name)
    return "" if found is None or found.value is None else spoken(found.value, found.unit)


def _out_of_line(known: History, entry: Entry) -> list[str]:
    earlier = known.comparable(entry.fingerprint, run_id=entry.run_id, started=entry.started)
    said = []
    for name, found in entry.values.items():
        if found.value is None or parse(found.expr).relative:
            continue
        stand = baseline.stand(found.value, history.numbers(earlier, name), below=parse(found.expr).below)
        if stand.state == baseline.OUT_OF_LINE and stand.median is not None:
            said.append(
                f"{name} is out of line: {spoken(found.value, found.unit)}, "
                f"median {spoken(stand.median, found.unit)} of {stand.nights} comparable runs"
            )
    return said
