"""Outages in which nothing arrives: the step before fails, or those who would ask wait for an answer."""

from dataclasses import replace

import numpy as np
import pytest

from slo import faults
from slo.recovery import Traffic, analyse
from tests.run_folder import START
from tests.slo.conftest import judged, of
from tests.slo.fault_kinds import EXPERIMENT, objective

RATE = 10
WRITES = ("matter_update", "invoice_create")


def _quiet(*silences, length=200, usual=0.0, planned=RATE):
    """Ten good arrivals a second, none in the silences; `planned` are there all the same."""
    valid = np.full(length, RATE, dtype=np.int64)
    for start, end in silences:
        valid[start:end] = 0
    return Traffic(
        start=1000,
        valid=valid,
        bad=np.zeros_like(valid),
        ok=valid,
        planned=np.maximum(valid, planned),
        usual=usual,
    )


def _analysed(traffic):
    return analyse(
        traffic,
        t0=1000.0,
        t_end=1060.0,
        horizon=1000.0 + traffic.valid.size,
        budget=0.001,
        deff=1.0,
    )


def test_steps_that_never_came_to_be_are_an_outage():
    """The login fails for 48 s, and nobody can save: no arrival of a save, and 480 that were planned."""
    found = _analysed(_quiet((2, 50)))
    assert (found.state, found.t1, found.t2) == ("recovered", 1005.0, 1050.0)
    assert found.absorption == (49.0, 55.0)


@pytest.mark.parametrize(
    ("usual", "state"), [(10.0, "recovered"), (4.0, "recovered"), (3.9, "no-impact"), (0.0, "no-impact")]
)
def test_users_who_wait_send_nothing(usual, state):
    """In a closed model a silence is an outage where twenty arrivals in 5 s are usual."""
    found = _analysed(_quiet((2, 50), usual=usual, planned=0))
    assert found.state == state
    if state == "recovered":
        low, high = found.absorption
        assert low <= 50 <= high


def test_a_silence_in_the_minute_after_is_no_calm():
    """A few seconds of answers between two silences are not yet the recovery."""
    found = _analysed(_quiet((5, 20), (27, 60), usual=10.0, planned=0))
    assert (found.state, found.t1) == ("recovered", 1005.0)
    low, high = found.absorption
    assert low <= 60 <= high


def test_nothing_planned_and_nothing_usual_is_nothing():
    """An operation that rests is not down."""
    assert _analysed(_quiet((0, 150), planned=0)).state == "no-impact"


def _silenced(run, start, end, *, planned):
    """The run as if no write had arrived in these seconds, and as if no answer had been bad."""
    counters = run.counters
    rows = counters.rows(WRITES)
    columns = slice(start, end)
    arrays = {name: getattr(counters, name).copy() for name in ("planned", "intended", "sent", "ok")}
    arrays["ok"][rows] = arrays["intended"][rows]
    for name, array in arrays.items():
        if name != "planned" or not planned:
            array[rows, columns] = 0
    slower = {limit: np.minimum(array, arrays["ok"]) for limit, array in counters.slower.items()}
    return replace(run, counters=replace(counters, bad={}, slower=slower, **arrays))


def test_a_run_whose_writes_were_cut_off_fails(failover):
    """The whole way: 46 s without a write that was planned are no pass of 30 s."""
    found = judged(_silenced(failover, 144, 190, planned=True))
    assert of(found, "failover").verdict == "fail"


@pytest.mark.parametrize(("model", "state"), [("users", "recovered"), ("arrivals", "no-impact")])
def test_what_is_usual_is_learned_from_the_steady_phase(failover, model, state):
    """Thirty writes a second in a closed model; an open one knows what it planned."""
    run = _silenced(failover, 144, 190, planned=False)
    run = replace(run, manifest=replace(run.manifest, load={**run.manifest.load, "model": model}))
    one = objective("recovery", "recovery < 30s", 'operations = ["@write"]\nagainst = "errors"')
    found = faults.recover(run, EXPERIMENT, one)
    assert found.state == state
    if state == "recovered":
        assert found.t2 is not None
        assert START + 185 <= found.t2 <= START + 190


def test_answers_that_are_still_waited_for_are_not_missing():
    """In a run that was cut short the last seconds have no arrivals that could be judged."""
    tail = _quiet((180, 200))
    assert _analysed(tail).state == "censored"
    assert _analysed(replace(tail, settled=180)).state == "no-impact"
    assert _analysed(replace(tail, settled=190)).state == "censored"
