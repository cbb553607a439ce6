"""What the kinds have in common that count what must not be: nothing wrong is a pass only without doubts."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from slo.finding import FAIL, Finding, compare, no_data
from slo.objective import Objective
from slo.scope import Scope, Window


def windows_of(objective: Objective, scope: Scope) -> tuple[Window, ...] | None:
    """Where writes must have been sent to count; None for everywhere."""
    return None if objective.phase == "all" else scope.windows


def counted(
    objective: Objective, *, wrong: int, n: int, of: str, reason: str, doubts: Iterable[str] = ()
) -> Finding:
    """Judge `wrong` of `n`, which are `of` that kind.

    What is wrong is so whatever else is not known. Otherwise doubts, and fewer than the objective asks for,
    leave no data.
    """
    found = replace(compare(objective.expr, float(wrong), reason, n=n), k=wrong)
    if found.verdict == FAIL:
        return found
    if open_ := [doubt for doubt in doubts if doubt]:
        return no_data(objective.expr, "; ".join(open_))
    if n < objective.min_samples:
        return no_data(objective.expr, f"{n} {of} of the {objective.min_samples} it asks for")
    return found


def some(ids: Sequence[str]) -> str:
    """The first ids, for the end of a reason."""
    return f" ({', '.join(ids[:3])}{' ...' if len(ids) > 3 else ''})" if ids else ""


def answers(objective: Objective, scope: Scope, classes: Sequence[str], what: str) -> Finding:
    """Judge answers of the outcome classes among those that were checked: the good ones, and these."""
    counters = scope.record.counters
    rows, columns = scope.rows(objective.operations), scope.columns
    nothing = np.zeros_like(counters.ok)
    bad = sum(int(counters.bad.get(name, nothing)[rows][:, columns].sum()) for name in classes)
    n = bad + int(counters.ok[rows][:, columns].sum())
    return counted(
        objective,
        wrong=bad,
        n=n,
        of="checked answers",
        reason=f"{bad} {what} in {n} checked answers",
        doubts=["none of the checked answers was good"] if n and n == bad else [],
    )
