"""Repeats in rounds: each tool once per round, in an order that moves on, so that drift hits all alike.

On a machine that shares its processors with others, a round may be spoilt by them. A round in which the host
took more than CALM of the processors is made again, at most as many times as there are rounds, and the
calmest are kept. Which ones is decided by what the host took and never by what was measured. A round in which
a tool failed is made again likewise if the host took its share of it; on a calm machine it ends the section.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from bench import cores, generator
from bench.errors import BenchError, SpoiltError
from bench.generator import Command, Run
from bench.stage import Stage
from bench.target import Target
from scenarios.load.host import Host

CALM = 0.01
Runs = dict[str, list[Run]]
Round = dict[str, Run]


def interleaved(stage: Stage, what: str, runners: Mapping[str, Callable[[], Run]]) -> Runs:
    """Every runner in each of ``stage.repeats`` rounds; the runs per name, in the order of the rounds.

    Raises:
        BenchError: a tool failed on a calm machine, or in so many rounds that too few are left.
    """
    made: list[tuple[float, Round]] = []
    failed: list[BenchError] = []
    while _wanting(made, len(failed), stage.repeats):
        stage.say(f"{what}: round {len(made) + len(failed) + 1} of {stage.repeats}")
        try:
            made.append(_round(stage, what, runners, len(made) + len(failed)))
        except SpoiltError as error:
            failed.append(error)
    if len(made) < stage.repeats:
        raise failed[-1]
    stolen = [taken for taken, _ in made]
    kept = sorted(sorted(range(len(made)), key=stolen.__getitem__)[: stage.repeats])
    said = {"failed": [str(error) for error in failed]} if failed else {}
    stage.rounds.append({"what": what, "host_took": stolen, "kept": kept, **said})
    return {name: [made[number][1][name] for number in kept] for name in runners}


def _wanting(made: Sequence[tuple[float, Round]], failed: int, repeats: int) -> bool:
    """Whether another round is to be made."""
    return len(made) + failed < 2 * repeats and _calm(made) < repeats


def _round(
    stage: Stage, what: str, runners: Mapping[str, Callable[[], Run]], number: int
) -> tuple[float, Round]:
    """One run of each, and the largest share of the processors that the host took in any of them."""
    names, runs, taken = list(runners), {}, 0.0
    turn = number % len(names)
    for name in names[turn:] + names[:turn]:
        stage.say(f"{what}: {name}")
        host = Host()
        host.report()
        try:
            runs[name] = runners[name]()
        except BenchError as error:
            if (share := host.report().get("stolen", 0.0)) <= CALM:
                raise
            stage.say(f"{what}: the host took {share:.1%} of the processors, and {name} failed")
            raise SpoiltError(str(error)) from error
        taken = max(taken, host.report().get("stolen", 0.0))
    if taken > CALM:
        stage.say(f"{what}: the host took {taken:.1%} of the processors in round {number + 1}")
    return taken, runs


def _calm(made: Sequence[tuple[float, Round]]) -> int:
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
