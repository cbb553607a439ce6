"""CloudWatch: the series of a run, the right statistic, dimensions that match exactly, and late points."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from chaos import alarms, metrics, series
from chaos.errors import CollectError, ConfigError
from chaos.series import Series
from fixtures import aws
from fixtures.environment import Environment

START = 1_795_262_400.0  # a whole minute


@pytest.fixture
def own(env: Environment) -> Iterator[Environment]:
    """An environment in an AWS region of its own, so that no other test's points are in it."""
    yield replace(env, aws=replace(env.aws, region="eu-west-3"))
    metrics._clients.clear()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "manifest.json").write_text('{"system": "lexohub"}')
    return tmp_path


def put(
    env: Environment,
    namespace: str,
    metric: str,
    dimensions: dict[str, str],
    points: list[tuple[float, float]],
) -> None:
    data = [
        {
            "MetricName": metric,
            "Dimensions": [{"Name": name, "Value": value} for name, value in dimensions.items()],
            "Timestamp": datetime.fromtimestamp(START + t, UTC),
            "Value": value,
        }
        for t, value in points
    ]
    aws.client(env, "cloudwatch").put_metric_data(Namespace=namespace, MetricData=data)


def read(folder: Path, metric: str) -> list[tuple[float, float]]:
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [(line["t"] - START, line["value"]) for line in lines if line["metric"] == metric]


def wanted(metric: str, stat: str, **dimensions: Any) -> Series:
    return Series(
        namespace=f"Test/{metric}",
        metric=metric,
        stat=stat,
        dimensions={k: (v,) if isinstance(v, str) else v for k, v in dimensions.items()},
    )


@pytest.mark.parametrize("system", series.names())
def test_shipped_series_are_sound(system: str) -> None:
    """Counts add up, connections and backlogs take the worst, running tasks the least."""
    stats = {item.metric: item.stat for item in series.load(system)}
    right = {
        "CacheHits": "Sum",
        "CacheMisses": "Sum",
        "DatabaseConnections": "Maximum",
        "ApproximateNumberOfMessagesVisible": "Maximum",
        "ApproximateAgeOfOldestMessage": "Maximum",
        "RunningTaskCount": "Minimum",
    }
    assert {metric: stats[metric] for metric in right if metric in stats} == {
        metric: stat for metric, stat in right.items() if metric in stats
    }


def test_every_statistic_is_taken_per_period(own: Environment, folder: Path) -> None:
    """Sum, Maximum and Minimum over 5 s each; what lies outside the run is left out."""
    points = [(-10.0, 99.0), (0.0, 1.0), (2.0, 4.0), (5.0, 3.0), (30.0, 99.0)]
    for metric in ("Sum", "Maximum", "Minimum"):
        put(own, f"Test/{metric}", metric, {"A": "x"}, points)
    chosen = [wanted(metric, metric, A="x") for metric in ("Sum", "Maximum", "Minimum")]
    assert metrics.collect(own, folder, START, START + 20, chosen) >= 6
    assert read(folder, "Sum") == [(0.0, 5.0), (5.0, 3.0)]
    assert read(folder, "Maximum") == [(0.0, 4.0), (5.0, 3.0)]
    assert read(folder, "Minimum") == [(0.0, 1.0), (5.0, 3.0)]


def test_collecting_again_replaces(own: Environment, folder: Path) -> None:
    """Points are never there twice."""
    put(own, "Test/Twice", "Twice", {"A": "x"}, [(0.0, 1.0)])
    for _ in range(2):
        metrics.collect(own, folder, START, START + 20, [wanted("Twice", "Sum", A="x")])
    assert read(folder, "Twice") == [(0.0, 1.0)]


def test_the_order_of_dimensions_does_not_matter(own: Environment, folder: Path) -> None:
    """A series is found whichever way round its dimensions were published."""
    put(
        own, "Test/Order", "Order", {"Role": "WRITER", "DBClusterIdentifier": "lexohub-cluster"}, [(0.0, 7.0)]
    )
    put(
        own, "Test/Order", "Order", {"DBClusterIdentifier": "lexohub-cluster", "Role": "READER"}, [(0.0, 9.0)]
    )
    chosen = [wanted("Order", "Maximum", DBClusterIdentifier="lexohub-cluster", Role="WRITER")]
    metrics.collect(own, folder, START, START + 20, chosen)
    assert read(folder, "Order") == [(0.0, 7.0)]


def test_without_dimensions_means_published_without_any(own: Environment, folder: Path) -> None:
    """As the documented alarm sees it: points with dimensions are another metric."""
    put(own, "Test/Errors", "Errors", {"ErrorType": "x", "Endpoint": "y"}, [(0.0, 3.0)])
    metrics.collect(own, folder, START, START + 20, [wanted("Errors", "Sum")])
    assert read(folder, "Errors") == []
    chosen = [wanted("Errors", "Sum", ErrorType="*", Endpoint="*")]
    metrics.collect(own, folder, START, START + 20, chosen)
    assert read(folder, "Errors") == [(0.0, 3.0)]


def test_a_pattern_takes_every_series_that_fits(own: Environment, folder: Path) -> None:
    """Queues and their dead-letter queues, and nobody else's."""
    for queue in ("pdf", "pdf-dlq", "theirs"):
        put(own, "Test/Depth", "Depth", {"QueueName": queue}, [(0.0, 1.0)])
    metrics.collect(
        own, folder, START, START + 20, [wanted("Depth", "Maximum", QueueName=("pdf*", "email*"))]
    )
    assert len(read(folder, "Depth")) == 2


def test_a_long_run_is_read_in_windows(own: Environment, folder: Path) -> None:
    """Points on both sides of a window's edge come once each."""
    points = [(t, 1.0) for t in (0.0, 295.0, 300.0, 605.0)]
    put(own, "Test/Long", "Long", {"A": "x"}, points)
    metrics.collect(own, folder, START + 1, START + 610, [wanted("Long", "Sum", A="x")])
    assert read(folder, "Long") == points


def test_late_points_are_waited_for_on_aws(
    own: Environment, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asked again until the end of the run is covered; the last minutes arrive in the first pause."""
    put(own, "Test/Late", "Late", {"A": "x"}, [(0.0, 1.0)])
    monkeypatch.setattr(alarms, "changes", lambda *_: [])
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        put(own, "Test/Late", "Late", {"A": "x"}, [(60.0, 2.0), (120.0, 3.0)])

    monkeypatch.setattr(time, "sleep", pause)
    metrics.collect(
        replace(own, kind="aws"), folder, START, START + 180, [wanted("Late", "Sum", A="x")], pause_s=7
    )
    assert read(folder, "Late") == [(0.0, 1.0), (60.0, 2.0), (120.0, 3.0)]
    assert pauses == [7]


def test_the_good_ratio_is_published_for_the_stop_alarm(own: Environment, folder: Path) -> None:
    """Namespace, name and dimension are the alarm's."""
    before = time.time()
    metrics.publish_good_ratio(own, "lexohub", 0.97)
    metrics.publish_good_ratio(own, "lexohub", 0.97)
    metrics.collect(own, folder, before - 10, time.time() + 10)
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    found = [line for line in lines if line["metric"] == "GoodRatio"]
    assert {(line["namespace"], line["dimensions"]["System"], line["value"]) for line in found} == {
        ("Gameday", "lexohub", 0.97)
    }


def test_alarm_states_are_kept(env: Environment, folder: Path) -> None:
    """Each alarm's state when the run began, and every change since."""
    before = time.time() - 1
    aws.client(env, "cloudwatch").put_metric_alarm(
        AlarmName="tested", MetricName="m", Namespace="n", Period=10, EvaluationPeriods=1, Threshold=1,
        ComparisonOperator="GreaterThanThreshold", Statistic="Sum",
    )  # fmt: skip
    for state in ("ALARM", "OK", "ALARM"):
        aws.client(env, "cloudwatch").set_alarm_state(AlarmName="tested", StateValue=state, StateReason="x")
    found = [item for item in alarms.changes(env, before, time.time() + 1) if item[1] == "tested"]
    assert [level for _, _, level in found] == [0.0, 1.0, 0.0, 1.0]
    assert found[0][0] == before
    later = time.time() + 1
    assert [item for item in alarms.changes(env, later, later + 9) if item[1] == "tested"] == [
        (later, "tested", 1.0)
    ]


def test_what_an_alarm_watches_is_counted(own: Environment, folder: Path) -> None:
    """The documented alarm's metric has no dimensions and no data; all of it came with some."""
    put(own, "Lex", "Errors", {"ErrorType": "x", "Endpoint": "y"}, [(0.0, 3.0), (70.0, 1.0)])
    rule = {"Namespace": "Lex", "MetricName": "Errors", "Period": 60, "EvaluationPeriods": 1, "Threshold": 1}
    more = {"ComparisonOperator": "GreaterThanThreshold", "Statistic": "Sum"}
    with_both = [{"Name": "Endpoint", "Value": "y"}, {"Name": "ErrorType", "Value": "x"}]
    cloudwatch = aws.client(own, "cloudwatch")
    cloudwatch.put_metric_alarm(AlarmName="blind", **rule, **more)
    cloudwatch.put_metric_alarm(AlarmName="seeing", **rule, **more, Dimensions=with_both)
    cloudwatch.put_metric_alarm(AlarmName="silence", **rule, **more, TreatMissingData="breaching")
    assert sorted(alarms.inputs(own, START, START + 100)) == [("blind", 0, 2), ("seeing", 2, 0)]
    metrics.collect(own, folder, START, START + 100, [])
    assert read(folder, "AlarmInput") == [(0.0, 0.0), (0.0, 2.0)]
    assert read(folder, "AlarmInputElsewhere") == [(0.0, 2.0), (0.0, 0.0)]


@pytest.mark.parametrize("manifest", [None, "{}", "not json"])
def test_a_folder_without_a_system_is_refused(own: Environment, tmp_path: Path, manifest: str | None) -> None:
    """Nothing is guessed."""
    if manifest is not None:
        (tmp_path / "manifest.json").write_text(manifest)
    with pytest.raises(CollectError, match="which system"):
        metrics.collect(own, tmp_path, START, START + 10)


def test_an_endpoint_that_does_not_answer_is_said(own: Environment, folder: Path) -> None:
    """Collecting and publishing fail with our own error."""
    gone = replace(own, aws=replace(own.aws, endpoint="http://127.0.0.1:1", region="eu-west-3"))
    with pytest.raises(CollectError, match="cannot be published"):
        metrics.publish_good_ratio(gone, "lexohub", 1.0)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('[[series]]\nnamespace = "a"', r"\.toml:1: keys"),
        ('[[series]]\nnamespace="a"\nmetric="b"\nstat="p99"\ndimensions={}', "expected one of"),
        ('[[series]]\nnamespace="a"\nmetric="b"\nstat="Sum"\ndimensions={A=1}', "expected a text"),
        ("[[series]", "cannot be read"),
    ],
)
def test_a_series_file_that_cannot_be_meant_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, expected: str
) -> None:
    """With file, line and what was expected."""
    (tmp_path / "mine.toml").write_text(text)
    monkeypatch.setattr(series, "FOLDER", tmp_path)
    with pytest.raises(ConfigError, match=expected):
        series.load("mine")


def test_an_unknown_system_has_no_series(tmp_path: Path) -> None:
    """The refusal names those that have."""
    with pytest.raises(ConfigError, match="lexohub"):
        series.load("nobody")
