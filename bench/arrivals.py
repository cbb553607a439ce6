"""A thousand arrivals a second: does the report agree with k6's, and do arrivals start when they are due?"""

from __future__ import annotations

from bench import cores
from bench.figures import OURS, Figure, at_least, at_most, gaps
from bench.peers import k6, ours
from bench.rounds import alone, interleaved
from bench.stage import Stage
from bench.target import serving

RATE = 1000.0
IN_FLIGHT = 300
READY = 30  # so few that their first use is not one in a hundred of the requests
SECTION = "arrivals"


def measure(stage: Stage) -> list[Figure]:
    """Latencies as either tool reports them for its whole run, first connections included.

    Neither is held to one core, as no user would: k6 collects its garbage beside the load, and on one core
    its requests wait for that.
    """
    for_s = stage.seconds(20.0, 5.0)
    with serving(stage.folder, cpus=(cores.two()[1],)) as target:
        commands = {
            OURS: ours.arrivals(target.url, rate=RATE, for_s=for_s, out=stage.folder),
            k6.TOOL: k6.arrivals(
                target.url, rate=RATE, for_s=for_s, in_flight=IN_FLIGHT, ready=READY, threads=2
            ),
        }
        runs = interleaved(
            stage,
            f"{RATE:g} arrivals/s",
            {
                tool: alone(stage, target, command, warm_s=1.0, window_s=for_s - 2.0, cpus=cores.two())
                for tool, command in commands.items()
            },
        )
    reports = {tool: [run.report for run in done] for tool, done in runs.items()}
    mine = reports[OURS]
    figures = []
    for name, values in (
        ("p50", {tool: [each.p50_ms for each in said] for tool, said in reports.items()}),
        ("p99", {tool: [each.p99_ms for each in said] for tool, said in reports.items()}),
    ):
        figures.append(
            Figure(
                section=SECTION,
                name=f"{name} at {RATE:g} arrivals/s",
                unit="ms",
                measured=values,
                judged=gaps(values[OURS], values[k6.TOOL]),
                judged_unit="ms apart",
                target=at_most(1.0),
            )
        )
    return [
        *figures,
        Figure(
            section=SECTION,
            name=f"start lag p99 at {RATE:g} arrivals/s",
            unit="ms",
            measured={OURS: [each.lag_p99_ms for each in mine]},
            target=at_most(2.0),
        ),
        Figure(
            section=SECTION,
            name=f"sent of intended at {RATE:g} arrivals/s",
            unit="%",
            measured={
                tool: [100.0 * each.sent / max(1, each.intended) for each in said]
                for tool, said in reports.items()
            },
            target=at_least(99.9),
        ),
    ]
