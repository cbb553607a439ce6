"""Leaks: answers that showed another user's data. One is too many, and it stands whatever else happened."""

from dataclasses import replace

import numpy as np

from slo.finding import FAIL, Finding, compare, no_data
from slo.kind import Shape
from slo.objective import Objective
from slo.scope import Scope

SHAPE = Shape(forms=(("count", "count"),), integrity=True, load=False)


def judge(objective: Objective, scope: Scope) -> Finding:
    """Count leaks among the answers that were checked: the good ones and the leaks themselves."""
    counters = scope.record.counters
    rows, columns = scope.rows(objective.operations), scope.columns
    leaks = counters.bad.get("leak", np.zeros_like(counters.ok))
    k = int(leaks[rows][:, columns].sum())
    n = k + int(counters.ok[rows][:, columns].sum())
    found = compare(objective.expr, float(k), f"{k} leaks in {n} checked answers", n=n)
    if found.verdict != FAIL and n < objective.min_samples:
        return no_data(objective.expr, f"{n} checked answers of the {objective.min_samples} it asks for")
    return replace(found, k=k)
