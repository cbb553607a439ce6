"""Recovery against a latency objective that names fewer operations than the recovery does."""

from dataclasses import replace

import numpy as np
import pytest

from slo import faults
from slo.objective import loads, thresholds
from tests.run_folder import GROUPS, START
from tests.slo.fault_kinds import EXPERIMENT

SOURCE = 'basis = "documented"\nsource = { file = "f", heading = "h", quote = "q" }\n'
TARGETS = loads(
    '[[objective]]\nid = "search"\nsli = "latency"\nphase = "steady"\noperations = ["@search"]\n'
    f'expr = "p(99) < 500ms"\n{SOURCE}'
    '[[objective]]\nid = "back"\nsli = "recovery"\nphase = "fault"\noperations = ["@write"]\n'
    f'expr = "recovery < 30s"\nagainst = "search"\n{SOURCE}',
    "x",
)


def test_a_threshold_is_counted_for_what_is_judged_against_it():
    """The searches' own, and the writes that are to be as fast again after a fault."""
    assert thresholds(TARGETS, GROUPS) == {
        "invoice_create": [0.5],
        "matter_update": [0.5],
        "search": [0.5],
    }


def _slow(run, start, end, *, counted):
    """All writes are good but slow in these seconds; without `counted`, nobody counted how slow they were."""
    counters = run.counters
    rows = counters.rows(("matter_update", "invoice_create"))
    ok = counters.intended.copy()
    slower = np.zeros_like(ok)
    unseen = np.zeros_like(ok)
    if counted:
        slower[rows, start:end] = ok[rows, start:end]
    else:
        unseen[rows] = ok[rows]
    changed = replace(counters, ok=ok, bad={}, slower={0.5: slower}, unseen={0.5: unseen})
    return replace(run, counters=changed)


def _recovered(run):
    (window,) = faults.repeats(run, EXPERIMENT)
    return faults.recover_one(run, EXPERIMENT, TARGETS[1], window)


def test_slow_answers_that_were_counted_are_trouble(failover):
    """From the first effect at 142 to 190 no write is fast enough."""
    found = _recovered(_slow(failover, 142, 190, counted=True))
    assert (found.state, found.t2) == ("recovered", START + 190)


def test_slow_answers_that_nobody_counted_are_not_good(failover):
    """The analysis raises, which the judge turns into no data."""
    with pytest.raises(ValueError, match="nobody counted whether they took 500 ms"):
        _recovered(_slow(failover, 142, 190, counted=False))
