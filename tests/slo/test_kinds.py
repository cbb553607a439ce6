import dataclasses

import numpy as np
import pytest

from slo import record, steadiness, validity
from slo.kind import kinds
from slo.objective import Objective, loads
from slo.scope import Scope
from tests.run_folder import START, Outage, amend, rewrite
from tests.slo.conftest import judged, of

STEADY = ((START + 10.0, START + 140.0),)


def _objective(sli: str, expr: str, **keys: object) -> Objective:
    lines = "\n".join(f"{key} = {value!r}".replace("'", '"') for key, value in keys.items())
    phase = keys.get("phase", "steady")
    lines = lines if "phase" in keys else f'{lines}\nphase = "{phase}"'
    (one,) = loads(
        f'[[objective]]\nid = "one"\nsli = "{sli}"\nexpr = "{expr}"\nbasis = "documented"\n{lines}\n'
        'source = { file = "f", heading = "h", quote = "q" }',
        "x",
    )
    return one


def _judge(source: record.Record, objective: Objective, windows=STEADY):
    return kinds()[objective.sli].judge(objective, Scope(record=source, windows=windows))


def test_sessions(folder):
    """The fewest of any second, over workers; unknown seconds are not assumed."""
    one = _objective("sessions", "value >= 100")
    assert _judge(record.read(folder), one).verdict == "no-data"
    rewrite(
        folder / "events.jsonl",
        lambda e: (
            {**e, "sessions_open": 99 if e["t"] == START + 50 else 100} if e["kind"] == "generator" else e
        ),
    )
    found = _judge(record.read(folder), one)
    assert (found.verdict, found.measured) == ("fail", 99)


def test_throughput_near_its_target_is_open(failover):
    """105/s against 100, 105.5 and 110: with no noise at all, pass, fail and fail."""
    for target, verdict in ((100, "pass"), (106, "fail"), (110, "fail")):
        one = _objective("throughput", f"value >= {target}/s", operations=["@search"])
        assert _judge(failover, one).verdict == verdict
    noisy = failover.counters.ok.copy()
    noisy[failover.counters.operations.index("search")] += np.tile([40, -40], 150)[:300].repeat(1)
    noisy[failover.counters.operations.index("search"), ::20] += 300
    changed = dataclasses.replace(failover, counters=dataclasses.replace(failover.counters, ok=noisy))
    found = _judge(changed, _objective("throughput", "value >= 118/s", operations=["@search"]))
    assert found.verdict == "inconclusive"
    assert found.minutes_needed > 0


def test_the_rate_of_jobs_counts_only_busy_time(folder):
    """A slow worker is caught although few jobs arrive; an idle queue costs nothing."""
    one = _objective("completions", "value >= 1000/h", sets=["pdf-jobs"])
    assert _judge(record.read(folder), one).verdict == "pass"
    kept = {f"pdf-jobs-{number:06d}" for number in range(1, 1500, 25)}

    def change(seconds):
        def slow(line):
            if line["kind"] == "readback":
                return {**line, "read": None}
            if line["set"] != "pdf-jobs":
                return line
            if line["id"] not in kept:
                return None
            return {**line, "done_at": line["done_at"] + seconds} if "done_at" in line else line

        return slow

    rewrite(folder / "ledger.jsonl", change(1.0))
    assert _judge(record.read(folder), one).verdict == "pass"
    rewrite(folder / "ledger.jsonl", change(3.4))
    assert _judge(record.read(folder), one).verdict == "fail"


def test_a_job_that_never_ends_keeps_the_queue_busy(folder):
    """Its time counts against the rate."""
    one = _objective("completions", "value >= 1000/h", sets=["pdf-jobs"])
    first = "pdf-jobs-000060"

    def change(line):
        if line["kind"] == "readback":
            return {**line, "read": None}
        if line["set"] == "pdf-jobs" and line["id"] != first:
            return None
        return {**line, "count": 0, "state": "queued"} if line["kind"] == "read" else line

    rewrite(folder / "ledger.jsonl", change)
    found = _judge(record.read(folder), one)
    assert (found.verdict, found.measured) == ("fail", 0.0)


@pytest.mark.parametrize(
    ("expr", "whole", "part"),
    [
        ("value >= 1000/h", "pass", "no-data"),
        ("value >= 10000/h", "fail", "no-data"),
        ("value <= 10000/h", "pass", "no-data"),
        ("value <= 1000/h", "fail", "fail"),
    ],
)
def test_the_rate_of_jobs_of_an_incomplete_read_back(folder, expr, whole, part):
    """What it does not show may be done: it shows a rate to be too great, and nothing else."""
    one = _objective("completions", expr, sets=["pdf-jobs"])
    kept = {f"pdf-jobs-{number:06d}" for number in range(1, 1500, 25)}

    def slow(line):
        if line["kind"] == "readback":
            return {**line, "read": None}
        if line["set"] != "pdf-jobs":
            return line
        if line["id"] not in kept:
            return None
        return {**line, "done_at": line["done_at"] + 1.0} if "done_at" in line else line

    def cut(line):
        return {**line, "complete": False, "reason": "HTTP 500"} if line["kind"] == "readback" else line

    rewrite(folder / "ledger.jsonl", slow)
    assert _judge(record.read(folder), one).verdict == whole
    rewrite(folder / "ledger.jsonl", cut)
    found = _judge(record.read(folder), one)
    assert (found.verdict, "HTTP 500" in found.reason) == (part, part == "no-data")


def test_max_latency_needs_every_answer(failover):
    """One slow answer is enough to fail it, silence never passes."""
    one = _objective("latency", "max < 100ms", operations=["static_app_js"])
    assert _judge(failover, one).verdict in ("pass", "fail")
    strict = _objective("latency", "max < 500ms", operations=["@api"])
    assert _judge(failover, strict).verdict == "pass"
    nothing = _judge(failover, strict, windows=((START + 1000.0, START + 1010.0),))
    assert nothing.verdict == "no-data"


@pytest.mark.parametrize("expr", ["max < 500ms", "max <= 500ms"])
@pytest.mark.parametrize("cause", ["slow", "timeout"])
def test_a_maximum_is_missed_by_one_arrival_whatever_its_operator(failover, expr, cause):
    """None slow passes; one fails, and so do all of them, slow or without an answer."""
    counters = failover.counters
    row, columns = counters.operations.index("search"), counters.within(*STEADY[0])
    none, one, every = (np.zeros_like(counters.ok) for _ in range(3))
    one[row, columns.start] = 1
    every[row, columns] = counters.ok[row, columns]
    for wrong in (none, one, every):
        if cause == "slow":
            changes = {"slower": {**counters.slower, 0.5: counters.counted(0.5) + wrong}}
        else:
            changes = {"ok": counters.ok - wrong, "bad": {**counters.bad, cause: wrong}}
        changed = dataclasses.replace(failover, counters=dataclasses.replace(counters, **changes))
        found = _judge(changed, _objective("latency", expr, operations=["search"]))
        assert (found.verdict, found.k) == ("fail" if wrong.any() else "pass", wrong.sum())
        assert (found.n, expr in found.reason) == (every.sum(), True)


def test_dimensions_choose_the_series(folder):
    """A reader with many connections is not the writer."""
    line = {
        "t": START + 20,
        "namespace": "AWS/RDS",
        "metric": "DatabaseConnections",
        "stat": "Maximum",
        "period": 5,
    }
    from slo import jsonl

    jsonl.append(folder / "metrics.jsonl", {**line, "dimensions": {"Role": "READER"}, "value": 90.0})
    keys = {"numerator": ["AWS/RDS.DatabaseConnections"], "parameter": "max_connections"}
    run = record.read(folder)
    any_role = _objective("metric", "max < 50%", **keys)
    assert _judge(run, any_role).measured == 0.9
    writer = dataclasses.replace(any_role, dimensions=(("Role", "WRITER"),))
    assert _judge(run, writer).measured == 0.2


def test_a_parameter_that_is_not_declared(folder):
    """Raises, which the judge turns into no data."""
    amend(folder, environment={"name": "x"})
    assert "declares max_connections = None" in of(judged(folder), "db-connections").reason


def test_the_removal_clock_waits_for_the_backlog(folder):
    """Users were well at 154, the queue only at 265: that is the recovery."""
    rewrite(
        folder / "metrics.jsonl",
        lambda line: (
            {**line, "value": 40.0}
            if line["metric"].startswith("Approx") and START + 142 <= line["t"] < START + 260
            else line
        ),
    )
    one = of(judged(folder), "mttr")
    assert one.interval == (115.0, 120.0)
    rewrite(folder / "metrics.jsonl", lambda line: None if line["metric"].startswith("Approx") else line)
    assert "nothing shows that" in of(judged(folder), "mttr").reason


def test_a_fault_whose_end_no_probe_saw(folder):
    """The removal clock cannot start; the absorption clock can."""
    rewrite(
        folder / "events.jsonl",
        lambda line: None if line["kind"] == "probe" and line["edge"] == "last" else line,
    )
    found = judged(folder)
    assert of(found, "failover").verdict == "pass"
    assert of(found, "mttr").verdict == "inconclusive"


@pytest.mark.parametrize(("end", "verdict"), [(166, "pass"), (169, "inconclusive"), (173, "fail")])
def test_a_recovery_that_straddles_its_limit_is_open(build, end, verdict):
    """24 to 29 s is below 30 s, 27 to 32 s may be, 31 to 36 s is not."""
    found = judged(build(outages=[Outage(start=142, end=end, groups=("write",))]))
    assert of(found, "failover").verdict == verdict


def test_no_impact_needs_arrivals(build):
    """Nobody wrote during the fault: nobody can say that writes went on."""
    rates = {"search": 105, "matter_read": 90}
    found = judged(build(rates=rates))
    assert of(found, "failover").verdict == "inconclusive"
    assert "impact would not have shown" in of(found, "failover").reason


@pytest.mark.parametrize(
    ("p50", "p99", "most", "expected"),
    [
        ([0.001] * 100, [0.004] * 100, [0.02] * 100, 0.004),
        ([0.0] * 100, [0.0] * 100, [0.0] * 100, 0.0),
        ([0.001] * 95 + [0.5] * 5, [0.002] * 95 + [0.9] * 5, [0.003] * 95 + [1.0] * 5, 0.594),
    ],
)
def test_the_lag_over_all_seconds(p50, p99, most, expected):
    """Equal seconds have the common p99; five frozen seconds of a hundred hold all the late starts."""
    reports = [{"lag_p50": a, "lag_p99": b, "lag_max": c} for a, b, c in zip(p50, p99, most, strict=True)]
    assert validity.start_lag(reports) == pytest.approx(expected, rel=0.02, abs=1e-9)


def test_ten_busy_seconds_in_a_row(folder):
    """Nine are not ten, and a pause begins the count anew."""

    def busy(seconds):
        def change(event):
            hot = event["kind"] == "generator" and event["t"] - START - 30 in seconds
            return {**event, "cpu": 0.97 if hot else 0.3} if event["kind"] == "generator" else event

        return change

    for seconds, valid in ((range(9), True), ([*range(9), *range(10, 19)], True), (range(10), False)):
        rewrite(folder / "events.jsonl", busy(set(seconds)))
        assert judged(folder).validity["valid"] is valid


def test_mser_finds_the_warm_up():
    """A start that is twice as slow is cut where it ends; a flat line is left alone."""
    random = np.random.default_rng(4)
    flat = random.normal(1.0, 0.05, 60)
    assert steadiness.mser(flat) < 30
    late = flat.copy()
    late[:20] += 1.0
    assert steadiness.mser(late) == pytest.approx(20, abs=1)


def test_a_refusal_is_clear_and_silence_is_not(failover):
    """Half a minute of errors with a status passes, half a minute of time-outs or of wrong answers fails."""
    one = _objective("unclear", "rate < 1%", operations=["@search"])
    row = failover.counters.operations.index("search")
    for name, verdict in (
        ("http_5xx", "pass"),
        ("http_4xx", "pass"),
        ("timeout", "fail"),
        ("content", "fail"),
    ):
        bad, ok = np.zeros_like(failover.counters.ok), failover.counters.ok.copy()
        bad[row, 50:80], ok[row, 50:80] = ok[row, 50:80], 0
        counters = dataclasses.replace(failover.counters, ok=ok, bad={name: bad})
        found = _judge(dataclasses.replace(failover, counters=counters), one)
        assert found.verdict == verdict, (name, found.reason)
