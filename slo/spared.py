"""The record as it would be had nothing gone wrong in some seconds.

What still fails then does not owe it to them. Nothing is ever passed by such a record.
"""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from slo.counters import Counts
from slo.record import Record


def without(record: Record, seconds: Iterable[int]) -> Record:
    """Every arrival intended in these epoch seconds got a good answer in time."""
    counters = record.counters
    columns = np.array([s - counters.start for s in seconds], dtype=np.intp)
    columns = columns[(columns >= 0) & (columns < counters.seconds)]

    def nothing(counts: Counts) -> Counts:
        """None of them in these seconds."""
        changed = counts.copy()
        changed[:, columns] = 0
        return changed

    ok = counters.ok.copy()
    ok[:, columns] = np.maximum(counters.planned, record.valid)[:, columns]
    spared = replace(
        counters,
        ok=ok,
        bad={name: nothing(counts) for name, counts in counters.bad.items()},
        slower={limit: nothing(counts) for limit, counts in counters.slower.items()},
        unseen={limit: nothing(counts) for limit, counts in counters.unseen.items()},
    )
    return replace(record, counters=spared)
