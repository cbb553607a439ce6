"""Two workers on two cores against one worker on one.

With two cores the server must run on the workers' cores, while a single worker would leave it a core of its
own. So a unit is a core with one worker and one server process on it: the throughput of one unit on one core
is compared with that of two units on two cores, flat out, in wall time. The server is no limit of its own,
because it grows with the workers. What limits is the CPU of the cores.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from bench import cores, generator
from bench.errors import BenchError
from bench.figures import OURS, Figure, at_least, ratios
from bench.generator import Run
from bench.peers import ours
from bench.rounds import interleaved
from bench.stage import Stage
from bench.target import serving

USERS_EACH = 50
SECTION = "workers"
SATURATED = 0.8
_WARM_S = 2.0
_ONE, _TWO = "1 worker", "2 workers"


def measure(stage: Stage) -> list[Figure]:
    """Requests per second of wall time, and CPU per request with all that distributing adds."""
    both = cores.two()
    runs = interleaved(
        stage,
        "workers",
        {_ONE: partial(_unit, stage, both[:1]), _TWO: partial(_unit, stage, both)},
    )
    rate = {name: [run.window.rate for run in done] for name, done in runs.items()}
    cost = {name: [run.window.cpu_us for run in done] for name, done in runs.items()}
    return [
        Figure(
            section=SECTION,
            name="requests/s, 2 workers on 2 cores : 1 on 1",
            unit="1/s",
            measured={OURS: rate[_TWO], _ONE: rate[_ONE]},
            judged=ratios(rate[_TWO], rate[_ONE]),
            judged_unit="x",
            target=at_least(1.7),
            note="each core carries one worker and one server process; the cores' CPU is the limit",
            extra={"core_share_of_servers": {name: _server_share(done) for name, done in runs.items()}},
        ),
        Figure(
            section=SECTION,
            name="CPU per request, 2 workers and master : 1 process",
            unit="us",
            measured={OURS: cost[_TWO], _ONE: cost[_ONE]},
            judged=ratios(cost[_TWO], cost[_ONE]),
            judged_unit="x",
        ),
    ]


def _unit(stage: Stage, cpus: tuple[int, ...]) -> Run:
    window = stage.seconds(8.0, 3.0)
    workers = len(cpus)
    with serving(stage.folder, cpus=cpus) as target:
        command = ours.closed(
            target.url,
            users=USERS_EACH * workers,
            for_s=_WARM_S + window + 2.0,
            out=stage.folder,
            workers=workers if workers > 1 else 0,
        )
        run = generator.run(command, target, folder=stage.folder, warm_s=_WARM_S, window_s=window, cpus=cpus)
    used = run.window.share + run.window.server_cpu_s / run.window.seconds
    if used < SATURATED * workers:
        raise BenchError(
            f"{workers} worker(s) and server(s) used only {used:.2f} of {workers} core(s): "
            "something else was the limit; keep the machine to the bench"
        )
    return run


def _server_share(runs: Sequence[Run]) -> list[float]:
    return [round(run.window.server_cpu_s / run.window.seconds, 3) for run in runs]
