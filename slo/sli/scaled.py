"""Scaling: from a step in the offered load until a series (running tasks, ACU) rose, or until it fell back.

The step is where the planned arrivals of the next 20 s differ most from those of the 20 s before, by 30% at
least. On the clock `absorption` the time runs from the step up until the series is above anything it was in
the minute before; on the clock `removal` from the step down until it is back there. As periods are all that
is known, the time is [x, y].
"""

from dataclasses import dataclass
from math import floor

import numpy as np
from numpy.typing import NDArray

from slo import series
from slo.clocks import censored, within
from slo.finding import Finding, no_data, spoken
from slo.kind import Shape
from slo.objective import Objective
from slo.scope import Scope
from slo.series import Series

SHAPE = Shape(
    forms=(("recovery", "s"),),
    phases=("all",),
    needs=frozenset({"numerator"}),
    takes=frozenset({"dimensions", "clock"}),
    side="below",
)

SIDE_S = 20
STEP = 1.3
BEFORE_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Steps:
    """When the load rose and fell, epoch seconds, and by which factor."""

    up: float
    rose: float
    down: float | None


def judge(objective: Objective, scope: Scope) -> Finding:
    """Judge the time between the load's step and the series' answer."""
    expr = objective.expr
    capacity = series.total(scope.record, objective.numerator, dimensions=objective.dimensions)
    names = " with ".join(objective.numerator)
    if not capacity.t.size:
        return no_data(expr, f"no values of {names}")
    steps = _steps(objective, scope)
    if steps is None:
        return no_data(expr, f"the load never rose by {STEP - 1:.0%} within {SIDE_S} s")
    before = capacity.only((capacity.t >= steps.up - BEFORE_S) & (capacity.t + capacity.period <= steps.up))
    if not before.t.size:
        return no_data(expr, f"no values of {names} before the load rose")
    level = float(before.values.max())
    until = steps.down or float(capacity.t[-1]) + capacity.period
    risen = capacity.only((capacity.t >= steps.up) & (capacity.t < until) & (capacity.values > level))
    if objective.clock == "absorption":
        what = f"{names} rose above {level:g}"
        return _timed(objective, risen, since=steps.up, until=until, what=what, step=f"x {steps.rose:.2g}")
    if not risen.t.size:
        return no_data(expr, f"{names} never rose above {level:g}, so it had nothing to fall back from")
    return _fallen(objective, capacity, level, steps.down)


def _fallen(objective: Objective, capacity: Series, level: float, down: float | None) -> Finding:
    """How long after the load fell the series did so for good."""
    if down is None:
        return no_data(objective.expr, f"the load never fell by {1 - 1 / STEP:.0%} within {SIDE_S} s")
    later = capacity.only(capacity.t >= down)
    back = later.only(_for_good(later.values <= level))
    end = float(capacity.t[-1]) + capacity.period
    what = f"{' with '.join(objective.numerator)} fell back to {level:g}"
    return _timed(objective, back, since=down, until=end, what=what, step="down")


def _timed(
    objective: Objective, found: Series, *, since: float, until: float, what: str, step: str
) -> Finding:
    expr = objective.expr
    if not found.t.size:
        watched = max(until - since, 0.0)
        story = f"not within the {spoken(watched, 's')} watched after the load's step {step}: {what}"
        return censored(expr, watched, story, n=1)
    t = float(found.t[0]) - since
    pair = (max(t - found.period, 0.0), t + found.period)
    story = f"{what} {spoken(pair[0], 's')} to {spoken(pair[1], 's')} after the load's step {step}"
    return within(expr, pair, story, n=1)


def _for_good(low: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Where it is low and stays so to the end."""
    return np.logical_and.accumulate(low[::-1])[::-1]


def _steps(objective: Objective, scope: Scope) -> _Steps | None:
    counters = scope.record.counters
    rows = scope.rows(objective.operations)
    if not scope.windows or not rows.size:
        return None
    first = max(floor(scope.windows[0][0]) - counters.start - SIDE_S, 0)
    planned = counters.planned[rows].sum(axis=0)[first:]
    if planned.size < 2 * SIDE_S + 1:
        return None
    sums = np.concatenate(([0], np.cumsum(planned))).astype(float)
    place = np.arange(SIDE_S, planned.size - SIDE_S + 1)
    before = np.maximum(sums[place] - sums[place - SIDE_S], 1.0)
    after = np.maximum(sums[place + SIDE_S] - sums[place], 1.0)
    ratio = after / before
    top = int(np.argmax(ratio))
    if ratio[top] < STEP:
        return None
    falling = ratio[top + 1 :]
    low = top + 1 + int(np.argmin(falling)) if falling.size else None
    down = None if low is None or ratio[low] > 1 / STEP else low
    begun = float(counters.start + first)
    return _Steps(
        up=begun + float(place[top]),
        rose=float(ratio[top]),
        down=None if down is None else begun + float(place[down]),
    )
