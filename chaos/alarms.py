"""CloudWatch alarms: the stop alarm before a start, and what every alarm did during a run."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from chaos.errors import CollectError, GuardError
from fixtures import aws
from fixtures.environment import Environment

LEVELS = {"OK": 0.0, "ALARM": 1.0, "INSUFFICIENT_DATA": -1.0}
_UPDATED = re.compile(r"from (?P<before>OK|ALARM|INSUFFICIENT_DATA) to (?P<after>OK|ALARM|INSUFFICIENT_DATA)")
_QUERIES = 500  # of GetMetricData
_MINUTE_S = 60


def name_of(arn: str) -> str:
    """The alarm's name in its ARN (names may hold colons)."""
    return arn.split(":alarm:", 1)[-1]


def await_ok(
    env: Environment, key: str, *, timeout_s: float, stopped: Callable[[], bool], pause_s: float = 0.5
) -> None:
    """Wait until the environment's stop alarm `key` is OK.

    The alarm takes missing data as breaching, so it is in ALARM until the good ratio has been published.

    Raises:
        GuardError: it does not exist, is not OK within `timeout_s`, or the run was stopped meanwhile.
    """
    name = name_of(env.aws.alarms[key])
    client = aws.client(env, "cloudwatch")
    deadline = time.monotonic() + timeout_s
    while True:
        state, reason = _state(client, name)
        if state == "OK":
            return
        if stopped():
            raise GuardError(f"stopped while waiting for the stop alarm {name}; nothing was broken")
        if time.monotonic() >= deadline:
            raise GuardError(
                f"the stop alarm {name} is {state} after {timeout_s:g} s ({reason}); it must be OK before "
                "a fault is started: is the good ratio published, and is the system healthy?"
            )
        time.sleep(pause_s)


def ringing(client: Any, name: str) -> str:
    """Why a fault must end now by its stop alarm; empty while it is not in ALARM.

    Raises:
        GuardError: it cannot be asked for.
    """
    state, reason = _state(client, name)
    return f"the stop alarm {name} is in ALARM: {reason}" if state == "ALARM" else ""


def _state(client: Any, name: str) -> tuple[str, str]:
    try:
        found = client.describe_alarms(AlarmNames=[name], AlarmTypes=["MetricAlarm", "CompositeAlarm"])
    except (BotoCoreError, ClientError) as error:
        raise GuardError(f"CloudWatch cannot be asked for the stop alarm {name}: {error}") from error
    alarms = [*found.get("MetricAlarms", []), *found.get("CompositeAlarms", [])]
    if not alarms:
        raise GuardError(f"the stop alarm {name} does not exist; create it before anything is broken")
    return str(alarms[0]["StateValue"]), str(alarms[0].get("StateReason", ""))


def changes(env: Environment, start: float, end: float) -> list[tuple[float, str, float]]:
    """(epoch seconds, alarm name, level): each alarm's state at `start`, then its changes in [start, end).

    Oldest first; levels as in `LEVELS`.

    Raises:
        CollectError: CloudWatch refused.
    """
    client = aws.client(env, "cloudwatch")
    try:
        history = _history(client, start)
        standing = {alarm["AlarmName"]: str(alarm["StateValue"]) for alarm in _described(client)}
    except (BotoCoreError, ClientError) as error:
        raise CollectError(f"the alarms of {env.name} cannot be read: {error}") from error
    # The first change since then says what an alarm was before; without one it is what it was.
    at_start = {**standing, **{name: before for _, name, before, _ in reversed(history)}}
    found = [(start, name, LEVELS[state]) for name, state in at_start.items() if state in LEVELS]
    return sorted(found) + [(t, name, LEVELS[after]) for t, name, _, after in history if t < end]


def inputs(env: Environment, start: float, end: float) -> list[tuple[str, int, int]]:
    """(alarm name, values, values elsewhere): what came to each alarm's metric, and to its namesakes.

    Values elsewhere have the same namespace and name but other dimensions: to CloudWatch other metrics.
    Alarms on an expression are left out, and those that take silence as breaching, which need no values.

    Raises:
        CollectError: CloudWatch refused.
    """
    client = aws.client(env, "cloudwatch")
    try:
        return [
            _input(client, alarm, start, end)
            for alarm in _described(client)
            if "MetricName" in alarm and alarm.get("TreatMissingData") != "breaching"
        ]
    except (BotoCoreError, ClientError) as error:
        raise CollectError(f"what the alarms of {env.name} watch cannot be read: {error}") from error


def _input(client: Any, alarm: Mapping[str, Any], start: float, end: float) -> tuple[str, int, int]:
    name = {"Namespace": alarm["Namespace"], "MetricName": alarm["MetricName"]}
    pages = client.get_paginator("list_metrics").paginate(**name)
    listed = {_key(metric): metric.get("Dimensions", []) for page in pages for metric in page["Metrics"]}
    own = listed.pop(_key(alarm), alarm.get("Dimensions", []))  # in the order in which it is listed
    queries = [
        {
            "Id": f"m{number}",
            "MetricStat": {
                "Metric": {**name, "Dimensions": dimensions},
                "Period": _MINUTE_S,
                "Stat": "SampleCount",
            },
        }
        for number, dimensions in enumerate([own, *list(listed.values())[: _QUERIES - 1]])
    ]
    values = [0, 0]
    window = {
        "StartTime": datetime.fromtimestamp(start // _MINUTE_S * _MINUTE_S, UTC),
        "EndTime": datetime.fromtimestamp((end // _MINUTE_S + 1) * _MINUTE_S, UTC),
    }
    for page in client.get_paginator("get_metric_data").paginate(MetricDataQueries=queries, **window):
        for result in page["MetricDataResults"]:
            values[result["Id"] != "m0"] += round(sum(result["Values"]))
    return str(alarm["AlarmName"]), values[0], values[1]


def _key(described: Mapping[str, Any]) -> frozenset[tuple[str, str]]:
    """The dimensions of a metric or an alarm, in whatever order."""
    return frozenset((pair["Name"], pair["Value"]) for pair in described.get("Dimensions", []))


def _described(client: Any) -> list[dict[str, Any]]:
    return [
        alarm
        for page in client.get_paginator("describe_alarms").paginate(AlarmTypes=["MetricAlarm"])
        for alarm in page["MetricAlarms"]
    ]


def _history(client: Any, start: float) -> list[tuple[float, str, str, str]]:
    """(epoch seconds, alarm name, state before, state after) of each change since `start`, oldest first."""
    pages = client.get_paginator("describe_alarm_history").paginate(
        HistoryItemType="StateUpdate", StartDate=datetime.fromtimestamp(start, UTC)
    )
    found = []
    for page in pages:
        for item in page["AlarmHistoryItems"]:
            told = _UPDATED.search(item.get("HistorySummary", ""))
            if told and told["before"] != told["after"] and item["Timestamp"].timestamp() >= start:
                t = item["Timestamp"].timestamp()
                found.append((t, str(item["AlarmName"]), told["before"], told["after"]))
    return sorted(found)
