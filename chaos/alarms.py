"""CloudWatch alarms: the stop alarm before a start, and what every alarm did during a run."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from chaos.errors import CollectError, GuardError
from fixtures import aws
from fixtures.environment import Environment

LEVELS = {"OK": 0.0, "ALARM": 1.0, "INSUFFICIENT_DATA": -1.0}


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
    """(epoch seconds, alarm name, level) of each change in [start, end), oldest first; levels as in `LEVELS`.

    On AWS the alarm history. The local region keeps none (moto has no DescribeAlarmHistory): there each alarm
    gives its latest change only.

    Raises:
        CollectError: CloudWatch refused.
    """
    client = aws.client(env, "cloudwatch")
    try:
        found = _history(client, start, end) if env.kind == "aws" else _latest(client)
    except (BotoCoreError, ClientError) as error:
        raise CollectError(f"the alarms of {env.name} cannot be read: {error}") from error
    return sorted(change for change in found if start <= change[0] < end)


def _history(client: Any, start: float, end: float) -> list[tuple[float, str, float]]:
    pages = client.get_paginator("describe_alarm_history").paginate(
        HistoryItemType="StateUpdate", StartDate=start, EndDate=end
    )
    return [
        (item["Timestamp"].timestamp(), item["AlarmName"], LEVELS[state])
        for page in pages
        for item in page["AlarmHistoryItems"]
        for state in LEVELS
        if f"to {state}" in item.get("HistorySummary", "")
    ]


def _latest(client: Any) -> list[tuple[float, str, float]]:
    pages = client.get_paginator("describe_alarms").paginate()
    return [
        (alarm["StateUpdatedTimestamp"].timestamp(), alarm["AlarmName"], LEVELS[alarm["StateValue"]])
        for page in pages
        for alarm in page["MetricAlarms"]
    ]
