"""Reads that showed what an acknowledged update had already replaced. One is too many."""

from slo.finding import Finding
from slo.kind import ANSWERS
from slo.objective import Objective
from slo.promises import answers
from slo.scope import Scope

SHAPE = ANSWERS


def judge(objective: Objective, scope: Scope) -> Finding:
    """Count stale reads among the answers that were checked."""
    return answers(objective, scope, ("stale",), "stale reads")
