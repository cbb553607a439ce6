"""Runs on closed models, and runs that were to measure only."""

import json

import pytest

from slo import record, verdict
from slo.judge import CLOSED_MODEL, judge
from slo.policy import MEASURE
from tests.run_folder import Outage, Plan, amend, write
from tests.slo.conftest import judged

STEADY = (("warmup", 10, None), ("steady", 130, None))


@pytest.fixture
def quiet(tmp_path):
    """A healthy run without a fault."""
    return write(tmp_path / "run", Plan(phases=STEADY, judge=(), seen=None, ledger=False))


def measured(folder):
    amend(folder, policy=MEASURE, objectives=[], experiments={})
    return judge(record.read(folder), ())


@pytest.mark.parametrize("model", ["users", "partly-open", "locust"])
def test_a_closed_model_is_marked_and_says_why(quiet, model):
    """The verdict stands, but nobody can take it for one on open arrivals."""
    before = judged(quiet)
    amend(quiet, load={"model": model, "users": 50})
    found = judged(quiet)
    assert (found.verdict, found.model) == (before.verdict, model)
    assert found.reason == f"{before.reason}; {CLOSED_MODEL}"
    assert "an outage is hardly sampled" in found.reason


@pytest.mark.parametrize("model", ["arrivals", "sessions"])
def test_open_models_carry_no_mark(quiet, model):
    """Arrivals come whatever the system does, with sessions held open or not."""
    amend(quiet, load={"model": model})
    assert "closed" not in judged(quiet).reason


def test_verdicts_from_before_there_were_models_can_be_read(quiet):
    """They were all of arrivals."""
    path = verdict.write(quiet, judged(quiet))
    document = json.loads(path.read_text())
    del document["model"]
    path.write_text(json.dumps(document))
    assert verdict.read(quiet).model == "arrivals"


def test_a_run_that_asked_for_nothing_is_measured(quiet):
    """Exit 0, and the reason says that nobody judged it."""
    found = measured(quiet)
    assert (found.verdict, found.exit, found.objectives) == ("measured", 0, ())
    assert "of 39000 arrivals were good; nothing was judged" in found.reason


def test_a_run_that_asked_for_nothing_and_got_nothing_is_no_data(tmp_path):
    """A dead target is no success."""
    plan = Plan(phases=STEADY, judge=(), seen=None, ledger=False, outages=[Outage(start=0, end=140)])
    found = measured(write(tmp_path / "run", plan))
    assert (found.verdict, found.exit) == ("no-data", 3)
    assert "none of 39000 arrivals" in found.reason


def test_measuring_does_not_excuse_the_generator(tmp_path):
    """An invalid run is invalid whatever was asked of it, and one that was cut short proves nothing."""
    folder = write(tmp_path / "busy", Plan(phases=STEADY, judge=(), seen=None, ledger=False, cpu=0.99))
    assert measured(folder).exit == 4
    amend(folder := write(tmp_path / "cut", Plan(phases=STEADY, judge=(), seen=None)), state="cut-short")
    assert measured(folder).exit == 3


def test_an_empty_list_of_objectives_alone_is_still_no_data(quiet):
    """Only a run that says so is to measure only."""
    amend(quiet, objectives=[], experiments={})
    assert judge(record.read(quiet), ()).exit == 3
