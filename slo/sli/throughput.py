"""Throughput: good completions per second of the intended start, with an interval over 10 s blocks."""

import numpy as np

from slo.finding import Finding, no_data
from slo.kind import Shape
from slo.objective import Objective
from slo.rates import judge_rate
from slo.scope import Scope

SHAPE = Shape(forms=(("value", "1/s"),))


def judge(objective: Objective, scope: Scope) -> Finding:
    """Judge completions over seconds."""
    rows = scope.rows(objective.operations)
    if not rows.size or not scope.columns.size:
        return no_data(objective.expr, f"no arrivals of {', '.join(objective.operations)} in this phase")
    good = scope.per_block(scope.record.counters.ok, rows)
    lengths = np.array([block.stop - block.start for block in scope.blocks()], dtype=float)
    return judge_rate(objective, good.astype(float), lengths, what="good completions")
