"""Judging a rate from what happened in each block and how long each block counts."""

import numpy as np
from numpy.typing import NDArray

from slo.finding import FAIL, INCONCLUSIVE, PASS, Finding, margin, no_data, spoken
from slo.objective import Objective
from slo.statistics import ALPHA, BLOCK_S, LEAST_BLOCKS, mean_interval, t_quantile


def judge_rate(
    objective: Objective, amounts: NDArray[np.float64], exposures: NDArray[np.float64], *, what: str
) -> Finding:
    """Pass if the worse bound satisfies the expression, fail if not even the better one does."""
    expr = objective.expr
    kept = exposures > 0
    amounts, exposures = amounts[kept], exposures[kept]
    if not exposures.size:
        return no_data(expr, f"no time in which {what} could be counted")
    rate, low, high = mean_interval(amounts, exposures)
    bad_side, good_side = (high, low) if expr.below else (low, high)
    n, blocks = int(amounts.sum()), int(exposures.size)
    bounds = (max(low, 0.0), high) if np.isfinite(high) else None
    reason = f"{n} {what} in {exposures.sum():.0f} s, {spoken(rate, '1/s')}"
    if not expr.holds(good_side):
        verdict = FAIL
        reason += f", surely not {expr.text}"
    elif not expr.holds(bad_side):
        verdict = INCONCLUSIVE
        reason += f", between {spoken(max(low, 0.0), '1/s')} and {spoken(high, '1/s')}, asked for {expr.text}"
    elif blocks < LEAST_BLOCKS or n < objective.min_samples:
        verdict = INCONCLUSIVE
        reason += f"; only {blocks} blocks of 10 s and {n} {what}"
    else:
        verdict = PASS
        reason += f", surely {expr.text}"
    return Finding(
        verdict=verdict,
        reason=reason,
        unit=expr.unit,
        measured=rate,
        measured_text=spoken(rate, "1/s"),
        n=n,
        interval=bounds,
        between=bounds,
        margin=margin(expr, rate),
        minutes_needed=_minutes(expr.limit, rate, high - rate, blocks) if verdict == INCONCLUSIVE else 0.0,
        blocks=blocks,
    )


def _minutes(limit: float, rate: float, reach: float, blocks: int) -> float | None:
    """The interval shrinks with the root of the blocks: how many more until it leaves the limit out."""
    if not np.isfinite(reach):
        return (LEAST_BLOCKS - blocks) * BLOCK_S / 60
    if rate == limit:
        return None
    spread = reach / t_quantile(1 - ALPHA, blocks - 1) * blocks**0.5
    enough = (1.645 * spread / abs(rate - limit)) ** 2
    more = max(enough, LEAST_BLOCKS) - blocks
    return None if more > 1000 * blocks else max(more, 0.0) * BLOCK_S / 60
