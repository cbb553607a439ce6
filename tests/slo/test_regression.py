"""Objectives against what the last comparable nights measured."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from slo import baseline, history, jsonl, nights, record
from slo.baseline import Baseline, Nights
from slo.errors import RecordError
from slo.judge import holds, judge
from slo.objective import loads
from tests.run_folder import START, Plan, amend, rewrite, write

TEXT = """[[objective]]
id = "{id}"
sli = "{sli}"
phase = "steady"
{more}
expr = "{expr}"
{warn}
basis = "baseline"
source = {{ file = "f", heading = "h", quote = "q" }}
"""
P99 = TEXT.format(
    id="latency-regression",
    sli="latency",
    more='operations = ["@api"]',
    expr="p(99) baseline <= +10%",
    warn="",
)
ABSOLUTE = P99.replace("latency-regression", "latency-p99").replace("p(99) baseline <= +10%", "p(99) < 500ms")
BOTH = P99 + ABSOLUTE.replace('"baseline"', '"documented"')


@pytest.fixture(scope="module")
def healthy(tmp_path_factory) -> Path:
    """A run without faults, nightly, not to be changed."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    phases = (("warmup", 10, None), ("steady", 130, None))
    plan = Plan(
        phases=phases,
        rates={"matter_read": 60, "search": 60},
        objectives=("latency-regression",),
        judge=(),
        probe="none",
        seen=None,
        ledger=False,
        metrics=False,
        manifest={"policy": "nightly"},
    )
    return write(folder, plan)


@pytest.fixture
def folder(healthy, tmp_path) -> Path:
    """A copy of it."""
    own = tmp_path / "run"
    own.mkdir()
    for file in healthy.iterdir():
        (own / file.name).write_bytes(file.read_bytes())
    return own


@pytest.fixture(scope="module")
def p99(healthy) -> float:
    """What the run measures: about 32 ms."""
    (one,) = judge(record.read(healthy), loads(P99, "x")).objectives
    assert one.measured is not None
    return float(one.measured)


def _known(
    folder: Path, values: list[float], name: str = "latency-regression", unit: str = "s", **more
) -> None:
    from slo import fingerprint, manifest

    runs = tuple(f"night-{number}" for number in range(len(values)))
    parts = fingerprint.parts(manifest.read(folder))
    found = Baseline(parts=parts, objectives={name: Nights(unit=unit, runs=runs, values=tuple(values))})
    baseline.write(folder, replace(found, **more))


def _one(folder: Path, text: str = P99):
    found = judge(record.read(folder), loads(text, "x"))
    return found, found.objectives[0]


def test_without_a_baseline_there_is_no_data_and_a_value_for_the_next_nights(folder):
    """Never a pass; but the run is sound, else there would never be five nights."""
    found, one = _one(folder)
    assert (one.verdict, found.exit, found.sound) == ("no-data", 3, True)
    assert "no baseline: 0 comparable nights of at least 5; the run folder has no baseline.json" in one.reason
    assert (one.unit, one.measured_text) == ("s", f"{one.measured * 1000:.3g} ms")
    amend(folder, objectives=["latency-regression", "latency-p99"], least_passes=2)
    found = judge(record.read(folder), loads(BOTH, "x"))
    assert (found.verdict, found.exit, found.sound) == ("no-data", 3, True)


def _few(folder):
    rewrite(folder / "counters.jsonl", lambda x: x if x["t"] < START + 60 else None)


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: amend(folder, state="cut-short"),
        lambda folder: amend(folder, least_passes=2),
        lambda folder: amend(folder, policy="lax"),
        lambda folder: amend(folder, policy="release"),
        lambda folder: rewrite(folder / "events.jsonl", lambda x: {**x, "cpu": 0.99}),
        _few,
    ],
)
def test_where_all_is_relative_a_night_must_be_whole_and_valid_all_the_same(folder, damage):
    """The first nights of such a plan have nothing to be judged by: what else can be asked of them is."""
    assert _one(folder)[0].sound
    damage(folder)
    found, one = _one(folder)
    assert (found.exit != 0, found.sound) == (True, False), one.reason


@pytest.mark.parametrize(
    ("nights_", "verdict"),
    [
        ([1.0] * 4, "no-data"),
        ([1.0] * 5, "pass"),
        ([0.92] * 5, "pass"),
        ([0.9] * 5, "inconclusive"),
        ([0.6] * 5, "fail"),
        ([0.6, 0.6, 0.6, 0.9, 1.2], "fail"),
        ([0.5, 0.8, 0.9, 1.0, 1.3], "pass"),
        ([9.0] * 20 + [0.6] * 10, "fail"),
        ([2.0] * 10, "pass"),
    ],
)
def test_a_value_stands_against_the_nights(folder, p99, nights_, verdict):
    """Worse by a tenth and by four scatters fails; by less than its own uncertainty it is open."""
    _known(folder, [share * p99 for share in nights_])
    found, one = _one(folder)
    assert one.verdict == verdict, one.reason
    assert found.exit == {"pass": 0, "fail": 1}.get(verdict, 3)
    assert found.sound == (verdict in ("pass", "no-data"))


def test_the_limit_is_the_wider_of_share_and_scatter(folder, p99):
    """And the report has what is needed to follow it."""
    _known(folder, [p99 * share for share in (0.8, 0.9, 1.0, 1.1, 1.2)])
    _, one = _one(folder)
    assert one.baseline["limit"] == pytest.approx(p99 * (1 + 4 * 1.4826 * 0.1), rel=1e-3)
    assert one.baseline["nights"] == 5
    assert one.margin == pytest.approx(1 - 1 / (1 + 4 * 1.4826 * 0.1), rel=1e-2)
    assert "of 5 nights, so at most" in one.reason


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"versions": {"python": "3.11", "cores": "64"}}, 'machine.cores is "64", was not given'),
        ({"plan": "lexohub-noop"}, 'plan is "lexohub-noop", was "lexohub"'),
        ({"system": "writlix"}, 'system is "writlix", was "lexohub"'),
        ({"load": {"model": "arrivals", "rate": 5.0}}, "load.rate is 5.0, was 120.0"),
        ({"environment": {"name": "staging"}}, 'environment.name is "staging", was "local"'),
    ],
)
def test_nights_of_other_runs_are_refused_with_the_reason(folder, p99, fields, reason):
    """Another machine, plan, system, load or place."""
    _known(folder, [p99] * 5)
    amend(folder, **fields)
    found, one = _one(folder)
    assert (one.verdict, found.exit) == ("no-data", 3)
    assert "no baseline: it is of other runs" in one.reason
    assert reason in one.reason


@pytest.mark.parametrize(
    "change",
    [
        lambda found: found.update(schema=2),
        lambda found: found.pop("parts"),
        lambda found: found["objectives"]["latency-regression"].update(median=9.0),
        lambda found: found["objectives"]["latency-regression"]["values"].append(9.0),
        lambda found: found["objectives"]["latency-regression"].update(values=["a"] * 5),
        lambda found: found["objectives"]["latency-regression"].update(runs=["one"] * 5),
    ],
)
def test_a_baseline_that_contradicts_itself_is_none(folder, p99, change):
    """Edited by hand, or of a later version: no data, and the file is named."""
    _known(folder, [p99] * 5)
    document = json.loads((folder / "baseline.json").read_text())
    change(document)
    (folder / "baseline.json").write_text(json.dumps(document))
    found, one = _one(folder)
    assert (one.verdict, found.exit) == ("no-data", 3)
    assert "baseline.json" in one.reason
    with pytest.raises(RecordError):
        baseline.read(folder)


def test_a_log_that_lost_its_end_measures_nothing(folder, p99):
    """The percentile comes from it alone: half a log may hide what was slow."""
    _known(folder, [p99] * 5)
    lines = (folder / "latency.hlog").read_text().splitlines(keepends=True)
    kept = [
        line for line in lines if not any(f",{begun}.000,10" in line[:40] for begun in range(60, 140, 10))
    ]
    (folder / "latency.hlog").write_text("".join(kept))
    _, one = _one(folder)
    assert one.verdict == "no-data"
    assert "latency.hlog holds" in one.reason


def test_failures_cannot_leave_the_percentile(folder, p99):
    """Two per cent without an answer: the p99 is nowhere, which is no value to compare, and no good one."""
    _known(folder, [p99] * 5)
    rewrite(
        folder / "counters.jsonl", lambda x: {**x, "ok": x["ok"] - 2, "slower": {}, "bad": {"timeout": 2}}
    )
    _, one = _one(folder)
    assert one.verdict == "inconclusive"
    assert one.reason == "the percentile lies among the arrivals without a good answer"


@pytest.mark.parametrize(
    ("sli", "expr", "values", "verdict"),
    [
        ("throughput", "value baseline >= -10%", [120.0] * 5, "pass"),
        ("throughput", "value baseline >= -10%", [140.0] * 5, "fail"),
        ("errors", "rate baseline <= +10%", [0.0] * 5, "pass"),
        ("attainment", "value baseline >= -1%", [1.0] * 5, "pass"),
        ("latency", "max baseline <= +50%", [0.01] * 5, "fail"),
    ],
)
def test_other_kinds_have_baselines_too(folder, sli, expr, values, verdict):
    """Whatever a kind measures can be compared, on the side where it is good."""
    text = TEXT.format(id="latency-regression", sli=sli, more='operations = ["@api"]', expr=expr, warn="")
    _known(folder, values, unit={"throughput": "1/s", "latency": "s"}.get(sli, "ratio"))
    _, one = _one(folder, text)
    assert one.verdict == verdict, one.reason


RATE = {"sli": "throughput", "expr": "value baseline >= -10%", "warn": ""}


@pytest.mark.parametrize(
    ("values", "verdict"), [([120.0] * 5, "inconclusive"), ([200.0] * 5, "fail"), ([], "inconclusive")]
)
def test_a_rate_over_few_blocks_does_not_pass_and_is_no_night(tmp_path, values, verdict):
    """A minute at the usual rate shows nothing; at half of it, it shows enough."""
    phases = (("warmup", 10, None), ("steady", 60, None))
    plan = Plan(
        phases=phases,
        rates={"matter_read": 60, "search": 60},
        objectives=("latency-regression",),
        judge=(),
        probe="none",
        seen=None,
    )
    folder = write(tmp_path / "run", plan)
    _known(folder, values, unit="1/s")
    text = TEXT.format(id="latency-regression", more='operations = ["@api"]', **RATE)
    found, one = _one(folder, text)
    assert (one.verdict, one.measured, found.sound) == (verdict, 120.0, False)
    assert ("only 6 blocks of 10 s" in one.reason) is (verdict == "inconclusive")


@pytest.mark.parametrize(("least", "verdict"), [(15_600, "pass"), (15_601, "inconclusive")])
def test_a_rate_of_too_few_samples_does_not_pass(folder, least, verdict):
    """130 s of 120 requests a second are 15,600."""
    _known(folder, [120.0] * 5, unit="1/s")
    more = f'operations = ["@api"]\nmin_samples = {least}'
    _, one = _one(folder, TEXT.format(id="latency-regression", more=more, **RATE))
    assert one.verdict == verdict, one.reason


@pytest.mark.parametrize(
    ("values", "verdict"),
    [([0.5] * 5, "pass"), ([0.8] * 5, "fail"), ([0.56] * 5, "inconclusive"), ([], "no-data")],
)
def test_a_share_near_one_half_is_measured_like_any_other(folder, values, verdict):
    """Half of the reads are hits, as on all nights: that is no doubt."""
    names = ("CacheHits", "CacheMisses")
    line = {"namespace": "AWS/ElastiCache", "dimensions": {}, "stat": "Sum", "period": 5}
    both = [
        {**line, "metric": name, "t": START + t, "value": 500.0} for t in range(0, 140, 5) for name in names
    ]
    jsonl.append_all(folder / "metrics.jsonl", both)
    hit, miss = (f'"AWS/ElastiCache.{name}"' for name in names)
    text = TEXT.format(
        id="latency-regression",
        sli="metric",
        more=f"numerator = [{hit}]\ndenominator = [{hit}, {miss}]",
        expr="value baseline >= -10%",
        warn="",
    )
    _known(folder, values, unit="ratio")
    _, one = _one(folder, text)
    assert (one.verdict, one.measured) == (verdict, 0.5), one.reason


def test_one_error_against_nights_of_none_is_open(folder):
    """A tenth of nothing is nothing: neither a pass nor beyond doubt."""
    text = TEXT.format(
        id="latency-regression",
        sli="errors",
        more='operations = ["@api"]',
        expr="rate baseline <= +10%",
        warn="",
    )
    rewrite(folder / "counters.jsonl", lambda x: {**x, "ok": x["ok"] - 1, "bad": {"timeout": 1}})
    _known(folder, [0.0] * 5, unit="ratio")
    _, one = _one(folder, text)
    assert one.verdict == "inconclusive"
    assert "a share of nothing is nothing" in one.reason


def test_a_warning_is_a_smaller_change(folder, p99):
    """Between the warning and the limit: a pass that says so."""
    text = P99.replace("+10%", "+30%").replace("\n\n", '\nwarn = "p(99) baseline <= +5%"\n')
    assert "warn" in text
    _known(folder, [p99 / 1.1] * 5)
    _, one = _one(folder, text)
    assert (one.verdict, one.warned) == ("pass", True)
    _known(folder, [p99] * 5)
    assert not _one(folder, text)[1].warned


def test_a_gate_does_not_take_a_change_for_a_latency(folder, p99):
    """0.03 s is not "below 10%"."""
    asked = loads(P99, "x")
    found = record.read(folder)
    start = found.phases[1].start
    assert not holds(found, asked, start=start, end=start + 125).holds
    _known(folder, [p99] * 5)
    assert holds(record.read(folder), asked, start=start, end=start + 125).holds


def _night(folder: Path, number: int, **fields) -> history.Entry:
    found = record.read(folder)
    entry = history.entry(found.manifest, judge(found, loads(P99, "x")), judged=1.0)
    fields = {"run_id": f"n{number}", "started": entry.started - 100 + number, "sound": True, **fields}
    return replace(entry, **fields)


def test_the_baseline_is_the_last_ten_comparable_nights(folder, tmp_path):
    """Not the older ones, not those that failed or had a defect; what was left out is told, with why."""
    path = tmp_path / history.FILE
    for number in range(12):
        history.append(path, _night(folder, number))
    history.append(path, _night(folder, 20, verdict="fail"))
    history.append(path, _night(folder, 21, sound=False))
    other = _night(folder, 22, fingerprint="0", verdict="pass")
    history.append(path, replace(other, parts={**other.parts, "machine.cores": "64"}))
    found = nights.before(record.read(folder).manifest, history.read(path))
    assert found.objectives["latency-regression"].runs == tuple(f"n{number}" for number in range(2, 12))
    assert found.left_out == ('1 passes left out: machine.cores is not given, was "64"',)
    baseline.write(folder, found)
    assert baseline.read(folder) == found
    assert _one(folder)[1].verdict == "pass"


def test_a_night_that_measured_something_else_is_left_out(folder, tmp_path):
    """p95 of last month says nothing about the p99 of tonight."""
    path = tmp_path / history.FILE
    for number in range(6):
        one = _night(folder, number)
        if number < 3:
            value = replace(one.values["latency-regression"], expr="p(95) baseline <= +10%")
            one = replace(one, values={"latency-regression": value})
        history.append(path, one)
    found = nights.before(record.read(folder).manifest, history.read(path))
    assert found.objectives["latency-regression"].runs == ("n3", "n4", "n5")
