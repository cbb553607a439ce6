"""Anything CloudWatch knows: series, or their sum over other series or a parameter of the environment.

`value` reduces by sum (ratio of sums), `max` takes the worst period, `mean` the average period. The phase
must be covered by periods, else there is no data. A part of a whole (hits of hits and misses) is tested
like any share of arrivals.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from slo import series
from slo.finding import Finding, against_budget, compare, no_data, spoken
from slo.kind import Shape
from slo.objective import Objective
from slo.scope import Scope
from slo.statistics import BLOCK_S, design_effect

SHAPE = Shape(
    forms=(
        ("value", "ratio"),
        ("value", "count"),
        ("max", "ratio"),
        ("max", "s"),
        ("max", "count"),
        ("mean", "ratio"),
        ("mean", "s"),
        ("mean", "count"),
        ("count", "count"),
    ),
    operations=False,
    needs=frozenset({"numerator"}),
    takes=frozenset({"denominator", "parameter", "dimensions", "reduce"}),
    load=False,
)

COVERAGE = 0.8

Values = NDArray[np.float64]


def judge(objective: Objective, scope: Scope) -> Finding:
    """Judge the reduced value of the periods that lie wholly in the scope's windows."""
    top = _series(objective, scope, objective.numerator)
    if not top.t.size:
        return no_data(objective.expr, f"no values of {' with '.join(objective.numerator)}")
    bottom = _bottom(objective, scope, top)
    common = np.intersect1d(top.t, bottom.t)
    inside = np.zeros(common.size, dtype=bool)
    expected = 0
    for start, end in scope.windows:
        inside |= (common >= start) & (common + top.period <= end)
        expected += max(int((end - start) // top.period) - 1, 1)
    times = common[inside]
    if times.size < COVERAGE * expected or not times.size:
        return no_data(
            objective.expr,
            f"{times.size} of {expected} periods of {top.period:.0f} s have values, too few for the phase",
        )
    a = top.values[np.isin(top.t, times)]
    b = bottom.values[np.isin(bottom.t, times)]
    if min(float(a.min()), float(b.min())) < 0:
        return no_data(objective.expr, f"{' + '.join(objective.numerator)} is negative: not measured")
    if float(b.sum()) == 0:
        return no_data(objective.expr, f"{' + '.join(objective.denominator)} is zero throughout")
    if objective.reduce == "sum" and set(objective.numerator) < set(objective.denominator):
        return _share(objective, scope, times, a, b)
    value = _reduced(objective.reduce, a, b, over=bool(objective.denominator or objective.parameter))
    what = {"sum": "over the phase", "max": "in the worst period", "mean": "on average"}[objective.reduce]
    return compare(objective.expr, value, f"{spoken(value, objective.expr.unit)} {what}", n=int(times.size))


def _series(objective: Objective, scope: Scope, names: tuple[str, ...]) -> series.Series:
    return series.total(scope.record, names, dimensions=objective.dimensions, reduce=objective.reduce)


def _bottom(objective: Objective, scope: Scope, top: series.Series) -> series.Series:
    if objective.denominator:
        return _series(objective, scope, objective.denominator)
    if not objective.parameter:
        return replace(top, values=np.ones_like(top.values))
    value = scope.record.manifest.environment.get(objective.parameter)
    if not isinstance(value, int | float) or value <= 0:
        raise ValueError(
            f"the environment declares {objective.parameter} = {value!r}; expected a number above 0"
        )
    return replace(top, values=np.full_like(top.values, float(value)))


def _reduced(reduce: str, a: Values, b: Values, *, over: bool) -> float:
    if reduce == "sum":
        return float(a.sum() / b.sum()) if over else float(a.sum())
    known = b > 0
    ratios = a[known] / b[known]
    return float(ratios.max() if reduce == "max" else ratios.mean())


def _share(objective: Objective, scope: Scope, times: Values, a: Values, b: Values) -> Finding:
    """Hits of hits and misses: a share, clustered in time."""
    expr = objective.expr
    bad = np.rint(a if expr.below else b - a).astype(np.int64)
    valid = np.rint(b).astype(np.int64)
    begun = np.array([max(start for start, _ in scope.windows if start <= t) for t in times])
    _, block = np.unique(np.stack([begun, (times - begun) // BLOCK_S]), axis=1, return_inverse=True)
    k = np.bincount(block.ravel(), weights=bad).astype(np.int64)
    n = np.bincount(block.ravel(), weights=valid).astype(np.int64)
    found = against_budget(
        k=int(k.sum()),
        n=int(n.sum()),
        deff=design_effect(k, n),
        blocks=int(k.size),
        budget=expr.limit if expr.below else 1 - expr.limit,
        seconds=scope.seconds,
        least=objective.min_samples,
        expr=expr,
    )
    value = float(a.sum() / b.sum())
    return replace(found, measured=value, measured_text=spoken(value, "ratio"))
