"""What a run folder says while it grows: the last whole seconds of traffic, and how the run stands."""

from __future__ import annotations

import json
import math
from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

WINDOW_S = 5
LAG_S = 1
KEEP_S = 60
_OVER = frozenset({"completed", "stopped", "failed", "cancelled"})


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """The last `WINDOW_S` whole seconds, or as many as there are.

    Rates are per second, latencies in seconds (None: nothing answered). For looking at:
    `p50` is the median of the lines' medians by their answers, `p99` the worst line's.
    """

    intended: float = 0.0
    good: float = 0.0
    bad: float = 0.0
    p50: float | None = None
    p99: float | None = None

    @property
    def ratio(self) -> float | None:
        """Good answers among arrivals; None when nothing arrived."""
        return min(1.0, self.good / self.intended) if self.intended else None


class Lines:
    """Objects of a JSON-lines file as they come; half a line waits for its rest, a missing file is empty."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0
        self._rest = b""

    def fresh(self) -> Iterator[dict[str, Any]]:
        """What was added since the last call."""
        if not self._path.is_file():
            return
        with self._path.open("rb") as file:
            file.seek(self._offset)
            data = self._rest + file.read()
            self._offset = file.tell()
        *lines, self._rest = data.split(b"\n")
        for line in lines:
            yield json.loads(line)


@dataclass(slots=True)
class _Second:
    intended: int = 0
    good: int = 0
    bad: int = 0
    medians: list[tuple[float, int]] = field(default_factory=list)
    p99: float = 0.0


class Tail:
    """Reads counters.jsonl as it grows; holds one minute."""

    def __init__(self, folder: Path) -> None:
        self._lines = Lines(folder / "counters.jsonl")
        self._seconds: dict[int, _Second] = defaultdict(_Second)

    def view(self, now: float) -> View:
        """The window that ended `LAG_S` before `now` (epoch seconds)."""
        for row in self._lines.fresh():
            self._add(row)
        end = int(now) - LAG_S
        for second in [s for s in self._seconds if s < end - KEEP_S]:
            del self._seconds[second]
        rows = [self._seconds[s] for s in range(end - WINDOW_S, end) if s in self._seconds]
        seconds = max(1, min(WINDOW_S, end - min(self._seconds, default=end)))  # fewer at the beginning
        return View(
            intended=sum(row.intended for row in rows) / seconds,
            good=sum(row.good for row in rows) / seconds,
            bad=sum(row.bad for row in rows) / seconds,
            p50=_median([pair for row in rows for pair in row.medians]),
            p99=max((row.p99 for row in rows), default=0.0) or None,
        )

    def _add(self, row: dict[str, Any]) -> None:
        second = self._seconds[int(row["t"])]
        second.intended += row.get("intended", 0)
        second.good += row.get("ok", 0)
        second.bad += sum(row.get("bad", {}).values())
        second.p99 = max(second.p99, row.get("p99") or 0.0)
        if row.get("p50") is not None:
            second.medians.append((row["p50"], row.get("ok", 0)))


@dataclass(slots=True)
class Standing:
    """How the run stands: read from manifest.json once and from events.jsonl as it grows; times in seconds.

    `planned` is how long the traffic is to flow, None when the manifest does not say; `most` how many
    sessions or requests there can be at once, 0 when it does not say.
    """

    folder: Path
    planned: float | None = None
    most: int = 0
    begun: float | None = None
    ended: bool = False
    lost: set[str] = field(default_factory=set)
    faults: dict[str, str] = field(default_factory=dict)
    _workers: dict[str, dict[str, Any]] = field(default_factory=dict)
    _opening: dict[str, tuple[int, int]] = field(default_factory=dict)
    _drops: deque[tuple[float, int]] = field(default_factory=deque)
    _lines: Lines = field(init=False)

    def __post_init__(self) -> None:
        """Read what is planned."""
        self._lines = Lines(self.folder / "events.jsonl")
        try:
            manifest = json.loads((self.folder / "manifest.json").read_bytes())
            self.planned = sum(float(phase["for_s"]) for phase in manifest["phases"]) or None
            load = manifest["load"]
            self.most = int(load.get("sessions") or load.get("users") or load.get("max_in_flight") or 0)
        except (OSError, ValueError, LookupError, TypeError):
            return  # progress without a total is still progress

    def read(self) -> None:
        """Take in the events that have come since the last call."""
        for event in self._lines.fresh():
            self._take(event)

    def left(self, now: float) -> float | None:
        """Seconds of traffic still to come; None before it begins and when nobody knows."""
        if self.begun is None or self.planned is None or math.isinf(self.planned):
            return None
        return max(0.0, self.begun + self.planned - now)

    @property
    def opened(self) -> tuple[int, int]:
        """Sessions that are ready, and how many there will be, over all workers that have said so."""
        return sum(each for each, _ in self._opening.values()), sum(of for _, of in self._opening.values())

    @property
    def in_flight(self) -> int:
        """Requests on their way, over all workers."""
        return sum(int(each.get("in_flight", 0)) for each in self._workers.values())

    @property
    def lag(self) -> float | None:
        """How late arrivals started (p99 of the last second, the worst worker's); None when none did."""
        return max((float(each.get("lag_p99", 0.0)) for each in self._workers.values()), default=None)

    @property
    def cpu(self) -> float:
        """Cores that the generator uses."""
        return sum(float(each.get("cpu", 0.0)) for each in self._workers.values())

    def dropped(self, now: float) -> int:
        """Arrivals of the last `WINDOW_S` that were not sent."""
        while self._drops and self._drops[0][0] < now - WINDOW_S - LAG_S:
            self._drops.popleft()
        return sum(count for _, count in self._drops)

    def _take(self, event: dict[str, Any]) -> None:
        kind, name = event.get("kind"), str(event.get("experiment", ""))
        if kind == "load":
            self.begun = float(event["t"]) if event.get("edge") == "start" else self.begun
            self.ended = self.ended or event.get("edge") == "end"
        elif kind == "opening":
            counted = (int(event.get("open", 0)), int(event.get("of", 0)))
            self._opening[str(event.get("worker", ""))] = counted
        elif kind == "generator":
            self._workers[str(event.get("worker", ""))] = event
            dropped = int(event.get("dropped_system", 0)) + int(event.get("dropped_generator", 0))
            if dropped:
                self._drops.append((float(event["t"]), dropped))
        elif kind == "worker_lost":
            self.lost.add(str(event.get("worker", "")))
            self._workers.pop(str(event.get("worker", "")), None)
        elif kind in ("fis", "drill"):
            self.faults[name] = str(event.get("state", ""))
        elif kind == "probe" and event.get("edge") == "first":
            self.faults[name] = f"{self.faults.get(name, '')}, seen".removeprefix(", ")
        elif kind == "undo" and (event.get("verified") or self.faults.get(name) in _OVER):
            self.faults.pop(name, None)


def _median(pairs: list[tuple[float, int]]) -> float | None:
    """The value in the middle when each stands for so many."""
    half, passed = sum(count for _, count in pairs) / 2, 0
    for value, count in sorted(pairs):
        passed += count
        if passed >= half:
            return value
    return None
