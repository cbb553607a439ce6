"""Repeats in rounds: each tool once per round, in an order that moves on, so that drift hits all alike.

On a machine that shares its processors with others, a round may be spoilt by them. A round in which the host
took more than CALM of the processors is made again, at most as many times as there are rounds, and the
calmest are kept. Which ones is decided by what the host took and never by what was measured.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from bench import cores, generator
from bench.generator import Command, Run
from bench.stage import Stage
from bench.target import Target
from scenarios.load.host import Host

CALM = 0.01
Runs = dict[str, list[Run]]
Round = dict[str, Run]


def interleaved(stage: Stage, what: str, runners: Mapping[str, Callable[[], Run]]) -> Runs:
    """Every runner in each of ``stage.repeats`` rounds; the runs per name, in the order of the rounds."""
    made: list[tuple[float, Round]] = []
    while len(made) < stage.repeats or (_calm(made) < stage.repeats and len(made) < 2 * stage.repeats):
        made.append(_round(stage, what, runners, len(made)))
    stolen = [taken for taken, _ in made]
    kept = sorted(sorted(range(len(made)), key=stolen.__getitem__)[: stage.repeats])
    stage.rounds.append({"what": what, "host_took": stolen, "kept": kept})
    return {name: [made[number][1][name] for number in kept] for name in runners}


def _round(
    stage: Stage, what: str, runners: Mapping[str, Callable[[], Run]], number: int
) -> tuple[float, Round]:
    """One run of each, and the largest share of the processors that the host took in any of them."""
    names, runs, taken = list(runners), {}, 0.0
    turn = number % len(names)
    for name in names[turn:] + names[:turn]:
        stage.say(f"{what}: {name}, round {number + 1} of {stage.repeats}")
        host = Host()
        host.report()
        runs[name] = runners[name]()
        taken = max(taken, host.report().get("stolen", 0.0))
    if taken > CALM:
        stage.say(f"{what}: the host took {taken:.1%} of the processors in round {number + 1}")
    return taken, runs


def _calm(made: list[tuple[float, Round]]) -> int:
    return sum(taken <= CALM for taken, _ in made)


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
