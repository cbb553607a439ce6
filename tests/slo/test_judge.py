import dataclasses
import json

import numpy as np
import pytest

from slo import jsonl, outcome, record, verdict
from slo.errors import ConfigError, RecordError
from slo.judge import holds, judge
from slo.kind import kinds
from slo.objective import loads
from tests.run_folder import START, Outage, amend, rewrite
from tests.slo.conftest import LEXOHUB, judged, of


def _counters(line, **change):
    """Change counters of a line; `bad` moves good answers to a class."""
    for name, count in change.items():
        moved = min(count, line["ok"])
        line["ok"] -= moved
        line["bad"] = {**line["bad"], name: line["bad"].get(name, 0) + moved}
    return line


def test_a_good_run_passes_everything(failover):
    """The failover took 12 s, nothing else happened: exit 0, with evidence on every line."""
    found = judged(failover)
    assert {one.name: one.verdict for one in found.objectives if one.verdict != "pass"} == {}
    assert (found.verdict, found.exit, found.state) == ("pass", 0, "complete")
    assert of(found, "failover").interval == (11.0, 17.0)
    assert of(found, "failover").instance == "aurora-failover"
    assert of(found, "mttr").interval == (3.0, 9.0)
    assert of(found, "error-rate").n == 36_400
    assert of(found, "error-rate").interval[1] < 0.001
    assert of(found, "db-connections").measured_text == "20%"
    assert {one["id"] for one in found.not_driven} >= {"throughput", "documents", "backup-recovery"}
    assert (
        "needs the restore drill" in {one["id"]: one["reason"] for one in found.not_driven}["backup-recovery"]
    )


def test_verdicts_are_written_and_read(folder):
    """The file says what the object says; a file of another schema, or none, is refused."""
    found = dataclasses.replace(judged(folder), judged_at=5.0)
    with pytest.raises(RecordError, match="judge the run first"):
        verdict.read(folder)
    verdict.write(folder, found)
    assert (
        verdict.read(folder).to_json()
        == found.to_json()
        == json.loads((folder / "verdicts.json").read_text())
    )
    (folder / "verdicts.json").write_text('{"schema": 2}')
    with pytest.raises(RecordError, match="schema 2 instead of 1"):
        verdict.read(folder)
    (folder / "verdicts.json").write_text('{"schema": 1}')
    with pytest.raises(RecordError, match="not a file of verdicts"):
        verdict.read(folder)


def _timeouts(line):
    return _counters(line, timeout=6) if line["op"] == "matter_read" else line


def _leak(line):
    return _counters(line, leak=1) if (line["op"], line["t"]) == ("search", START + 200) else line


def _slow(line):
    return (
        {**line, "slower": {"0.1": line["ok"], "0.5": line["ok"] // 20}} if line["op"] == "search" else line
    )


def _less(line):
    return {**line, "ok": 90, "intended": 90, "planned": 105, "sent": 90} if line["op"] == "search" else line


def _unanswered(line):
    """Nobody ever heard of these again: neither good nor bad."""
    return {**line, "ok": line["ok"] - 1} if line["op"] == "matter_list" else line


@pytest.mark.parametrize(
    ("change", "failing"),
    [
        (_timeouts, {"latency-p99", "error-rate", "error-rate-recovered", "uptime", "attainment"}),
        (_leak, {"isolation"}),
        (_slow, {"search-latency", "latency-p99"}),
        (_less, {"search-rate", "attainment"}),
        (_unanswered, {"error-rate", "error-rate-recovered", "uptime"}),
    ],
)
def test_breaking_the_counters(folder, change, failing):
    """Each damage fails exactly what watches for it."""
    rewrite(folder / "counters.jsonl", change)
    found = judged(folder)
    steady = {one.id for one in found.objectives if one.verdict == "fail"} - {"failover", "mttr"}
    assert steady == failing
    assert found.exit == 1


@pytest.mark.parametrize(
    ("change", "failing"),
    [
        (
            lambda line: None if (line["kind"], line["id"]) == ("read", "invoices-000500") else line,
            "no-lost-write",
        ),
        (
            lambda line: (
                {**line, "count": 2} if (line["kind"], line["id"]) == ("read", "invoices-000500") else line
            ),
            "no-duplicate-write",
        ),
        (
            lambda line: {**line, "id": "stranger"} if (line["kind"], line["id"]) == ("read", "x") else line,
            "no-duplicate-write",
        ),
        (
            lambda line: (
                {**line, "count": 0, "state": "queued"}
                if (line["kind"], line["id"]) == ("read", "pdf-jobs-000500")
                else line
            ),
            "pdf-complete",
        ),
    ],
)
def test_breaking_the_ledger(folder, change, failing):
    """One write lost, doubled or from nowhere, one job unfinished."""
    write = {
        "kind": "write",
        "set": "invoices",
        "id": "x",
        "op": "invoice_create",
        "seq": 1,
        "t_send": START + 1.0,
    }
    jsonl.append(folder / "ledger.jsonl", {**write, "t_ack": None, "outcome": "unknown"})
    jsonl.append(folder / "ledger.jsonl", {"kind": "read", "set": "invoices", "id": "x", "count": 1})
    rewrite(folder / "ledger.jsonl", lambda line: change({"id": "", **line}))
    found = judged(folder)
    assert {one.id for one in found.objectives if one.verdict == "fail"} == {failing}
    assert of(found, failing).k == 1
    assert found.exit == 1


def test_an_incomplete_read_back_is_no_data(folder):
    """What was not read cannot be called there; the sets that were read do not make up for it."""
    rewrite(
        folder / "ledger.jsonl",
        lambda line: (
            {**line, "complete": False, "reason": "HTTP 500"} if line["kind"] == "readback" else line
        ),
    )
    found = judged(folder)
    assert {one.id for one in found.objectives if one.verdict == "no-data"} == {
        "no-lost-write", "no-duplicate-write", "pdf-complete", "pdf-rate",
    }  # fmt: skip
    assert "HTTP 500" in of(found, "no-lost-write").reason
    assert (found.verdict, found.exit) == ("no-data", 3)


@pytest.mark.parametrize(
    ("series", "value", "failing"),
    [
        ("CacheHits", 380.0, "cache-hit"),
        ("DatabaseConnections", 51.0, "db-connections"),
    ],
)
def test_breaking_the_metrics(folder, series, value, failing):
    """A hit rate of 79%, a writer with 51 of 100 connections."""
    rewrite(
        folder / "metrics.jsonl",
        lambda line: {**line, "value": value} if line["metric"] == series else line,
    )
    assert of(judged(folder), failing).verdict == "fail"


def test_metrics_that_do_not_cover_the_phase_are_no_data(folder):
    """A collector that stopped early proves nothing."""
    rewrite(folder / "metrics.jsonl", lambda line: line if line["t"] < START + 90 else None)
    found = judged(folder)
    assert of(found, "cache-hit").verdict == "no-data"
    assert of(found, "db-connections").verdict == "no-data"
    (folder / "metrics.jsonl").unlink()
    assert "no values of AWS/ElastiCache.CacheHits" in of(judged(folder), "cache-hit").reason


def test_a_share_of_metrics_is_tested_with_its_clustering(folder):
    """85% on average in long swings: surely above 80% only if swings are taken for independent hits."""

    def swing(line):
        phase = (line["t"] - START) // 40 % 2
        return {**line, "value": 990.0 if phase else 100.0} if line["metric"] == "CacheHits" else line

    rewrite(folder / "metrics.jsonl", swing)
    one = of(judged(folder), "cache-hit")
    assert one.verdict == "inconclusive"
    assert one.deff > 50


def _replaced(line, kind, **fields):
    return {**line, **fields} if line["kind"] == kind else line


@pytest.mark.parametrize(
    ("fields", "cause"),
    [
        ({"cpu": 0.95}, "used more than 90% of its core for 10 s"),
        ({"lag_p50": 0.005, "lag_p99": 0.011, "lag_max": 0.02}, "of arrivals began more than 11 ms late"),
        ({"clock_step": -0.2}, "the clock stepped by 200 ms"),
    ],
)
def test_a_bad_generator_voids_the_run(folder, fields, cause):
    """Invalid beats failed: rates and latencies are void, what does not depend on the load stands."""
    rewrite(folder / "events.jsonl", lambda line: _replaced(line, "generator", **fields))
    rewrite(folder / "counters.jsonl", _timeouts)
    found = judged(folder)
    assert (found.verdict, found.exit) == ("invalid", 4)
    assert cause in found.reason
    assert of(found, "error-rate").verdict == "invalid"
    assert of(found, "failover").verdict == "invalid"
    assert of(found, "no-lost-write").verdict == "pass"
    assert of(found, "db-connections").verdict == "pass"


def test_every_worker_gives_an_account_and_lost_ones_are_named(folder):
    """Two workers, then three expected; a lost one stands first among the causes, with place and reason."""

    def doubled(line):
        return {**line, "worker": "w1"} if line["kind"] == "generator" else line

    others = [e for e in jsonl.read(folder / "events.jsonl") if e["kind"] == "generator"]
    rewrite(folder / "events.jsonl", doubled)
    jsonl.append_all(folder / "events.jsonl", [{**line, "worker": "w2"} for line in others])
    amend(folder, workers=2)
    assert judged(folder).validity["valid"]
    amend(folder, workers=3)
    assert "1 of 3 workers left no account of themselves" in judged(folder).reason
    lost = {"kind": "worker_lost", "worker": "w3", "host": "alpha", "pid": 7, "reason": "it hangs"}
    jsonl.append(folder / "events.jsonl", {"t": START + 50, **lost})
    found = judged(folder)
    assert list(found.validity["causes"]) == ["worker w3 (pid 7 on alpha) was lost: it hangs"]
    assert found.exit == 4
    rewrite(
        folder / "events.jsonl",
        lambda line: (
            {**line, "cpu": 0.95} if line.get("worker") == "w2" and line["kind"] == "generator" else line
        ),
    )
    assert any(
        cause.startswith("worker w2 used more than 90%") for cause in judged(folder).validity["causes"]
    )


def test_other_causes_of_invalidity(folder):
    """A lost worker, the generator's own drops, and a generator that left no account."""
    jsonl.append(folder / "events.jsonl", {"t": START + 50, "kind": "worker_lost", "worker": 2})
    assert "worker 2 was lost" in judged(folder).reason
    rewrite(folder / "events.jsonl", lambda line: None if line["kind"] == "worker_lost" else line)

    def drop(line):
        mine = line["op"] == "matter_read" and line["t"] in (START + 20, START + 21)
        return _counters(line, dropped_generator=5) if mine else line

    rewrite(folder / "counters.jsonl", drop)
    found = judged(folder)
    assert found.validity["misses_generator"] == 10
    assert "the generator itself missed 10 arrivals" in found.reason
    rewrite(folder / "events.jsonl", lambda line: None if line["kind"] == "generator" else line)
    assert "left no account of itself" in judged(folder).reason


def test_drops_that_the_system_caused_do_not_void(folder):
    """A full in-flight cap is the system's doing: it fails, it is not excused."""
    rewrite(
        folder / "counters.jsonl",
        lambda line: _counters(line, dropped_system=5) if line["op"] == "matter_read" else line,
    )
    found = judged(folder)
    assert found.verdict == "fail"
    assert of(found, "error-rate").verdict == "fail"


def test_an_integrity_failure_stands_in_an_invalid_run(folder):
    """A busy generator does not explain another user's data."""
    rewrite(folder / "events.jsonl", lambda line: _replaced(line, "generator", cpu=0.99))
    rewrite(folder / "counters.jsonl", _leak)
    found = judged(folder)
    assert (found.verdict, found.exit) == ("fail", 1)
    assert "integrity failed" in found.reason
    assert "isolation" in found.reason
    assert not found.validity["valid"]


def test_a_closed_gate_leaves_the_experiment_open(folder):
    """What is seen under a fault says nothing if the system was not well before it."""
    rewrite(
        folder / "events.jsonl", lambda line: _replaced(line, "gate", holds=False, reason="error-rate 3%")
    )
    found = judged(folder)
    for name in ("failover", "mttr", "db-connections-fault"):
        assert of(found, name).verdict == "inconclusive"
        assert of(found, name).reason == "steady state did not hold before the fault: error-rate 3%"
    assert of(found, "error-rate").verdict == "pass"
    assert found.exit == 3


def test_a_fault_that_no_probe_saw(folder):
    """The API's word is no proof."""
    rewrite(folder / "events.jsonl", lambda line: None if line["kind"] == "probe" else line)
    found = judged(folder)
    assert of(found, "failover").verdict == "inconclusive"
    assert "fault not observed" in of(found, "failover").reason
    assert found.recovery[0]["state"] == "fault-not-observed"
    assert found.exit == 3


def test_noop(build):
    """No fault: recovery is not asked; but if a probe saw one, the run does not pass."""
    folder = build(probe="none", seen=None, judge=("failover", "db-connections-fault"))
    found = judged(folder)
    assert (found.verdict, found.recovery) == ("pass", ())
    reasons = {one["id"]: one["reason"] for one in found.not_driven}
    assert reasons["failover"] == reasons["mttr"] == "no fault of this run is judged by it"
    assert of(found, "db-connections-fault").instance == "aurora-failover"
    jsonl.append(
        folder / "events.jsonl",
        {
            "t": START + 145,
            "kind": "probe",
            "experiment": "aurora-failover",
            "probe": "identity",
            "edge": "first",
        },
    )
    found = judged(folder)
    assert (found.verdict, found.exit) == ("inconclusive", 3)
    assert "injects none" in found.reason


def test_a_fault_that_may_still_be_there(folder):
    """An undo that was not verified keeps the run from passing."""
    rewrite(folder / "events.jsonl", lambda line: _replaced(line, "undo", verified=False))
    found = judged(folder)
    assert found.exit == 3
    assert "undone" in found.reason


def test_a_run_cut_short(folder):
    """It is judged as far as it got, says so, and never passes."""
    amend(folder, state="running", reason="killed")
    cut = START + 100
    rewrite(folder / "events.jsonl", lambda line: line if line["t"] <= cut else None)
    rewrite(folder / "counters.jsonl", lambda line: line if line["t"] < cut else None)
    with (folder / "counters.jsonl").open("a") as file:
        file.write('{"t":1763725')
    found = judged(folder)
    assert (found.state, found.exit) == ("cut-short", 3)
    assert of(found, "error-rate").n == 90 * 280
    assert "blocks" in of(found, "error-rate").reason
    assert of(found, "failover").verdict == "inconclusive"


@pytest.mark.parametrize("begun", [140, 180])
def test_the_second_in_which_a_phase_begins_is_judged(folder, begun):
    """A fault's phase is marked a moment after the steady one ended: a leak in that second is one."""

    def late(line):
        starts = line["kind"] == "phase" and line["edge"] == "start" and line["t"] > START + 10
        return {**line, "t": line["t"] + 0.02} if starts else line

    def leak(line):
        return _counters(line, leak=1) if (line["op"], line["t"]) == ("search", START + begun) else line

    rewrite(folder / "events.jsonl", late)
    whole = of(judged(folder), "isolation")
    assert (whole.verdict, whole.n) == ("pass", 290 * 105)
    rewrite(folder / "counters.jsonl", leak)
    assert of(judged(folder), "isolation").verdict == "fail"


def test_the_measured_time_is_all_but_the_warm_up(folder):
    """A second warm-up parts it; phases without an end, or one upon another, count once."""
    run = record.read(folder)
    warmup, steady, fault, recovered = run.phases
    again = dataclasses.replace(warmup, start=fault.start, end=fault.end)
    endless = dataclasses.replace(steady, end=recovered.end, ended=False)
    late = dataclasses.replace(fault, start=fault.start + 3.0)
    for phases, stretches in (
        (run.phases, [(10, 300)]),
        ((warmup, steady, late, recovered), [(10, 300)]),
        ((warmup, steady, again, recovered), [(10, 140), (180, 300)]),
        ((warmup, endless, fault, recovered), [(10, 300)]),
        ((warmup,), []),
    ):
        changed = dataclasses.replace(run, phases=phases)
        assert outcome.measured_time(changed) == tuple((START + a, START + b) for a, b in stretches)


def test_a_phase_without_its_end_keeps_the_whole_time_from_passing(folder):
    """What was cut short in the last phase was cut short in all of them."""
    last = ("phase", "recovered", "end")
    rewrite(
        folder / "events.jsonl",
        lambda line: None if (line["kind"], line.get("name"), line.get("edge")) == last else line,
    )
    one = of(judged(folder), "isolation")
    assert (one.verdict, one.reason.split(";")[0]) == ("inconclusive", "phase recovered was cut short")


def test_a_complete_folder_of_an_incomplete_run_does_not_pass(folder):
    """All objectives pass, but the manifest does not call the run complete."""
    amend(folder, state="cut-short", reason="interrupted")
    found = judged(folder)
    assert (found.verdict, found.exit, found.state) == ("inconclusive", 3, "cut-short")
    assert "cut short: interrupted" in found.reason


def test_fewer_passes_than_the_plan_asks_for(folder):
    """Objectives that quietly fell out of the plan do not make it green."""
    amend(folder, least_passes=18)
    assert judged(folder).exit == 0
    amend(folder, least_passes=19)
    found = judged(folder)
    assert found.exit == 3
    assert "the plan asks for 19" in found.reason


def test_nothing_driven_is_no_data(folder):
    """An empty list of objectives is not a success."""
    amend(folder, objectives=[], experiments={})
    found = judged(folder)
    assert (found.verdict, found.exit) == ("no-data", 3)


def test_an_unknown_objective_is_an_error_of_configuration(folder):
    """In the plan or in an experiment."""
    amend(folder, objectives=["latency-p98"])
    with pytest.raises(ConfigError, match="unknown objective 'latency-p98'; expected one of"):
        judged(folder)


def test_a_checker_that_raises_is_no_data(failover, monkeypatch):
    """And the others go on."""

    def broken(objective, scope):
        raise ZeroDivisionError("no blocks")

    monkeypatch.setattr(kinds()["errors"], "judge", broken)
    found = judged(failover)
    assert of(found, "error-rate").verdict == "no-data"
    assert of(found, "error-rate").reason == "the checker raised ZeroDivisionError: no blocks"
    assert of(found, "uptime").verdict == "pass"
    assert found.exit == 3


def test_a_damaged_latency_log_is_no_data_where_it_is_needed(folder):
    """With no bad arrival it is needed to see how arrivals cluster: no guess is made instead."""
    path = folder / "latency.hlog"
    path.write_text(path.read_text().replace("HISTFAAAA", "HISTFBBBB"))
    found = judged(folder)
    assert of(found, "error-rate").verdict == "no-data"
    assert "latency.hlog:" in of(found, "error-rate").reason
    path.unlink()
    one = of(judged(folder), "error-rate")
    assert one.verdict == "inconclusive"
    assert one.n_eff == pytest.approx(13)


def test_a_threshold_that_was_not_counted_is_no_data(folder):
    """Never judged from a histogram's buckets."""
    rewrite(folder / "counters.jsonl", lambda line: {**line, "slower": {"0.1": line["slower"]["0.1"]}})
    found = judged(folder)
    assert of(found, "latency-p50").verdict == "pass"
    assert of(found, "latency-p99").verdict == "no-data"
    assert "were not counted, only 100 ms" in of(found, "latency-p99").reason


def test_derived_objectives_inform(folder):
    """Attainment is ours: it is shown as failed and fails nothing."""
    rewrite(
        folder / "counters.jsonl",
        lambda line: {**line, "planned": line["planned"] * 2} if line["op"] == "matter_read" else line,
    )
    amend(folder, objectives=["attainment", "latency-p50"], experiments={})
    found = judged(folder)
    assert of(found, "attainment").verdict == "fail"
    assert not of(found, "attainment").decides
    assert (found.verdict, found.exit) == ("pass", 0)


def test_the_recovered_phase_begins_when_the_system_is_well(build):
    """An outage that reaches into it belongs to the fault, not to the error rate after it."""
    folder = build(outages=[Outage(start=142, end=190)])
    found = judged(folder)
    one = of(found, "error-rate-recovered")
    assert one.k == 0
    assert one.n == 110 * 280
    assert of(found, "failover").verdict == "fail"
    assert found.recovery[0]["t2"] == START + 190


def test_a_run_that_never_recovers(build):
    """Censored: failed where the record is long enough to say so, open where not; its errors are counted."""
    found = judged(build(outages=[Outage(start=142, end=400)]))
    assert of(found, "failover").verdict == "fail"
    assert of(found, "failover").measured_text.startswith("> ")
    assert of(found, "mttr").verdict == "inconclusive"
    assert of(found, "error-rate-recovered").verdict == "fail"
    assert found.recovery[0]["state"] == "censored"


def test_few_blocks_do_not_pass_and_say_how_long_is_missing(build):
    """A minute of steady traffic is not enough, however good it was."""
    phases = (("warmup", 10, None), ("steady", 60, None))
    one = of(judged(build(phases=phases, seen=None)), "error-rate")
    assert one.verdict == "inconclusive"
    assert one.minutes_needed == pytest.approx(1.0)


def drifting(by):
    """Every median later than half-way, slower by so many seconds."""

    def drift(line):
        late = line["t"] > START + 90
        return {**line, "p50": line["p50"] + by} if late and line["p50"] else line

    return drift


def test_a_drift_far_below_every_limit_is_no_matter(build):
    """A median that moves by 9 ms decides nothing where the tightest limit is 100 ms, whatever its share."""
    folder = build()
    rewrite(folder / "counters.jsonl", drifting(0.009))
    found = judged(folder)
    assert found.steadiness["after"] is not None
    assert found.steadiness["steady"]


def test_a_phase_that_drifts_does_not_pass(build, tmp_path):
    """The median moves by more than a tenth of the tightest limit half-way: not steady."""
    folder = build()
    rewrite(folder / "counters.jsonl", drifting(0.03))
    found = judged(folder)
    assert not found.steadiness["steady"]
    assert of(found, "latency-p99").verdict == "inconclusive"
    assert of(found, "latency-p99").reason.startswith("not steady")


def test_a_warning_is_shown(folder):
    """Between the warning and the limit: a pass that says so."""
    text = """[[objective]]
id = "latency-p99"
sli = "latency"
phase = "steady"
operations = ["@api"]
expr = "p(99) < 500ms"
warn = "p(99) < 20ms"
basis = "documented"
source = { file = "f", heading = "h", quote = "q" }
"""
    amend(folder, objectives=["latency-p99"], experiments={})
    found = judge(record.read(folder), loads(text, "x"))
    assert (found.objectives[0].verdict, found.objectives[0].warned) == ("pass", True)


def test_the_gate_holds_and_does_not(failover):
    """By point estimates over a few seconds, before the fault and in it."""
    asked = [one for one in LEXOHUB if one.id in ("error-rate", "latency-p99", "db-connections")]
    gate = holds(failover, asked, start=START + 100, end=START + 130)
    assert gate.holds, gate.reason
    gate = holds(failover, asked, start=START + 142, end=START + 152)
    assert not gate.holds
    assert "error-rate: " in gate.reason
    assert not holds(failover, asked, start=START + 1000, end=START + 1010).holds
    assert not holds(failover, [], start=START + 100, end=START + 130).holds


def test_the_gate_of_a_run_that_goes_on(folder):
    """Arrivals that are still waited for are not bad yet; those that waited too long are."""
    now = START + 120
    amend(folder, state="running")
    rewrite(folder / "counters.jsonl", lambda line: line if line["t"] < now else None)

    def waiting(since):
        def change(line):
            return {**line, "ok": 0, "slower": {}} if line["t"] >= since and line["op"] == "search" else line

        return change

    asked = [one for one in LEXOHUB if one.id == "error-rate"]
    rewrite(folder / "counters.jsonl", waiting(now - 5))
    assert holds(record.read(folder), asked, start=now - 30, end=now).holds
    rewrite(folder / "counters.jsonl", waiting(now - 20))
    assert not holds(record.read(folder), asked, start=now - 30, end=now).holds


def test_not_applicable_where_the_environment_is_smaller(folder):
    """20,000 documents say nothing about ten million, and do not stand in the way."""
    amend(folder, objectives=["documents", "latency-p99"], experiments={})
    found = judged(folder)
    assert found.exit == 0
    assert "not applicable" in {one["id"]: one["reason"] for one in found.not_driven}["documents"]


def test_one_more_error_never_helps(failover):
    """From no bad arrival to a few hundred, the upper bound only grows."""
    counters = failover.counters
    manifest = dataclasses.replace(failover.manifest, objectives=("error-rate",), experiments=())
    row = counters.operations.index("matter_list")
    bounds = []
    for moved in (0, 1, 2, 5, 12, 13, 30, 100):
        ok = counters.ok.copy()
        columns = np.linspace(12, 135, moved).astype(int)
        np.subtract.at(ok[row], columns, 1)
        changed = dataclasses.replace(
            failover, manifest=manifest, counters=dataclasses.replace(counters, ok=ok), _tails={}
        )
        bounds.append(of(judged(changed), "error-rate").interval[1])
    assert bounds == sorted(bounds)
