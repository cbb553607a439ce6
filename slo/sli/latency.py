"""Latency from the intended start: `p(99) < 500ms` says that at most 1% get no good answer within 500 ms.

Slow, failed, timed out and unsent arrivals are bad alike. `max < 1s` says that none was bad, as far as this
run can say. An answer that took exactly T is counted as slow: `max <= 1s` asks for a hair more than it says.
"""

from dataclasses import replace

from slo import histogram, statistics
from slo.finding import FAIL, PASS, Finding, no_data, spoken
from slo.kind import Shape
from slo.objective import Objective
from slo.scope import Scope
from slo.shares import bad_and_valid, judge_share

SHAPE = Shape(forms=(("p", "s"), ("max", "s")), side="below")


def judge(objective: Objective, scope: Scope) -> Finding:
    """Judge the share of arrivals without a good answer in time; show the percentile over all arrivals."""
    bad, valid = bad_and_valid(objective, scope)
    if objective.expr.metric == "max":
        return _all(objective, scope)
    found = judge_share(objective, scope, bad=bad, valid=valid)
    if found.n is None:
        return found
    quantile, between = bounded(objective, scope, objective.expr.quantile or 0.0)
    text = "no answer" if quantile is None else spoken(quantile, "s")
    return replace(found, measured=quantile, measured_text=text, between=between)


def _all(objective: Objective, scope: Scope) -> Finding:
    bad, valid = bad_and_valid(objective, scope)
    rows = scope.rows(objective.operations)
    k, n = int(bad[rows][:, scope.columns].sum()), int(valid[rows][:, scope.columns].sum())
    if n < objective.min_samples:
        return no_data(objective.expr, f"{n} arrivals of the {objective.min_samples} it asks for")
    greatest = _percentile(objective, scope, 1.0)
    return Finding(
        verdict=FAIL if k else PASS,
        reason=f"{k} of {n} arrivals were slower, asked for {objective.expr.text}",
        unit=objective.expr.unit,
        measured=greatest,
        measured_text="no answer" if greatest is None else spoken(greatest, "s"),
        k=k,
        n=n,
    )


def bounded(objective: Objective, scope: Scope, q: float) -> tuple[float | None, tuple[float, float] | None]:
    """The q-quantile over all arrivals in seconds, and its bounds.

    Those are the quantiles at the bounds of q itself, free of any distribution.
    """
    good, arrivals = _answers(objective, scope)
    effect = scope.tail_effect(scope.rows(objective.operations), 1 - q)
    found = histogram.quantile(good, q, arrivals)
    if effect is None or found is None:
        return found, None
    worth = arrivals / max(effect, 1.0)
    low, high = (
        histogram.quantile(good, share, arrivals)
        for share in (statistics.lower(q * worth, worth), statistics.upper(q * worth, worth))
    )
    return found, None if low is None or high is None else (low, high)


def _percentile(objective: Objective, scope: Scope, q: float) -> float | None:
    """From the intervals inside the windows; failed arrivals count as infinitely slow."""
    good, arrivals = _answers(objective, scope)
    return histogram.quantile(good, q, arrivals)


def _answers(objective: Objective, scope: Scope) -> tuple[histogram.Histogram, int]:
    """The good answers' latencies, and all arrivals they belong to."""
    good = histogram.empty()
    for slug in scope.record.manifest.select(objective.operations):
        good += scope.record.tail(slug, scope.intervals).total
    rows = scope.rows(objective.operations)
    return good, int(good.sum()) + int(scope.record.bad[rows][:, scope.columns].sum())
