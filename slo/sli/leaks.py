"""Leaks: answers that showed another user's data. One is too many, and it stands whatever else happened."""

from slo.finding import Finding
from slo.kind import ANSWERS
from slo.objective import Objective
from slo.promises import answers
from slo.scope import Scope

SHAPE = ANSWERS


def judge(objective: Objective, scope: Scope) -> Finding:
    """Count leaks among the answers that were checked."""
    return answers(objective, scope, ("leak",), "leaks")
