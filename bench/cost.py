"""What one request costs the generator: requests per CPU-second of one core, with its recording on."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence

from bench import cores
from bench.errors import BenchError
from bench.figures import OURS, Figure, Target, at_least, ratios
from bench.generator import Run
from bench.peers import k6, ours, stock
from bench.rounds import Runs, alone, interleaved
from bench.stage import Stage
from bench.target import ROOT, serving

USERS = 50
RATE = 2000.0
IN_FLIGHT = 200
SECTION = "cost"
ALONE_RATE = 50_000.0
_WARM_S = 2.0
_SLACK_S = 2.0
_ALONE_LIMIT_S = 60.0
_TARGETS = {k6.TOOL: at_least(1.5), stock.TOOL: at_least(3.0)}


def measure(stage: Stage) -> list[Figure]:
    """Saturated (users that never think) and at a rate that every tool sustains."""
    window = stage.seconds(8.0, 3.0)
    for_s = _WARM_S + window + _SLACK_S
    out = stage.folder
    with serving(out, cpus=(cores.two()[1],)) as target:
        url = target.url
        flat_out = {
            OURS: ours.closed(url, users=USERS, for_s=for_s, out=out),
            k6.TOOL: k6.closed(url, users=USERS, for_s=for_s),
            stock.TOOL: stock.closed(url, users=USERS, for_s=for_s),
        }
        fixed = {
            OURS: ours.arrivals(url, rate=RATE, for_s=for_s, out=out),
            k6.TOOL: k6.arrivals(url, rate=RATE, for_s=for_s, in_flight=IN_FLIGHT),
            stock.TOOL: stock.paced(url, users=USERS, rate=RATE, for_s=for_s),
        }
        runs = [
            interleaved(
                stage,
                f"cost, {how}",
                {
                    tool: alone(stage, target, command, warm_s=_WARM_S, window_s=window)
                    for tool, command in commands.items()
                },
            )
            for how, commands in (("flat out", flat_out), (f"{RATE:g}/s", fixed))
        ]
    return [
        *_against(f"{USERS} users flat out", runs[0], _TARGETS),
        *_against(f"{RATE:g}/s", runs[1], {}),
        _alone(stage),
    ]


def _alone(stage: Stage) -> Figure:
    """The engine without a network: as many arrivals as it can begin, answered from memory."""
    values = []
    for number in range(stage.repeats):
        stage.say(f"cost, engine alone: {number + 1} of {stage.repeats}")
        folder = stage.folder / f"alone-{number}"
        folder.mkdir()
        argv = [sys.executable, "-m", "bench.engine_alone", str(folder), f"{ALONE_RATE:g}"]
        with cores.pinned((cores.two()[0],)):
            done = subprocess.run(
                [*argv, f"{stage.seconds(3.0, 1.0):g}"],
                cwd=ROOT,
                capture_output=True,
                text=True,
                timeout=_ALONE_LIMIT_S,
                check=False,
            )
        if done.returncode:
            raise BenchError(f"the engine alone failed (exit {done.returncode}): {done.stderr[-1000:]}")
        values.append(float(done.stdout))
    return Figure(
        section=SECTION,
        name="CPU per arrival, engine and recorder alone",
        unit="us",
        measured={OURS: values},
        note=f"{ALONE_RATE:,.0f} arrivals/s, a client that answers from memory",
    )


def _against(how: str, runs: Runs, targets: dict[str, Target]) -> list[Figure]:
    measured = {tool: [each.window.per_cpu_second for each in done] for tool, done in runs.items()}
    details = {tool: _details(done) for tool, done in runs.items()}
    return [
        Figure(
            section=SECTION,
            name=f"requests per CPU-second, {how} : {peer}",
            unit="1/s",
            measured={OURS: measured[OURS], peer: measured[peer]},
            judged=ratios(measured[OURS], measured[peer]),
            judged_unit="x",
            target=targets.get(peer),
            extra={"details": {tool: details[tool] for tool in (OURS, peer)}},
        )
        for peer in (k6.TOOL, stock.TOOL)
    ]


def _details(runs: Sequence[Run]) -> list[dict[str, float]]:
    """Per repeat: the steady window, and the whole run with its start-up and summary."""
    return [
        {
            "requests_per_s": round(run.window.rate, 1),
            "core_share": round(run.window.share, 3),
            "cpu_us_per_request": round(run.window.cpu_us, 2),
            "server_core_share": round(run.window.server_cpu_s / run.window.seconds, 3),
            "rss_mb": round(run.window.memory.rss, 1),
            "whole_run_cpu_s": round(run.cpu_s, 2),
            "whole_run_requests": run.report.requests,
        }
        for run in runs
    ]
