"""What a run was, out of its folder: when phases and faults began and ended, what every second saw."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field

from reports.fields import Json, mapping, number, rows, text, texts, whole
from reports.folder import Folder

LONGEST = 14 * 86400  # one absurd time stamp must not make a chart of a million seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """A stretch of the plan, in epoch seconds."""

    name: str
    experiment: str
    start: float
    end: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A fault's marks in epoch seconds; None where nothing was seen."""

    experiment: str
    first: float | None
    last: float | None
    api_start: float | None
    impact: float | None
    recovered: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Second:
    """All operations' arrivals of one second of the schedule."""

    intended: int = 0
    ok: int = 0
    bad: Counter[str] = field(default_factory=Counter)
    slowest: float | None = None  # the highest p99 of any operation's good answers, in seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run's facts. `seconds` has an entry for every second from `start` to `end`, `counted` per slug."""

    folder: Folder
    start: float
    end: float
    phases: tuple[Phase, ...]
    faults: tuple[Fault, ...]
    seconds: tuple[Second, ...]
    counted: dict[str, Second]

    @property
    def operations(self) -> dict[str, str]:
        """Slug -> name, the manifest's first and in its order, then any other slug that was counted."""
        known = mapping(self.folder.manifest, "operations")
        names = {slug: text(mapping(known, slug), "name", slug) for slug in known}
        counted = sorted({text(line, "op") for line in self.folder.counters} - set(names) - {""})
        return names | {slug: slug for slug in counted}

    def group(self, name: str) -> tuple[str, ...]:
        """Slugs of the operations in a group."""
        known = mapping(self.folder.manifest, "operations")
        return tuple(slug for slug in known if name in texts(mapping(known, slug), "groups"))

    def phase(self, name: str) -> Phase | None:
        """The first phase of that name."""
        return next((phase for phase in self.phases if phase.name == name), None)

    def within(self, phase: Phase | None) -> tuple[Second, ...]:
        """The seconds of a phase, or of the whole run."""
        if phase is None:
            return self.seconds
        return self.seconds[max(0, round(phase.start - self.start)) : max(0, round(phase.end - self.start))]


def describe(folder: Folder) -> Run:
    """Work out phases, faults and seconds; whatever is missing is left empty."""
    stamps = [t for line in folder.counters if (t := number(line, "t")) is not None]
    edges = [t for event in folder.of_kind("phase") if (t := number(event, "t")) is not None]
    started = number(folder.manifest, "started")
    start = math.floor(min(edges or stamps or [started or 0.0]))
    start = min([start, *(math.floor(t) for t in stamps if t > start - 3600)])
    latest = max([start, *(math.ceil(t) for t in edges), *(math.floor(t) + 1 for t in stamps)])
    end = min(latest, start + LONGEST)
    return Run(
        folder=folder,
        start=float(start),
        end=float(end),
        phases=_phases(folder, float(start), float(end)),
        faults=_faults(folder),
        seconds=_seconds(folder, start, end),
        counted=_counted(folder),
    )


def _phases(folder: Folder, start: float, end: float) -> tuple[Phase, ...]:
    begun = [event for event in folder.of_kind("phase") if text(event, "edge") == "start"]
    if not begun:
        return _planned(folder, start, end)
    ended = [event for event in folder.of_kind("phase") if text(event, "edge") == "end"]
    found: list[Phase] = []
    for i, event in enumerate(begun):
        name, t = text(event, "name"), number(event, "t") or start
        limit = (number(begun[i + 1], "t") or end) if i + 1 < len(begun) else end
        stops = [number(other, "t") or limit for other in ended if text(other, "name") == name]
        stop = min([limit, *(s for s in stops if s >= t)])
        found.append(Phase(name=name, experiment=text(event, "experiment"), start=t, end=stop))
    return tuple(found)


def _planned(folder: Folder, start: float, end: float) -> tuple[Phase, ...]:
    found: list[Phase] = []
    t = start
    for planned in rows(folder.manifest, "phases"):
        stop = min(end, t + (number(planned, "for_s") or 0.0))
        if stop > t:
            found.append(
                Phase(name=text(planned, "name"), experiment=text(planned, "experiment"), start=t, end=stop)
            )
        t = stop
    return tuple(found)


def _faults(folder: Folder) -> tuple[Fault, ...]:
    """One per judged fault; experiments that nobody judged are taken from what the probes and FIS said."""
    judged = rows(folder.verdicts, "recovery")
    known = {text(row, "experiment") for row in judged}
    seen = [text(event, "experiment") for kind in ("fis", "drill", "probe") for event in folder.of_kind(kind)]
    unjudged = [name for name in dict.fromkeys(seen) if name and name not in known]
    return tuple([_judged_fault(row) for row in judged] + [_seen_fault(folder, name) for name in unjudged])


def _judged_fault(row: Json) -> Fault:
    return Fault(
        experiment=text(row, "experiment"),
        first=number(row, "t0"),
        last=number(row, "t_end"),
        api_start=number(row, "api_start"),
        impact=number(row, "t1"),
        recovered=number(row, "t2"),
    )


def _seen_fault(folder: Folder, name: str) -> Fault:
    def sights(kind: str, edge: str) -> list[float]:
        chosen = [event for event in folder.of_kind(kind) if text(event, "experiment") == name]
        return [t for e in chosen if text(e, "edge") == edge and (t := number(e, "t")) is not None]

    return Fault(
        experiment=name,
        first=min(sights("probe", "first"), default=None),
        last=max(sights("probe", "last"), default=None),
        api_start=min([*sights("fis", ""), *sights("drill", "")], default=None),
        impact=None,
        recovered=None,
    )


def _seconds(folder: Folder, start: int, end: int) -> tuple[Second, ...]:
    size = end - start
    intended, ok = [0] * size, [0] * size
    bad: list[Counter[str]] = [Counter() for _ in range(size)]
    slowest: list[float | None] = [None] * size
    for line in folder.counters:
        i = math.floor(number(line, "t") or -1) - start
        if not 0 <= i < size:
            continue
        intended[i] += whole(line, "intended")
        ok[i] += whole(line, "ok")
        classes = mapping(line, "bad")
        bad[i].update({name: whole(classes, name) for name in classes})
        worst = number(line, "p99")
        if worst is not None:
            slowest[i] = max(worst, slowest[i] or 0.0)
    return tuple(Second(intended=intended[i], ok=ok[i], bad=bad[i], slowest=slowest[i]) for i in range(size))


def _counted(folder: Folder) -> dict[str, Second]:
    """What was counted of each operation over the whole run; no latency."""
    intended, ok = Counter[str](), Counter[str]()
    bad: dict[str, Counter[str]] = {}
    for line in folder.counters:
        slug, classes = text(line, "op"), mapping(line, "bad")
        intended[slug] += max(whole(line, "intended"), 0)
        ok[slug] += max(whole(line, "ok"), 0)
        bad.setdefault(slug, Counter()).update({name: max(whole(classes, name), 0) for name in classes})
    return {slug: Second(intended=intended[slug], ok=ok[slug], bad=bad[slug]) for slug in bad}
