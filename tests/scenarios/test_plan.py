import json

import pytest

from scenarios.errors import ManifestError, UnknownFlowError
from scenarios.load import plan as plans
from scenarios.load.operation import Flow, only, operation
from scenarios.load.vitals import Clock, Vitals, percentile
from tests.scenarios.runs import run_folder


def changed(folder, **values):
    """The folder with top-level keys of its manifest replaced; None removes one."""
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text()) | values
    path.write_text(json.dumps({key: value for key, value in manifest.items() if value is not None}))
    return folder


def test_a_plan_is_what_the_manifest_says(tmp_path):
    """Phases add up; half of the warm-up is the ramp; thresholds fall back to the common ones."""
    phases = [{"name": "warmup", "for_s": 8, "experiment": None}, {"name": "steady", "for_s": 20.5}]
    limits = {"*": [0.1], "matter": [0.3]}
    folder = changed(run_folder(tmp_path, "http://127.0.0.1:1/"), phases=phases, thresholds=limits)
    plan = plans.read(folder)
    assert (plan.for_s, plan.ramp_s, plan.rate, plan.sessions) == (28.5, 4.0, 150.0, 60)
    assert (plan.base_url, plan.documents) == ("http://127.0.0.1:1", 2000)
    assert (plan.thresholds_of("matter"), plan.thresholds_of("static")) == ((0.3,), (0.1,))


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"schema": 2}, "schema 1"),
        ({"load": None}, "'load' must be a dict"),
        ({"load": {"rate": "300/s", "max_in_flight": 1}}, "'rate' must be a number"),
        ({"load": {"rate": 0, "max_in_flight": 1}}, "above 0"),
        ({"phases": []}, "above 0"),
        ({"environment": {"urls": {"api": "nowhere"}}}, "environment.urls.api"),
        ({"allow_hosts": None}, "'allow_hosts' must be a list"),
    ],
)
def test_a_manifest_that_says_too_little_is_refused(tmp_path, values, says):
    """The message names file and key."""
    folder = changed(run_folder(tmp_path, "http://127.0.0.1:1"), **values)
    with pytest.raises(ManifestError, match=says) as refusal:
        plans.read(folder)
    assert "manifest.json" in str(refusal.value)


def test_no_manifest_no_plan(tmp_path):
    """A folder without a manifest is no run folder."""
    with pytest.raises(ManifestError, match="expected a run folder"):
        plans.read(tmp_path)


def test_flows_are_chosen_by_name_or_tag():
    """A tag keeps its flows, a name keeps one; anything else lists what there is."""
    flows = {
        name: Flow(name=name, weight=1, operations=("a",), tags=tags)
        for name, tags in {"browse": ("user",), "find": ("search",), "facet": ("search",)}.items()
    }
    assert list(only(flows, ("search",))) == ["find", "facet"]
    assert list(only(flows, ("browse",))) == ["browse"]
    assert list(only(flows, ())) == ["browse", "find", "facet"]
    with pytest.raises(UnknownFlowError, match="choose from browse, facet, find, search, user"):
        only(flows, ("serach",))


def test_operations_are_named_by_their_template():
    """Names are bounded; a note tells two uses of one route apart."""
    assert operation("a", "GET /x/{id}").name == "GET /x/{id}"
    assert operation("b", "GET /x/{id}", note="fuzzy").name == "GET /x/{id} (fuzzy)"


def test_vitals_of_a_second():
    """Lag, CPU share and a stepped wall clock, since the last report."""
    times = {"mono": 100.0, "cpu": 5.0, "wall": 1e9}
    vitals = Vitals(cpu_time=lambda: times["cpu"], wall=lambda: times["wall"], mono=lambda: times["mono"])
    vitals.report(in_flight=0, retried=0)
    vitals.lags.extend([0.002, 0.001, 0.030])
    vitals.drop("dropped_system")
    times |= {"mono": 102.0, "cpu": 5.5, "wall": 1e9 + 5}
    line = vitals.report(in_flight=4, retried=1)
    assert (line["cpu"], line["clock_step"], line["in_flight"]) == (0.25, 3.0, 4)
    assert (line["lag_p50"], line["lag_p99"], line["lag_max"]) == (0.002, 0.030, 0.030)
    assert (line["dropped_system"], line["dropped_generator"], line["retried"]) == (1, 0, 1)
    assert vitals.report(in_flight=0, retried=0)["dropped_system"] == 0


def test_the_clock_is_anchored_once():
    """Epoch seconds follow the monotonic clock alone."""
    assert Clock(wall=1e9, mono=50.0).epoch(62.5) == 1e9 + 12.5
    assert percentile([], 0.5) == 0.0
