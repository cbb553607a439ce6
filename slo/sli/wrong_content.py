"""Answers that looked good and were not: wrong content, or another user's. One is too many."""

from slo.finding import Finding
from slo.kind import ANSWERS
from slo.objective import Objective
from slo.promises import answers
from slo.scope import Scope

SHAPE = ANSWERS


def judge(objective: Objective, scope: Scope) -> Finding:
    """Count wrong contents and leaks among the answers that were checked."""
    return answers(objective, scope, ("content", "leak"), "answers with wrong content")
