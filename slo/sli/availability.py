"""Availability: good / valid arrivals. An hour proves no monthly uptime; what it spent of one is told."""

from dataclasses import replace

from slo.finding import NO_DATA, Finding, spoken
from slo.kind import Shape
from slo.objective import Objective
from slo.scope import Scope
from slo.shares import bad_and_valid, judge_share

SHAPE = Shape(forms=(("value", "ratio"),), side="above", share=True)

MONTH_S = 30 * 86_400
SLICE_S = 5.0


def judge(objective: Objective, scope: Scope) -> Finding:
    """Judge the share of bad arrivals; tell bad 5 s slices and what this phase took of the 30-day budget."""
    bad, valid = bad_and_valid(objective, scope)
    found = judge_share(objective, scope, bad=bad, valid=valid)
    if found.verdict == NO_DATA or not found.n or not found.budget:
        return found
    per_slice = scope.per_block(bad, scope.rows(objective.operations), SLICE_S)
    whole = int((per_slice == 0).sum()) / per_slice.size
    spent = (found.k or 0) / (found.budget * found.n * MONTH_S / max(scope.seconds, 1.0))
    aside = f"{spoken(whole, 'ratio')} of 5 s slices are good, {spoken(spent, 'ratio')} of a 30-day budget"
    return replace(found, reason=f"{found.reason}; {aside}")
