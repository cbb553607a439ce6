"""Attainment: good completions / planned arrivals; steps of a flow that never came to be count as planned."""

import numpy as np

from slo.finding import Finding
from slo.kind import Shape
from slo.objective import Objective
from slo.scope import Scope
from slo.shares import judge_share

SHAPE = Shape(forms=(("value", "ratio"),), side="above", share=True)


def judge(objective: Objective, scope: Scope) -> Finding:
    """Judge the share of planned arrivals that were not completed well."""
    planned = np.maximum(scope.record.counters.planned, scope.record.valid)
    return judge_share(objective, scope, bad=planned - scope.record.counters.ok, valid=planned)
