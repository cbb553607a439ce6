"""Judging a share of arrivals: percentiles, error rates, availability and attainment are all this."""

from dataclasses import replace

from slo.counters import Counts
from slo.finding import Finding, against_budget, no_data, spoken
from slo.objective import Objective
from slo.scope import Scope


def bad_and_valid(objective: Objective, scope: Scope) -> tuple[Counts, Counts]:
    """Bad and valid arrivals, (operations, seconds), as the objective's kind counts them.

    Raises:
        ValueError: its threshold was not counted in this run.
    """
    record = scope.record
    if objective.sli != "latency":
        return record.bad, record.valid
    slower = record.counters.counted(objective.expr.limit)
    if slower is None:
        counted = ", ".join(spoken(limit, "s") for limit in sorted(record.counters.slower)) or "nothing"
        limit = spoken(objective.expr.limit, "s")
        raise ValueError(
            f"answers slower than {limit} were not counted, only {counted}; record the run again"
        )
    missing = int(record.counters.uncounted(objective.expr.limit)[scope.rows(objective.operations)].sum())
    if missing:
        limit = spoken(objective.expr.limit, "s")
        raise ValueError(
            f"of {missing} good answers nobody counted whether they took {limit}; record the run again"
        )
    return record.bad + slower, record.valid


def budget_of(objective: Objective) -> float:
    """The share of arrivals that may be bad."""
    expr = objective.expr
    if expr.quantile is not None:
        return 1 - expr.quantile
    return expr.limit if expr.below else 1 - expr.limit


def judge_share(objective: Objective, scope: Scope, *, bad: Counts, valid: Counts) -> Finding:
    """Judge bad of valid in the scope; `measured` is the share in the direction of the expression."""
    rows = scope.rows(objective.operations)
    columns = scope.columns
    if not rows.size:
        return no_data(objective.expr, f"no arrivals of {', '.join(objective.operations)}")
    k = int(bad[rows][:, columns].sum())
    n = int(valid[rows][:, columns].sum())
    if n == 0:
        return no_data(objective.expr, "no arrivals in this phase")
    budget = budget_of(objective)
    found = against_budget(
        k=k,
        n=n,
        deff=scope.design_effect(bad, valid, rows, budget),
        blocks=len(scope.blocks()),
        budget=budget,
        seconds=scope.seconds,
        least=objective.min_samples,
        expr=objective.expr,
    )
    share = k / n if objective.expr.below else 1 - k / n
    return replace(found, measured=share, measured_text=spoken(share, "ratio"))
