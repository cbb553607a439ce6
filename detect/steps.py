"""The schedule: what is done in which order, how long each step takes, and what it finds."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from detect import blind, compare, mutation, rows, runs, simulated
from detect.errors import DetectError
from detect.mutation import ARGUED, KILLED, SURVIVED
from detect.rows import MISSED, QUIET, SHOWN, Row
from detect.runs import Run
from detect.seal import named_in
from detect.setup import Group, Setup, minutes_of, plan_path
from slo import history, manifest
from slo.baseline import LEAST_NIGHTS

PARTS = ("clean", "twins", "defects", "blind", "calibration", "mutation")
CLEAN = "clean"
CLEAN_RUNS, MORE_RUNS = 6, 3
FAULTS = ("failover", "task-kill")  # faults in a healthy system: their objectives can pass
CALIBRATION_MIN, RECOVERY_MIN, MUTATION_MIN = 3.0, 1.0, 8.0
QUICK_MIN = 0.5
MUTANTS = "mutation"
TIMES = 2  # a run that proves nothing, because the generator was short of CPU say, is made once more

Found = tuple[list[Row], Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What every step is given; `out` holds a folder of runs for each part."""

    setup: Setup
    out: Path
    quick: bool
    seed: int
    say: Callable[[str], None]

    @property
    def kept(self) -> Path:
        """Where finished steps are kept."""
        return self.out / "steps"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One line of the schedule; `work` makes rows and figures of it."""

    name: str
    part: str
    minutes: float
    about: str
    work: Callable[[Bench], Found]


def schedule(setup: Setup, *, quick: bool) -> list[Step]:
    """Every step in its order: the clean runs first, for what comes after is compared with them."""
    clean = [_clean(f"clean-{number}", "steady", "clean") for number in range(1, CLEAN_RUNS + 1)]
    healthy = [_clean(f"{plan}-clean", plan, "healthy") for plan in FAULTS]
    groups = {part: [_grouped(group) for group in setup.of(part)] for part in ("clean", "twins", "defects")}
    sealed = [_blind(number) for number in range(blind.RUNS)]
    if quick:  # the history is too short then for anything that is compared with it
        clean, groups["clean"], healthy = clean[:1], [], []
        groups["twins"] = groups["twins"][-1:]
        groups["defects"], sealed = groups["defects"][:1], sealed[:1]
    return [
        *clean,
        *groups["clean"],
        *healthy,
        *groups["twins"],
        *groups["defects"],
        *sealed,
        *(_within_time(*one, quick=quick) for one in _TIMED),
    ]


def _within_time(
    name: str, part: str, minutes: float, work: Callable[[Bench, float], Found], *, quick: bool
) -> Step:
    length = min(minutes, QUICK_MIN) if quick else minutes
    return Step(
        name=name,
        part=part,
        minutes=length,
        about=f"for {length:g} min",
        work=lambda bench: work(bench, length),
    )


def _clean(name: str, plan: str, folder: str) -> Step:
    return Step(
        name=name,
        part="clean",
        minutes=minutes_of(plan),
        about="nothing is planted",
        work=partial(_run_clean, name=name, plan=plan, folder=folder),
    )


def _grouped(group: Group) -> Step:
    planted = [*group.defects, *(f"{name}/twin" for name in group.twins)]
    return Step(
        name=group.name,
        part=group.part,
        minutes=minutes_of(group.plan),
        about=", ".join(planted),
        work=partial(_run_group, group=group, planted=planted),
    )


def _blind(number: int) -> Step:
    """The plan is drawn with the defect, so the longest one is what it may take."""
    return Step(
        name=f"blind-{number + 1}",
        part="blind",
        minutes=minutes_of("defects"),
        about="a sealed envelope",
        work=partial(_run_blind, number=number),
    )


def _run_clean(bench: Bench, *, name: str, plan: str, folder: str) -> Found:
    run = _run(bench, plan, folder)
    found = compare.of_clean("clean", name, run) + _planted("clean", name, run, [])
    return found + _again("clean", name, run), _about(run)


def _run_group(bench: Bench, *, group: Group, planted: Sequence[str]) -> Found:
    if group.beside:
        _need_nights(bench)
    found = _more_nights(bench, group) if group.folder == CLEAN else []
    run = _run(bench, group.plan, group.folder, defects=planted)
    found += compare.of_group(group, bench.setup, run, _healthy(bench) if group.twins else None)
    found += _planted(group.part, group.name, run, planted)
    return found + _again(group.part, group.name, run), _about(run)


def _healthy(bench: Bench) -> dict[str, list[str]]:
    """What the clean runs of this session measured, by objective."""
    measured: dict[str, list[str]] = {}
    for number in range(1, CLEAN_RUNS + 1):
        done = rows.read(bench.kept, f"clean-{number}", quick=bench.quick)
        for name, (_, text) in (done.about.get("objectives", {}) if done else {}).items():
            measured.setdefault(name, []).append(text)
    return measured


def _need_nights(bench: Bench) -> None:
    made = sum((bench.kept / f"clean-{number}.json").exists() for number in range(1, CLEAN_RUNS + 1))
    if made < LEAST_NIGHTS:
        raise DetectError(f"{made} clean runs of at least {LEAST_NIGHTS} are there; --only clean first")


def _more_nights(bench: Bench, group: Group) -> list[Row]:
    """More clean runs where too few have passed: a run with something undecided is nobody's baseline."""
    found: list[Row] = []
    for number in range(1, MORE_RUNS + 1):
        entries = history.read(bench.out / group.folder / history.FILE).entries
        passed = sum(one.passed for one in entries if one.plan == group.plan)
        if passed >= LEAST_NIGHTS or bench.quick:
            break
        bench.say(f"    {passed} clean runs passed, {LEAST_NIGHTS} are needed for a baseline: another one")
        name = f"clean-more-{number}"
        run = _run(bench, group.plan, group.folder)
        found += compare.of_clean(CLEAN, name, run) + _planted(CLEAN, name, run, [])
        found += _again(CLEAN, name, run)
    return found


def _planted(part: str, name: str, run: Run, wanted: Sequence[str]) -> list[Row]:
    """A row if the run does not say that this was planted: then it proves nothing."""
    if run.folder is None:
        return []
    told = manifest.read(run.folder).raw.get("defects", [])
    if list(told) == list(wanted):
        return []
    found = ", ".join(map(str, told)) or "nothing"
    return [
        Row(
            part=part,
            run=name,
            what="what was planted",
            expected=", ".join(wanted) or "nothing",
            found=found,
            result=MISSED,
        )
    ]


def _run_blind(bench: Bench, *, number: int) -> Found:
    envelope = blind.draw(bench.setup, bench.seed)[number]
    group = blind.group_of(bench.setup, envelope, number + 1)
    run = _run(bench, group.plan, "blind", sealed=envelope.text)
    opened = {"seed": bench.seed, "envelope": envelope.text, **_about(run)}
    bench.say(f"    the envelope of seed {bench.seed} says {envelope.text}")
    found = compare.of_group(group, bench.setup, run) + _again("blind", group.name, run)
    if run.folder is not None and (where := named_in(run.folder, envelope)):
        found.append(
            Row(
                part="blind",
                run=group.name,
                what="the seal",
                expected="nothing names it",
                found=", ".join(where),
                result=MISSED,
            )
        )
    return found, opened


def _run(bench: Bench, plan: str, part: str, *, defects: Sequence[str] = (), sealed: str = "") -> Run:
    """A run, and another one if it proves nothing; it knows of the attempts before it."""
    earlier: tuple[Run, ...] = ()
    while True:
        try:
            run = runs.run(
                plan_path(plan),
                out=bench.out / part,
                minutes=minutes_of(plan),
                defects=defects,
                sealed=sealed,
            )
        except DetectError as error:
            raise DetectError("; before it: ".join([str(error), *map(_attempt, earlier)])) from error
        if not run.flaw or len(earlier) == TIMES - 1:
            return replace(run, earlier=earlier)
        bench.say(f"    {_attempt(run)}: once more")
        earlier = (*earlier, run)


def _attempt(run: Run) -> str:
    return f"exit {run.code}, {run.folder.name if run.folder else 'no folder'}, {run.flaw}"


def _again(part: str, name: str, run: Run) -> list[Row]:
    """A row for each attempt that proved nothing and was followed by another; wrong is none of them."""
    return [
        Row(
            part=part,
            run=name,
            what=f"attempt {number} of {len(run.earlier) + 1}",
            expected="a run that proves something",
            found=_attempt(one),
            result=SHOWN,
        )
        for number, one in enumerate(run.earlier, start=1)
    ]


def _about(run: Run) -> dict[str, Any]:
    """What results.json keeps of a run: every attempt at it, the last one in full."""
    found = run.verdicts
    return {
        "attempts": [
            {"exit": one.code, "folder": one.folder.name if one.folder else None, "flaw": one.flaw}
            for one in (*run.earlier, run)
        ],
        "effects": dict(run.effects),
        "exit": run.code,
        "folder": str(run.folder.name) if run.folder else None,
        "verdict": found.verdict if found else None,
        "objectives": {one.name: [one.verdict, one.measured_text] for one in found.objectives}
        if found
        else {},
    }


def _calibrate(bench: Bench, minutes: float) -> Found:
    found = simulated.judged(minutes * 60, seed=bench.seed % 1_000_000)
    return simulated.rows_of_verdicts(found), {"outcomes": [asdict(one) for one in found]}


def _recoveries(bench: Bench, minutes: float) -> Found:
    found = simulated.recovered(minutes * 60, seed=bench.seed % 1_000_000)
    return simulated.rows_of_recoveries(found), {"covers": [asdict(one) for one in found]}


def _mutate(bench: Bench, minutes: float) -> Found:
    tried = mutation.explore(minutes * 60, seed=bench.seed, say=lambda text: bench.say(f"    {text}"))
    fates = Counter(one.fate for one in tried)
    text = ", ".join(f"{fates[fate]} {fate}" for fate in (KILLED, SURVIVED, ARGUED))
    found = [_row("mutants", f"{len(tried)} changes of slo/", text, QUIET)]
    found += [
        _row("survivor", one.place, one.reason or one.fate, SHOWN) for one in tried if one.fate != KILLED
    ]
    by_module: dict[str, Counter[str]] = {}
    for one in tried:
        by_module.setdefault(one.mutant.file, Counter())[one.fate] += 1
    about = {
        "seed": bench.seed,
        "cores": os.cpu_count(),
        "by_module": {name: dict(counted) for name, counted in sorted(by_module.items())},
        "survivors": [
            {"place": one.place, "fate": one.fate, "reason": one.reason}
            for one in tried
            if one.fate != KILLED
        ],
    }
    return found, about


def _row(run: str, what: str, found: str, result: str) -> Row:
    return Row(part=MUTANTS, run=run, what=what, expected="killed", found=found, result=result)


_TIMED = (
    ("verdicts", "calibration", CALIBRATION_MIN, _calibrate),
    ("recoveries", "calibration", RECOVERY_MIN, _recoveries),
    ("mutants", MUTANTS, MUTATION_MIN, _mutate),
)
