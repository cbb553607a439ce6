"""`groups.toml`: which defects share a run, what else each makes fail and why, and what blind runs draw from.

A file that would prove nothing is refused: two defects of one run with one objective, a defect whose side
effect is another's objective, a defect in no run, or a twin that is left out. So is an excuse for a failure
that cannot happen: nobody would notice when it no longer fits.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from detect import driven
from detect.errors import SetupError
from fixtures.errors import FixtureError
from fixtures.region.defects import catalogue
from fixtures.region.defects.catalogue import Defect

HERE = Path(__file__).parent
ROOT = HERE.parent
GROUPS = HERE / "groups.toml"
PLANS = HERE / "plans"
SYSTEM = "lexohub"
JUDGED_AFTER_S = 30.0  # a region's start and end, logging in, reading back, judging
AFTER = "after"

Span = tuple[float, float]
Explained = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Defects, or twins, that share a run; `beside` is the part whose runs are its history.

    `unseen`: what is planted must leave the verdict at inconclusive, "fault not observed".
    """

    name: str
    part: str
    plan: str
    defects: tuple[str, ...] = ()
    twins: tuple[str, ...] = ()
    beside: str = ""
    unseen: bool = False

    @property
    def folder(self) -> str:
        """The folder of runs that this one belongs to."""
        return self.beside or self.part


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """The whole file beside the defects it speaks of.

    `judged`: what each plan is judged by, and whether that could fail in its time.
    """

    defects: Mapping[str, Defect]
    groups: tuple[Group, ...]
    explained: Explained
    blind: Mapping[str, Mapping[str, Span]]
    explained_twins: Explained = field(default_factory=dict)
    judged: Mapping[str, Mapping[str, bool]] = field(default_factory=dict)

    def of(self, part: str) -> list[Group]:
        """The groups that run in one part."""
        return [group for group in self.groups if group.part == part]

    def group_of(self, defect: str) -> Group:
        """The run in which a defect, not its twin, is planted by name."""
        return next(group for group in self.groups if defect in group.defects)

    def excuses(self, group: Group) -> dict[str, str]:
        """What may fail in this run besides the objectives of what is planted, and why."""
        pairs = [(self.explained, group.defects), (self.explained_twins, group.twins)]
        return {
            objective: why
            for table, names in pairs
            for name in names
            for objective, why in table.get(name, {}).items()
        }


def load(path: Path = GROUPS, defects: Mapping[str, Defect] | None = None) -> Setup:
    """Read the file and hold it against the defects; SetupError when it would prove nothing."""
    try:
        known = catalogue.of(catalogue.folder_of(SYSTEM)) if defects is None else defects
        table = tomllib.loads(path.read_text("utf-8"))
        groups = tuple(_group(one) for one in table["run"])
        setup = Setup(
            defects=known,
            groups=groups,
            judged={plan: driven.judged(plan_path(plan)) for plan in sorted({one.plan for one in groups})},
            explained=table.get("explained", {}),
            explained_twins=table.get("explained-twin", {}),
            blind={
                name: {key: (float(low), float(high)) for key, (low, high) in spans.items()}
                for name, spans in table.get("blind", {}).items()
            },
        )
    except (
        OSError,
        KeyError,
        TypeError,
        ValueError,
        FixtureError,
        SetupError,
    ) as error:  # not TOML: ValueError
        raise SetupError(f"{path}: cannot be used: {type(error).__name__}: {error}") from error
    if wrong := problems(setup):
        raise SetupError(f"{path}: " + "; ".join(wrong))
    return setup


def _group(table: Mapping[str, Any]) -> Group:
    return Group(**{**table, **{name: tuple(table.get(name, ())) for name in ("defects", "twins")}})


def problems(setup: Setup) -> list[str]:
    """Every reason why these groups would prove less than they seem to, a sentence each."""
    named = {n for g in setup.groups for n in (*g.defects, *g.twins)}
    named |= {*setup.explained, *setup.explained_twins, *setup.blind}
    if strange := sorted(named - setup.defects.keys()):
        return [f"no such defects: {', '.join(strange)}"]
    found = [f"{why} in run {group.name}" for group in setup.groups for why in _confused(setup, group)]
    found += _counted("defect", setup.defects, [n for g in setup.groups for n in g.defects])
    with_twin = [name for name, one in setup.defects.items() if one.twin is not None]
    found += _counted("twin", with_twin, [n for g in setup.groups for n in g.twins])
    found += [why for group in setup.groups for why in _idle(setup, group)]
    for name, spans in setup.blind.items():
        if unknown := sorted(spans.keys() - {*setup.defects[name].sizes, AFTER}):
            found.append(f"blind.{name}: no sizes {', '.join(unknown)}")
        found += [f"blind.{name}.{key}: from {a:g} to {b:g}" for key, (a, b) in spans.items() if a > b]
    return found


def _confused(setup: Setup, group: Group) -> list[str]:
    """Defects of one run whose objectives, or whose side effects, could be taken for one another's."""
    names = (*group.defects, *group.twins)
    objectives = Counter(setup.defects[name].catches for name in names)
    found = [f"{n} defects share {objective}" for objective, n in objectives.items() if n > 1]
    return found + [
        f"{name} makes {setup.defects[other].catches}, which is {other}'s, fail"
        for own, table in ((group.defects, setup.explained), (group.twins, setup.explained_twins))
        for name in own
        for other in names
        if other != name and setup.defects[other].catches in table.get(name, {})
    ]


def _idle(setup: Setup, group: Group) -> list[str]:
    """Excuses that nothing in this run could ever need."""
    found = []
    for objective in setup.excuses(group):
        could_fail = setup.judged.get(group.plan, {}).get(objective)
        if could_fail is None:
            found.append(f"an excuse for {objective}, which run {group.name} is not judged by")
        elif not could_fail:
            found.append(f"an excuse for {objective}, whose limit is longer than run {group.name}")
        elif group.unseen:
            found.append(f"an excuse for {objective} in run {group.name}, which must not fail at all")
    return found


def _counted(what: str, wanted: Iterable[str], planned: Sequence[str]) -> list[str]:
    times = Counter(planned)
    return [
        f"the {what} {name} is in {times[name]} runs; expected one"
        for name in sorted({*wanted, *times})
        if times[name] != 1 or name not in wanted
    ]


def plan_path(name: str) -> Path:
    """The file of one of our plans."""
    return PLANS / f"{name}.toml"


def minutes_of(plan: str) -> float:
    """How long a run of one of our plans takes, from the start of its region to its report."""
    table = tomllib.loads(plan_path(plan).read_text("utf-8"))
    return (sum(float(one["for"].removesuffix("s")) for one in table["phase"]) + JUDGED_AFTER_S) / 60
