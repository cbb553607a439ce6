"""CloudWatch: the series of a run into its folder, and the good ratio that the stop alarm watches.

Two things that hold on AWS are kept here for the local region as well, whose moto is laxer: a query without
dimensions matches only data published without any (moto answers with everything), and a query carries its
dimensions in the order in which the service lists them (to moto another order is another series).
"""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from chaos import alarms, series
from chaos.errors import CollectError
from chaos.series import Series
from fixtures import aws
from fixtures.environment import Environment

NAMESPACE = "Gameday"
GOOD_RATIO = "GoodRatio"
ALARM_STATE = "AlarmState"
ALARM_INPUT, ALARM_INPUT_ELSEWHERE = "AlarmInput", "AlarmInputElsewhere"
_QUERIES = 500  # of GetMetricData
_WINDOW_S = {"region": 300, "aws": 6 * 3600}
_PERIOD_S = {"region": 5, "aws": 60}
_LATE_S = {"region": 0.0, "aws": 300.0}

_clients: dict[tuple[str | None, str], Any] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Query:
    series: Series
    dimensions: tuple[tuple[str, str], ...]

    def body(self, number: int, period: int) -> dict[str, Any]:
        metric = {
            "Namespace": self.series.namespace,
            "MetricName": self.series.metric,
            "Dimensions": [{"Name": name, "Value": value} for name, value in self.dimensions],
        }
        return {
            "Id": f"m{number}",
            "MetricStat": {"Metric": metric, "Period": period, "Stat": self.series.stat},
        }

    def line(self, t: float, period: int, value: float) -> dict[str, Any]:
        return {
            "t": t,
            "namespace": self.series.namespace,
            "metric": self.series.metric,
            "dimensions": dict(self.dimensions),
            "stat": self.series.stat,
            "period": period,
            "value": value,
        }


def publish_good_ratio(env: Environment, system: str, ratio: float) -> None:
    """Publish the share of good answers (0..1) in high resolution; the stop alarm takes silence as breaching.

    Raises:
        CollectError: CloudWatch refused.
    """
    key = (env.aws.endpoint, env.aws.region)
    if key not in _clients:
        _clients[key] = aws.client(env, "cloudwatch")
    datum = {
        "MetricName": GOOD_RATIO,
        "Dimensions": [{"Name": "System", "Value": system}],
        "Timestamp": datetime.now(UTC),
        "Value": ratio,
        "StorageResolution": 1,
    }
    try:
        _clients[key].put_metric_data(Namespace=NAMESPACE, MetricData=[datum])
    except (BotoCoreError, ClientError) as error:
        raise CollectError(f"the good ratio of {system} cannot be published: {error}") from error


def collect(
    env: Environment,
    folder: Path,
    start: float,
    end: float,
    wanted: Sequence[Series] | None = None,
    *,
    late_s: float | None = None,
    pause_s: float = 15.0,
) -> int:
    """Write every point of [start, end) (epoch seconds) to `folder/metrics.jsonl`; returns how many.

    `wanted` defaults to the series of the system in the folder's manifest. Points are 5 s apart on a local
    region and 60 s on AWS, where they arrive late: there the question is asked again for up to `late_s`
    (default 300 s) until the newest point of each series covers the end. A file from an earlier collection is
    replaced. Alarms come in namespace Gameday, with period 0: AlarmState at the start and at each change (1
    ALARM, 0 OK, -1 INSUFFICIENT_DATA), AlarmInput and AlarmInputElsewhere as in `alarms.inputs`.

    Raises:
        CollectError: the manifest or CloudWatch cannot be read.
        ConfigError: the system has no series file.
    """
    chosen = series.load(_system(folder)) if wanted is None else tuple(wanted)
    client = aws.client(env, "cloudwatch")
    period = _PERIOD_S[env.kind]
    deadline = time.monotonic() + (_LATE_S[env.kind] if late_s is None else late_s)
    while True:
        try:
            queries = _queries(client, chosen)
            lines = _fetch(client, queries, start, end, period=period, window=_WINDOW_S[env.kind])
        except (BotoCoreError, ClientError) as error:
            raise CollectError(f"the metrics of {env.name} cannot be read: {error}") from error
        if _covered(lines, end, period) or time.monotonic() >= deadline:
            break
        time.sleep(pause_s)
    lines += [_alarm_line(ALARM_STATE, *change) for change in alarms.changes(env, start, end)]
    for name, own, elsewhere in alarms.inputs(env, start, end):
        lines.append(_alarm_line(ALARM_INPUT, start, name, own))
        lines.append(_alarm_line(ALARM_INPUT_ELSEWHERE, start, name, elsewhere))
    _write(folder / "metrics.jsonl", lines)
    return len(lines)


def _queries(client: Any, chosen: Iterable[Series]) -> list[_Query]:
    found: list[_Query] = []
    for item in chosen:
        listed = _listed(client, item)
        if not listed and item.exact:
            # Not listed yet (AWS lists a new metric up to 15 minutes late) is not the same as not there.
            listed = [tuple(item.exact.items())]
        found += [_Query(series=item, dimensions=dimensions) for dimensions in listed]
    return found


def _listed(client: Any, item: Series) -> list[tuple[tuple[str, str], ...]]:
    pages = client.get_paginator("list_metrics").paginate(Namespace=item.namespace, MetricName=item.metric)
    found: dict[tuple[tuple[str, str], ...], None] = {}
    for page in pages:
        for metric in page["Metrics"]:
            dimensions = tuple((pair["Name"], pair["Value"]) for pair in metric.get("Dimensions", []))
            if item.fits(dict(dimensions)):
                found[dimensions] = None
    return list(found)


def _fetch(
    client: Any, queries: Sequence[_Query], start: float, end: float, *, period: int, window: int
) -> list[dict[str, Any]]:
    points: dict[tuple[int, float], float] = {}
    first, last = math.floor(start / period) * period, math.ceil(end / period) * period
    for low in range(first, last, window):
        for offset in range(0, len(queries), _QUERIES):
            batch = queries[offset : offset + _QUERIES]
            pages = client.get_paginator("get_metric_data").paginate(
                MetricDataQueries=[query.body(offset + n, period) for n, query in enumerate(batch)],
                StartTime=datetime.fromtimestamp(low, UTC),
                EndTime=datetime.fromtimestamp(min(low + window, last), UTC),
                ScanBy="TimestampAscending",
            )
            for page in pages:
                points.update(_points(page))
    return [
        queries[number].line(t, period, value)
        for (number, t), value in sorted(points.items())
        if start - period < t < end
    ]


def _points(page: Mapping[str, Any]) -> dict[tuple[int, float], float]:
    found: dict[tuple[int, float], float] = {}
    for result in page["MetricDataResults"]:
        if result.get("StatusCode") in ("InternalError", "Forbidden"):
            said = [message.get("Value", "") for message in result.get("Messages", [])]
            raise CollectError(
                f"CloudWatch answered {result['StatusCode']} for {result.get('Label')}: {said}"
            )
        for moment, value in zip(result["Timestamps"], result["Values"], strict=True):
            found[int(result["Id"][1:]), moment.timestamp()] = float(value)
    return found


def _covered(lines: Iterable[Mapping[str, Any]], end: float, period: int) -> bool:
    newest: dict[str, float] = {}
    for line in lines:
        key = json.dumps([line["namespace"], line["metric"], line["dimensions"]], sort_keys=True)
        newest[key] = max(newest.get(key, 0.0), line["t"])
    return bool(newest) and all(t + 2 * period >= end for t in newest.values())


def _alarm_line(metric: str, t: float, name: str, value: float) -> dict[str, Any]:
    return {
        "t": t,
        "namespace": NAMESPACE,
        "metric": metric,
        "dimensions": {"AlarmName": name},
        "stat": "Maximum",
        "period": 0,
        "value": float(value),
    }


def _system(folder: Path) -> str:
    try:
        return str(json.loads((folder / "manifest.json").read_text("utf-8"))["system"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CollectError(f"{folder}/manifest.json does not say which system ran: {error!r}") from error


def _write(path: Path, lines: Iterable[Mapping[str, Any]]) -> None:
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_text("".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines), "utf-8")
        beside.replace(path)
    except OSError as error:
        raise CollectError(f"{path} cannot be written: {error}") from error
