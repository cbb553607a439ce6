"""Ten thousand held sessions at a thousand requests a second: their number must not show in the latency."""

from __future__ import annotations

from collections.abc import Sequence

from bench import cores
from bench.figures import OURS, Figure, at_most, gaps
from bench.generator import Run
from bench.peers import ours, stock
from bench.rounds import alone, interleaved
from bench.stage import Stage
from bench.target import serving

RATE = 1000.0
FEW = 100
MANY = 10_000
MANY_QUICKLY = 1000
SECTION = "sessions"
_WARM_S = 3.0
_OPENING_S = 20.0


def measure(stage: Stage) -> list[Figure]:
    """Ours with few and many sessions in turn; stock Locust with as many users once, for contrast."""
    many = MANY_QUICKLY if stage.quick else MANY
    window = stage.seconds(12.0, 3.0)
    for_s = _WARM_S + window + 2.0
    with serving(stage.folder, cpus=(cores.two()[1],)) as target:
        few_name, many_name = f"{FEW} sessions", f"{many} sessions"
        runs = interleaved(
            stage,
            "sessions",
            {
                name: alone(
                    stage,
                    target,
                    ours.arrivals(target.url, rate=RATE, sessions=count, for_s=for_s, out=stage.folder),
                    warm_s=_WARM_S,
                    window_s=window,
                )
                for name, count in ((few_name, FEW), (many_name, many))
            },
        )
        stage.say(f"sessions: {stock.TOOL}, once")
        opening = stage.seconds(_OPENING_S, 3.0)
        theirs = alone(
            stage,
            target,
            stock.paced(target.url, users=many, rate=RATE, for_s=opening + window + 2.0),
            warm_s=opening,
            window_s=window,
        )()
    crowd = runs[many_name]
    p50 = [run.report.p50_ms for run in crowd]
    return [
        Figure(
            section=SECTION,
            name=f"p50, {many:,} sessions at {RATE:g}/s : {FEW} sessions",
            unit="ms",
            measured={
                OURS: p50,
                few_name: [run.report.p50_ms for run in runs[few_name]],
                stock.TOOL: [theirs.report.p50_ms],
            },
            judged=gaps(p50, [run.report.p50_ms for run in runs[few_name]]),
            judged_unit="ms apart",
            target=at_most(1.0),
            extra={"p99_ms": {OURS: [run.report.p99_ms for run in crowd], stock.TOOL: theirs.report.p99_ms}},
        ),
        Figure(
            section=SECTION,
            name=f"CPU, {many:,} sessions at {RATE:g}/s",
            unit="% of a core",
            measured={
                OURS: [100 * run.window.share for run in crowd],
                stock.TOOL: [100 * theirs.window.share],
            },
            target=at_most(25.0),
        ),
        _memory(f"memory, {many:,} sessions at {RATE:g}/s", crowd, theirs),
        _resident(f"the same, resident sets added up, {many:,} sessions", crowd, theirs),
    ]


def _memory(name: str, crowd: Sequence[Run], theirs: Run) -> Figure:
    return Figure(
        section=SECTION,
        name=name,
        unit="MB",
        measured={
            OURS: [run.window.memory.pss for run in crowd],
            stock.TOOL: [theirs.window.memory.pss],
        },
        target=at_most(250.0),
        note="the whole process tree, pages that processes share counted once (PSS)",
    )


def _resident(name: str, crowd: Sequence[Run], theirs: Run) -> Figure:
    return Figure(
        section=SECTION,
        name=name,
        unit="MB",
        measured={
            OURS: [run.window.memory.rss for run in crowd],
            stock.TOOL: [theirs.window.memory.rss],
        },
        note="RSS of each process, shared pages counted in each",
    )
