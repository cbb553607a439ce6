"""The server stops for five seconds: who says so?

The freeze is SIGSTOP at a fixed time after the server's first request, so it hits every tool at the same
moment of its schedule. What an honest report must say is plain arithmetic: of ``rate * seconds`` arrivals
those of the frozen stretch wait for its end, so the quantile q of all lies (1 - q) * seconds below its
length.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial

from bench import cores, generator
from bench.figures import OURS, Figure, at_least, at_most, middle, number, ratios
from bench.generator import Command, Run
from bench.peers import k6, ours, stock
from bench.rounds import interleaved
from bench.stage import Stage
from bench.target import Target, serving

RATE = 200.0
USERS = 20
IN_FLIGHT = 1500
SECTION = "freeze"
_QUANTILES = (("p90", 0.9), ("p99", 0.99))


@dataclass(frozen=True, slots=True, kw_only=True)
class Freeze:
    """When after the first request and for how long, seconds; ``lasted_s`` is how long each really was."""

    offset_s: float
    length_s: float
    lasted_s: list[float] = field(default_factory=list)


def measure(stage: Stage) -> list[Figure]:
    """5 s of 20 s at 200 arrivals/s; in a smoke run 2 s of 8 s."""
    for_s = stage.seconds(20.0, 8.0)
    freeze = Freeze(offset_s=stage.seconds(8.0, 3.0), length_s=stage.seconds(5.0, 2.0))
    with serving(stage.folder, cpus=(cores.two()[1],)) as target:
        commands = {
            OURS: ours.arrivals(target.url, rate=RATE, for_s=for_s, out=stage.folder),
            k6.TOOL: k6.arrivals(target.url, rate=RATE, for_s=for_s, in_flight=IN_FLIGHT),
            stock.TOOL: stock.paced(target.url, users=USERS, rate=RATE, for_s=for_s),
        }
        runs = interleaved(
            stage,
            "freeze",
            {tool: partial(_frozen, stage, target, command, freeze) for tool, command in commands.items()},
        )
    frozen = middle(freeze.lasted_s)
    truth = {name: max(0.0, frozen - (1 - q) * for_s) for name, q in _QUANTILES}
    said = {
        "p90": {tool: [run.report.p90_ms / 1e3 for run in done] for tool, done in runs.items()},
        "p99": {tool: [run.report.p99_ms / 1e3 for run in done] for tool, done in runs.items()},
    }
    quantiles = [
        Figure(
            section=SECTION,
            name=f"{name}, server stopped {freeze.length_s:g} s of {for_s:g} s",
            unit="s",
            measured=said[name],
            judged=[100 * abs(each - 1) for each in ratios(said[name][OURS], said[name][k6.TOOL])],
            judged_unit=f"% off {k6.TOOL}",
            target=at_most(5.0),
            note=f"arithmetic says {number(truth[name])} s",
            extra={"arithmetic_s": round(truth[name], 4)},
        )
        for name, _ in _QUANTILES
    ]
    due = round(RATE * for_s)
    return [
        *quantiles,
        Figure(
            section=SECTION,
            name=f"arrivals accounted for, of {due:,} due",
            unit="%",
            measured={tool: [100 * _accounted(run, due) for run in done] for tool, done in runs.items()},
            target=at_least(100.0),
            note="each is intended once and ends once, as good or as one kind of bad",
        ),
    ]


def _accounted(run: Run, due: int) -> float:
    """The share of what was due that ended in the books; a surplus counts against it as well.

    k6 starts one more at the very end of its schedule, which is no fault.
    """
    report = run.report
    ended = report.ok + report.bad
    surplus = max(0, ended - max(due, report.intended))
    return (min(ended, due) - surplus) / due


def _frozen(stage: Stage, target: Target, command: Command, freeze: Freeze) -> Run:
    return generator.run(
        command,
        target,
        folder=stage.folder,
        warm_s=freeze.offset_s,
        window_s=freeze.length_s + 0.5,
        cpus=(cores.two()[0],),
        during=lambda _: freeze.lasted_s.append(target.freeze(freeze.length_s)),
    )
