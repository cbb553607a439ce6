"""How true a replay was to its recording, from the run folder and the workload file it names."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fixtures.errors import ConfigError as FileError
from fixtures.replay import workload
from fixtures.replay.workload import Workload
from gameday import replayed
from gameday.errors import ConfigError, FolderError
from slo import counters, jsonl, manifest
from slo.counters import Counters
from slo.errors import RecordError

FILE = "fidelity.json"
_AFTER_THE_SECOND_S = 0.0005  # arrival 0 comes this long after the whole second that the run begins with
Grid = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fidelity:
    """What a replay made of the requests recorded for the time it ran.

    `recorded` are all of them, `planned` those that may be sent again, `sent` those that left; `skipped` says
    why the others were not planned, `left_out` why lines of the log never came into the workload. The
    differences are between planned and sent, in requests of one second. `mix_distance` is the total variation
    distance (half the sum of the absolute differences of shares, 0 to 1) of what was sent from what was
    planned, `mix_distance_recorded` from all that was recorded.
    """

    file: str
    speed: float
    seconds: int
    recorded: int
    planned: int
    sent: int
    skipped: Mapping[str, int]
    left_out: Mapping[str, int]
    largest_difference: int
    largest_at_s: int
    mean_difference: float
    mix_distance: float
    mix_distance_recorded: float
    gaps_cut: int
    gaps_removed_s: float

    def to_json(self) -> dict[str, Any]:
        """The document of fidelity.json."""
        return asdict(self)

    def lines(self) -> list[str]:
        """A few lines for a terminal."""
        share = self.sent / self.planned if self.planned else 0.0
        skipped = ", ".join(f"{count:,} {reason}" for reason, count in self.skipped.items()) or "none"
        return [
            f"replayed {self.sent:,} of {self.planned:,} planned requests ({share:.2%}), speed {self.speed}",
            f"skipped: {skipped}",
            f"per second: {self.mean_difference:.2f} off on average, {self.largest_difference} at most "
            f"(second {self.largest_at_s}); mix distance {self.mix_distance:.4f} from what was planned, "
            f"{self.mix_distance_recorded:.4f} from all that was recorded",
        ]


def of(folder: Path) -> Fidelity:
    """Compare a run folder with the workload that it replayed.

    Raises:
        ConfigError, RecordError: it is not a replay, or its workload is gone.
    """
    described = manifest.read(folder)
    asked = described.load.get("replay")
    if not isinstance(asked, dict):
        raise ConfigError(f"{folder} did not replay a workload; expected a run with --replay")
    found, speed = workload.read(Path(asked["file"])), float(asked["speed"])
    start, lasted = _times(folder, sum(phase.for_s for phase in described.phases))
    only = tuple(described.load.get("only") or ())
    recorded, past = _recorded(found, speed=speed, start=start, lasted=lasted)
    reasons = replayed.omitted(found, only)
    planned = recorded.copy()
    planned[[bool(reason) for reason in reasons], :] = 0
    sent = _sent(counters.read(folder / "counters.jsonl"), found, math.floor(start), planned.shape[1])
    skipped: Counter[str] = Counter()
    for reason, count in zip(reasons, recorded.sum(axis=1).tolist(), strict=True):
        if reason:
            skipped[reason] += count
    if past:
        skipped["after the end"] = past
    off = np.abs(planned.sum(axis=0) - sent.sum(axis=0))
    return Fidelity(
        file=str(found.path),
        speed=speed,
        seconds=int(planned.shape[1]),
        recorded=int(recorded.sum()),
        planned=int(planned.sum()),
        sent=int(sent.sum()),
        skipped=dict(skipped.most_common()),
        left_out=dict(found.header.skipped),
        largest_difference=int(off.max()),
        largest_at_s=int(off.argmax()),
        mean_difference=float(off.mean()),
        mix_distance=distance(planned.sum(axis=1), sent.sum(axis=1)),
        mix_distance_recorded=distance(recorded.sum(axis=1), sent.sum(axis=1)),
        gaps_cut=found.header.gaps,
        gaps_removed_s=found.header.gaps_removed_s,
    )


def remember(folder: Path) -> list[str]:
    """Compute it, write fidelity.json and an event of the run; lines to print, or why there are none.

    Raises:
        FolderError: the folder cannot be written to.
    """
    try:
        found = of(folder)
    except (ConfigError, FileError, RecordError) as error:
        return [f"no fidelity: {error}"]
    try:
        (folder / FILE).write_text(json.dumps(found.to_json(), indent=1) + "\n", "utf-8")
        _, end = _edges(folder)
        event = {"t": end, "kind": "fidelity", "planned": found.planned, "sent": found.sent}
        jsonl.append(folder / "events.jsonl", event)
    except OSError as error:
        raise FolderError(f"cannot write {folder / FILE}: {error.strerror or error}") from error
    return found.lines()


def read(folder: Path) -> Fidelity:
    """What was computed when the run ended; ConfigError if nothing was."""
    try:
        return Fidelity(**json.loads((folder / FILE).read_text("utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise ConfigError(f"{folder / FILE}: {error}; and the workload that it replayed is gone") from error


def distance(ours: Grid, theirs: Grid) -> float:
    """Total variation distance of two mixes given as counts; 1 when one of them is empty."""
    if not ours.sum() or not theirs.sum():
        return 0.0 if ours.sum() == theirs.sum() else 1.0
    return float(np.abs(ours / ours.sum() - theirs / theirs.sum()).sum() / 2)


def _recorded(found: Workload, *, speed: float, start: float, lasted: float) -> tuple[Grid, int]:
    """Requests per operation and second of the run, and how many come after its end."""
    shift = start - math.floor(start) or _AFTER_THE_SECOND_S
    grid = np.zeros((len(found.header.operations), math.ceil(lasted + shift)), dtype=np.int64)
    taken = 0
    for one in found.requests():
        at = one.at / speed
        if at >= lasted:
            break
        grid[one.operation, int(at + shift)] += 1
        taken += 1
    last = np.flatnonzero(grid.any(axis=0))
    return grid[:, : int(last[-1]) + 1 if last.size else 1], found.header.requests - taken


def _sent(counters: Counters, found: Workload, start: int, seconds: int) -> Grid:
    """What left, in the same shape; by the second it was intended for."""
    rows = {one.slug: row for row, one in enumerate(found.header.operations)}
    grid = np.zeros((len(rows), seconds), dtype=np.int64)
    for slug, counts in zip(counters.operations, counters.sent, strict=True):
        for column in np.flatnonzero(counts).tolist():
            second = counters.start + column - start
            if slug in rows and 0 <= second < seconds:
                grid[rows[slug], second] += counts[column]
    return grid


def _times(folder: Path, planned_s: float) -> tuple[float, float]:
    """When the arrivals began, and for how many seconds they went on."""
    start, end = _edges(folder)
    return start, min(planned_s, end - start)


def _edges(folder: Path) -> tuple[float, float]:
    edges = {
        str(event.get("edge")): float(event["t"])
        for event in jsonl.read(folder / "events.jsonl", missing_ok=True)
        if event.get("kind") == "load"
    }
    if "start" not in edges or edges.get("end", 0.0) <= edges["start"]:
        raise ConfigError(f"{folder}: its load never began or never ended; there is nothing to compare")
    return edges["start"], edges["end"]
