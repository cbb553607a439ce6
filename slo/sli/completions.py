"""Completions of queued jobs per unit of time in which the queue was not empty, from the ledger.

The queue is taken as not empty while at least one accepted job has not completed. An empty queue proves no
capacity and costs none. What an incomplete read-back does not show may be done all the same: it can show a
rate to be too great, never to be great enough or too small.
"""

from itertools import pairwise

import numpy as np

from slo import ledger
from slo.finding import FAIL, Finding, no_data
from slo.kind import Shape
from slo.ledger import Job
from slo.objective import Objective
from slo.rates import judge_rate
from slo.scope import Scope
from slo.statistics import BLOCK_S

SHAPE = Shape(forms=(("value", "1/s"),), operations=False, needs=frozenset({"sets"}))


def judge(objective: Objective, scope: Scope) -> Finding:
    """Judge completions over busy time, in blocks of 10 s."""
    open_ = ledger.unread(ledger.accounts(scope.record.ledger, objective.sets))
    if open_ and not objective.expr.below:
        return no_data(objective.expr, "; ".join(open_))
    found = [job for name in objective.sets for job in ledger.jobs(scope.record.ledger, name)]
    if not found:
        return no_data(objective.expr, f"no job of {', '.join(objective.sets)} was accepted")
    busy = _busy(found)
    done = np.sort([job.done for job in found if job.done is not None])
    amounts, exposures = [], []
    for start, end in scope.windows:
        edges = np.append(np.arange(start, end - BLOCK_S / 2, BLOCK_S), end)
        for low, high in pairwise(edges):
            amounts.append(float(np.searchsorted(done, high) - np.searchsorted(done, low)))
            exposures.append(
                sum(max(0.0, min(high, e) - max(low, s)) for s, e in busy if s < high and e > low)
            )
    judged = judge_rate(
        objective, np.array(amounts), np.array(exposures), what="completions while the queue was not empty"
    )
    return no_data(objective.expr, "; ".join(open_)) if open_ and judged.verdict != FAIL else judged


def _busy(found: list[Job]) -> list[tuple[float, float]]:
    """Intervals in which at least one job was waiting or in work."""
    merged: list[tuple[float, float]] = []
    for start, end in sorted(
        (job.accepted, job.done if job.done is not None else float("inf")) for job in found
    ):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, max(start, end)))
    return merged
