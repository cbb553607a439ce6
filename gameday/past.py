"""Earlier runs: compared one with another, remembered in a history, made a baseline.

The history of a folder of runs is `history.jsonl` beside them; it only grows.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from gameday.errors import ConfigError
from slo import baseline, compare, history, manifest, verdict
from slo.expression import parse
from slo.finding import spoken
from slo.history import Entry, History
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


def remember(folder: Path, verdicts: Verdicts) -> list[str]:
    """Append the run to its folder's history; what stands out beside earlier ones, in sentences."""
    past = of(folder.parent)
    entry = history.entry(manifest.read(folder), verdicts, judged=time.time())
    history.append(past.path, entry)
    return [*_beside_baseline(past.history, entry), *_out_of_line(past.history, entry)]


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
    entry = history.entry(manifest.read(folder), verdicts, judged=time.time())
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
    nights = known.comparable(entry)
    said = []
    for name, found in entry.values.items():
        if found.value is None:
            continue
        stand = baseline.stand(found.value, history.numbers(nights, name), below=parse(found.expr).below)
        if stand.state == baseline.OUT_OF_LINE and stand.median is not None:
            said.append(
                f"{name} is out of line: {spoken(found.value, found.unit)}, "
                f"median {spoken(stand.median, found.unit)} of {stand.nights} comparable runs"
            )
    return said
