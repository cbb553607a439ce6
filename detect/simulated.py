"""The judge and the recovery estimator against simulations whose truth is known, for a set time."""

from __future__ import annotations

import multiprocessing
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from multiprocessing.pool import AsyncResult
from typing import Any

from detect import calibration, recoveries
from detect.rows import FALSE_ALARM, MISSED, QUIET, SHOWN, Row
from slo import statistics
from slo.recovery import LEAD_S

PART = "calibration"
CORES = 2
JUDGED_S = 130
CHUNK = 5
RECOVERIES = 20
SHARE_OF_TIME = 0.75
WRONG_MOST = (
    0.10  # one-sided 95% bounds are wrong 5% of the time; estimating the design effect costs the rest
)
EARLY_MOST = 0.05

Chunk = tuple[float, dict[float, float], int]


def judged(seconds: float, *, seed: int, cores: int = CORES) -> list[calibration.Outcome]:
    """Verdicts on queues, for about this long; every case has as many."""
    truths = calibration.truths()
    tasks = (
        (utilisation, truth, seed + CHUNK * number)
        for number in count()
        for utilisation, truth in truths.items()
    )
    return calibration.counted(one for chunk in _spread(_judge, tasks, seconds, cores) for one in chunk)


def recovered(seconds: float, *, seed: int, cores: int = CORES) -> list[recoveries.Cover]:
    """Recoveries of every kind, for about this long."""
    cases = recoveries.cases()
    tasks = ((case, seed + RECOVERIES * number) for number in count() for case in cases)
    return recoveries.counted(one for chunk in _spread(_recover, tasks, seconds, cores) for one in chunk)


def _judge(task: Chunk) -> list[tuple[calibration.Case, str]]:
    utilisation, truth, first = task
    return [
        one
        for seed in range(first, first + CHUNK)
        for one in calibration.sample(utilisation, truth, seconds=JUDGED_S, seed=seed)
    ]


def _recover(task: tuple[recoveries.Case, int]) -> list[recoveries.Sight]:
    case, first = task
    return list(recoveries.sights(case, range(first, first + RECOVERIES)))


def _spread(work: Callable[[Any], Any], tasks: Iterator[Any], seconds: float, cores: int) -> Iterator[Any]:
    """Results of tasks that were begun in time, in their order; the processes are gone when this ends."""
    with multiprocessing.get_context("spawn").Pool(cores, _deaf) as pool:
        waiting: list[AsyncResult[Any]] = [pool.apply_async(work, (next(tasks),))]
        ends = time.monotonic() + seconds
        while True:
            while time.monotonic() < ends and len(waiting) < 2 * cores:
                waiting.append(pool.apply_async(work, (next(tasks),)))
            if not waiting:
                return
            yield waiting.pop(0).get()


def _deaf() -> None:
    """Ctrl-C is for the parent, which ends its children."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def rows_of_verdicts(found: Sequence[calibration.Outcome]) -> list[Row]:
    """One row per kind of target, utilisation and side; wrong when surely above WRONG_MOST."""
    return [_row_of_verdicts(one) for one in found]


def _row_of_verdicts(one: calibration.Outcome) -> Row:
    case = one.case
    low, high = one.bounds
    side, mistake = ("inside", "fails") if case.inside else ("outside", "passes")
    alarm = FALSE_ALARM if case.inside else MISSED
    return Row(
        part=PART,
        run=f"{case.target}, {case.utilisation:.1f}",
        what=f"truth 10% {side}",
        expected=f"wrong {mistake} at most {WRONG_MOST:.0%}",
        found=f"{one.mistakes} wrong {mistake} of {one.total} = {one.wrong:.1%} ({low:.1%} to {high:.1%}); "
        f"{one.passes} pass, {one.fails} fail, {one.undecided} undecided",
        result=alarm if low > WRONG_MOST else QUIET,
    )


def rows_of_recoveries(found: Sequence[recoveries.Cover]) -> list[Row]:
    """One row per kind and rate, all lengths together; wrong when surely too often early.

    A slow end is only shown where 5 s of arrivals have less than one failure in their budget: no window of
    that length could see it.
    """
    keys = dict.fromkeys((one.case.kind, one.case.rate) for one in found)
    return [
        _row_of_recoveries([one for one in found if (one.case.kind, one.case.rate) == key]) for key in keys
    ]


def _row_of_recoveries(own: Sequence[recoveries.Cover]) -> Row:
    case, total = own[0].case, sum(one.total for one in own)
    covered, within, early, late, other = (
        sum(getattr(one, name) for one in own) for name in ("covered", "within", "early", "late", "other")
    )
    off = sum(one.off_s * one.total for one in own) / total
    sharp = case.kind != "gradual" or case.rate * LEAD_S * recoveries.BUDGET >= 1
    early_too_often = statistics.proportion(early, total).lower > EARLY_MOST
    return Row(
        part=PART,
        run=f"{case.kind}, {case.rate}/s",
        what="[x - 1 s, x + 5 s] holds the truth",
        expected=f"ends before it at most {EARLY_MOST:.0%}" if sharp else "too few arrivals to see the end",
        found=f"holds it {covered / total:.1%}, begins within a second after it {within / total:.1%}, later "
        f"{late / total:.1%}, ends before it {early / total:.1%}, none {other / total:.1%}, of {total}; its "
        f"lower end is {off:+.1f} s off on average",
        result=(MISSED if early_too_often else QUIET) if sharp else SHOWN,
    )
