"""Repeats in rounds: each tool once per round, in an order that moves on, so that drift hits all alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from bench import cores, generator
from bench.generator import Command, Run
from bench.stage import Stage
from bench.target import Target

Runs = dict[str, list[Run]]


def interleaved(stage: Stage, what: str, runners: Mapping[str, Callable[[], Run]]) -> Runs:
    """Every runner ``stage.repeats`` times; the runs per name, in the order of the rounds."""
    names = list(runners)
    runs: Runs = {name: [] for name in names}
    for round_ in range(stage.repeats):
        turn = round_ % len(names)
        for name in names[turn:] + names[:turn]:
            stage.say(f"{what}: {name}, {round_ + 1} of {stage.repeats}")
            runs[name].append(runners[name]())
    return runs


def alone(
    stage: Stage,
    target: Target,
    command: Command,
    *,
    warm_s: float,
    window_s: float,
    during: Callable[[int], None] | None = None,
    cpus: tuple[int, ...] = (),
) -> Callable[[], Run]:
    """A runner that has the generators' core, or these, to itself."""
    return partial(
        generator.run,
        command,
        target,
        folder=stage.folder,
        warm_s=warm_s,
        window_s=window_s,
        cpus=cpus or (cores.two()[0],),
        during=during,
    )
