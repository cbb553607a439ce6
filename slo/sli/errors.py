"""Error rate: bad arrivals / valid arrivals. Unsent, unanswered and wrongly answered ones are all bad."""

from slo.finding import Finding
from slo.kind import Shape
from slo.objective import Objective
from slo.scope import Scope
from slo.shares import bad_and_valid, judge_share

SHAPE = Shape(forms=(("rate", "ratio"),))


def judge(objective: Objective, scope: Scope) -> Finding:
    """Judge the share of bad arrivals."""
    bad, valid = bad_and_valid(objective, scope)
    return judge_share(objective, scope, bad=bad, valid=valid)
