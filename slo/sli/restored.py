"""A series that a fault moves away from its steady level: how long until it is back there.

The level is what the series did in the steady phase, from its least to its greatest value (running tasks:
always two). It is back where, after it was seen away, it stays at that level for 15 s. As periods are all
that is known, the time is [x, y]: from the beginning to the end of the last period in which it was away. That
it never was is only believed where the periods from the first effect on fill the time of the limit.
"""

from dataclasses import replace
from math import ceil

import numpy as np
from numpy.typing import NDArray

from slo import faults, series
from slo.clocks import censored, repeated, within
from slo.finding import INCONCLUSIVE, Finding, no_data, spoken
from slo.kind import Shape
from slo.objective import Objective
from slo.scope import Scope, Window
from slo.series import Series

SHAPE = Shape(
    forms=(("recovery", "s"),),
    phases=("fault",),
    operations=False,
    needs=frozenset({"numerator"}),
    takes=frozenset({"dimensions"}),
    load=False,
    aftermath=True,
    side="below",
)

STAYS_S = 15.0
LEAST_STEADY = 3
LEAST_COVERED = 0.8
LONGEST_GAP = 1.5

Away = NDArray[np.bool_]


def judge(objective: Objective, scope: Scope) -> Finding:
    """Judge the time from the fault's first effect until the series is back, each repeat by itself."""
    if scope.experiment is None:
        return no_data(objective.expr, "no fault belongs to this objective")
    whole = series.total(scope.record, objective.numerator, dimensions=objective.dimensions)
    calm = whole.inside(faults.steady_windows(scope.record)).values
    if calm.size < LEAST_STEADY:
        names = " with ".join(objective.numerator)
        return no_data(
            objective.expr, f"{calm.size} values of {names} in the steady phase: no level is known"
        )
    band = (float(calm.min()), float(calm.max()))
    windows = faults.repeats(scope.record, scope.experiment.name)
    found = [_judged(objective, scope, whole, band, window) for window in windows]
    return repeated(objective.expr, found)


def _judged(
    objective: Objective, scope: Scope, whole: Series, band: tuple[float, float], window: Window
) -> Finding:
    expr = objective.expr
    assert scope.experiment is not None, "asked before"
    t0 = faults.seen(scope.record, scope.experiment.name, window).t0
    if t0 is None:
        return replace(no_data(expr, "fault not observed: no probe saw it begin"), verdict=INCONCLUSIVE)
    later = whole.only((whole.t + whole.period > t0) & (whole.t < window[1]))
    n = int(later.t.size)
    if not n:
        return no_data(expr, f"no values of {' with '.join(objective.numerator)} after the fault")
    away = (later.values < band[0]) | (later.values > band[1])
    level = f"{band[0]:g}" if band[0] == band[1] else f"{band[0]:g} to {band[1]:g}"
    story = f"away from {level} in {int(away.sum())} of {n} periods of {later.period:g} s"
    back = _stays(later, away)
    last = int(np.flatnonzero(away[:back])[-1]) if away[:back].any() else None
    least = 0.0 if last is None else max(float(later.t[last]) - t0, 0.0)
    if back is None:
        return censored(expr, least, f"{story}, not seen back for {STAYS_S:g} s when the record ended", n=n)
    if last is None and not _covered(later, t0, t0 + expr.limit):
        story += "; nothing shows that it did not move"
        return replace(no_data(expr, story), verdict=INCONCLUSIVE, n=n)
    most = later.period if last is None else float(later.t[back]) - t0
    if last is not None:
        since = "after the fault's first effect"
        story += f", back {spoken(least, 's')} to {spoken(most, 's')} {since}"
    return within(expr, (least, most), story, n=n)


def _stays(later: Series, away: Away) -> int | None:
    """Where it begins to stay at its level, after it was away if it ever was; a gap is no staying."""
    needed = max(ceil(STAYS_S / later.period), 1)
    apart = np.diff(later.t, prepend=later.t[0]) > LONGEST_GAP * later.period
    begun = int(np.argmax(away)) + 1 if away.any() else 0
    run = 0
    for place in range(begun, later.t.size):
        run = 0 if away[place] else 1 if apart[place] else run + 1
        if run == needed:
            return place - needed + 1
    return None


def _covered(later: Series, start: float, end: float) -> bool:
    """Whether the periods that began in this time fill it without a gap; one that began before hides much."""
    t = later.t[(later.t >= start) & (later.t < end)]
    if not t.size:
        return False
    gaps = np.diff(t, prepend=start, append=end)
    known = float(np.minimum(later.period, end - t).sum())
    return bool(gaps.max() <= LONGEST_GAP * later.period) and known >= LEAST_COVERED * (end - start)
