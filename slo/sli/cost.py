"""What a month would cost: the run's requests and their time at documented unit prices.

`prices` may hold

    request              per request (API Gateway and Lambda together)
    gb_second            per GB-second; needs memory_gb, and takes the client's service time for the billed
    memory_gb            memory of the function, in GB
    month                what is paid in any case
    requests_per_month   the month's traffic; without it, the run's own rate round the clock

in one currency, which is that of the limit: `value < 100` is 100 of it. The arithmetic stands in the reason.
"""

import numpy as np

from slo import histogram
from slo.finding import Finding, compare, no_data, spoken
from slo.kind import Shape
from slo.objective import Objective
from slo.scope import Scope

SHAPE = Shape(
    forms=(("value", "count"),),
    phases=("steady", "recovered", "all"),
    needs=frozenset({"prices"}),
    side="below",
)

MONTH_S = 30 * 86_400
_PRICES = ("request", "gb_second", "memory_gb", "month", "requests_per_month")


def judge(objective: Objective, scope: Scope) -> Finding:
    """Judge the projected sum; there is no interval, for the prices have none."""
    prices = dict(objective.prices)
    if unknown := sorted(set(prices) - set(_PRICES)):
        raise ValueError(f"prices names {', '.join(unknown)}; expected some of {', '.join(_PRICES)}")
    if ("gb_second" in prices) != ("memory_gb" in prices):
        raise ValueError("prices has one of gb_second and memory_gb; expected both or none")
    sent = scope.record.counters.sent[scope.rows(objective.operations)][:, scope.columns]
    n = int(sent.sum())
    if n < max(objective.min_samples, 1) or not scope.columns.size:
        return no_data(objective.expr, f"{n} requests of the {objective.min_samples} it asks for")
    monthly = prices.get("requests_per_month", n / scope.columns.size * MONTH_S)
    each, how = prices.get("request", 0.0), f"{prices.get('request', 0.0):.10g}"
    told = f"{n:,} requests in {scope.columns.size} s"
    if "gb_second" in prices:
        seconds = _service_time(objective, scope)
        if seconds is None:
            return no_data(objective.expr, "the latency log holds no service time of these requests")
        each += seconds * prices["memory_gb"] * prices["gb_second"]
        told += f", {spoken(seconds, 's')} each"
        how += f" + {spoken(seconds, 's')} x {prices['memory_gb']:g} GB x {prices['gb_second']:.10g}"
    fixed = prices.get("month", 0.0)
    total = monthly * each + fixed
    reason = f"{told}: {monthly:,.0f} a month x ({how})" + (f" + {fixed:g}" if fixed else "")
    return compare(objective.expr, total, f"{reason} = {total:,.2f}", n=n)


def _service_time(objective: Objective, scope: Scope) -> float | None:
    """The mean time in seconds from sending to the answer, good or bad."""
    slugs = scope.record.manifest.select(objective.operations)
    tags = [f"{slug}.{outcome}.service" for slug in slugs for outcome in ("ok", "bad")]
    counts = scope.record.histograms.merged(tags, scope.intervals)
    if not counts.sum():
        return None
    used = np.flatnonzero(counts)
    return float((histogram.highest(used) * counts[used]).sum() / counts.sum()) / 1e6
