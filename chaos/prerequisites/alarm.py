"""The stop alarm: it exists, watches the good ratio, and its history says whether it has been OK."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from chaos import alarms, metrics
from chaos.prerequisites import Asked, Finding

_REMEDY = "deploy the stop alarm (see docs/faults.md, CloudWatch); publish a good ratio to see it get OK"


def check(asked: Asked) -> Iterator[Finding]:
    """Missing data breaches, so without a run it is in ALARM: that is as it must be, and is said."""
    known = asked.env.aws.alarms
    if asked.experiment.stop_alarm not in known:
        yield asked.missing(f"{asked.env.path} has no alarm {asked.experiment.stop_alarm}", _REMEDY)
        return
    name = alarms.name_of(known[asked.experiment.stop_alarm])
    answer = asked.client("cloudwatch").describe_alarms(
        AlarmNames=[name], AlarmTypes=["MetricAlarm", "CompositeAlarm"]
    )
    found = [*answer.get("MetricAlarms", []), *answer.get("CompositeAlarms", [])]
    if not found:
        yield asked.missing(f"the stop alarm {name} does not exist", _REMEDY)
        return
    alarm = found[0]
    said = f"the stop alarm {name} is {alarm['StateValue']}"
    if alarm["StateValue"] == "OK":
        yield asked.there(said)
    elif _waits_for_data(alarm):
        yield asked.there(f"{said}: silence breaches, and no run publishes the good ratio now")
    else:
        yield asked.missing(f"{said} ({alarm.get('StateReason', 'no reason given')})", _REMEDY)


def _waits_for_data(alarm: dict[str, Any]) -> bool:
    watched = (alarm.get("Namespace"), alarm.get("MetricName"))
    return watched == (metrics.NAMESPACE, metrics.GOOD_RATIO) and alarm.get("TreatMissingData") == "breaching"
