"""Unclear failures: arrivals that got no good answer and no status that says so either, of all valid ones.

Where a part is away, its callers should be refused with an error they can act on. What times out, breaks off,
is misshapen or says something wrong leaves them in the dark; so does what was never sent.
"""

import numpy as np

from slo.finding import Finding
from slo.kind import Shape
from slo.objective import Objective
from slo.scope import Scope
from slo.shares import judge_share

SHAPE = Shape(forms=(("rate", "ratio"),), side="below", share=True)
CLEAR = ("http_4xx", "http_5xx")


def judge(objective: Objective, scope: Scope) -> Finding:
    """Judge the share of arrivals that were neither answered well nor refused."""
    record = scope.record
    refused = [record.counters.bad[name] for name in CLEAR if name in record.counters.bad]
    bad = record.bad - sum(refused, np.zeros_like(record.bad))
    return judge_share(objective, scope, bad=bad, valid=record.valid)
