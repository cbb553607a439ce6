"""A CloudWatch metric that a fault makes rise: its sum over the last `window_s` seconds.

Broken: above `above`. Restored: not any more, after it was. No value counts as zero: AWS publishes none of
many metrics while there is nothing to tell. The end is seen as late as the window is long.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from chaos.errors import ProbeError
from chaos.local import LocalRegion
from chaos.memory import Memory
from chaos.probes import Probe, Reading
from chaos.sight import Phase
from fixtures import aws
from fixtures.environment import Environment

REQUIRED = frozenset({"namespace", "metric", "dimensions"})
OPTIONAL = frozenset({"above", "window_s"})
_PERIOD_S = {"region": 5, "aws": 60}
_WINDOW_S = {"region": 15.0, "aws": 180.0}
_SLOWEST_S = 2.0


@dataclass(slots=True, kw_only=True)
class Metric:
    """Asks CloudWatch for one series."""

    client: Any
    namespace: str
    metric: str
    dimensions: tuple[tuple[str, str], ...]
    period_s: int
    window_s: float
    above: float = 0.0
    slowest_s: float = _SLOWEST_S
    _memory: Memory = field(default_factory=Memory)

    def read(self) -> Reading:
        """`{"sum": 12.0, "seen": True}`."""
        try:
            total = self._sum(datetime.now(UTC))
        except (BotoCoreError, ClientError) as error:
            raise ProbeError(f"CloudWatch cannot be asked for {self.metric}: {error}") from error
        return {"sum": total, "seen": self._memory.take(broken=total > self.above)}

    def refusal(self, reading: Reading) -> str:
        """Armed while the metric is quiet."""
        return "" if reading["sum"] <= self.above else f"{self._said(reading)} before anything was broken"

    def compare(self, armed: Reading, reading: Reading) -> tuple[Phase, str]:
        """See the module."""
        if reading["sum"] > self.above:
            return Phase.BROKEN, self._said(reading)
        restored = reading["seen"] and not armed["seen"]
        return Phase.RESTORED if restored else Phase.ARMED, self._said(reading)

    def _said(self, reading: Reading) -> str:
        return f"{self.metric} is {reading['sum']:g} in {self.window_s:g} s"

    def _sum(self, now: datetime) -> float:
        metric = {
            "Namespace": self.namespace,
            "MetricName": self.metric,
            "Dimensions": [{"Name": name, "Value": value} for name, value in self.dimensions],
        }
        query = {"Id": "m0", "MetricStat": {"Metric": metric, "Period": self.period_s, "Stat": "Sum"}}
        answer = self.client.get_metric_data(
            MetricDataQueries=[query],
            StartTime=now - timedelta(seconds=self.window_s),
            EndTime=now + timedelta(seconds=1),
        )
        return float(sum(answer["MetricDataResults"][0]["Values"]))


def make(options: Mapping[str, Any], env: Environment, region: LocalRegion | None) -> Probe:  # noqa: ARG001
    """Build the probe for the environment's kind.

    Raises:
        ProbeError: the dimensions are no table of texts.
    """
    dimensions = options["dimensions"]
    if not isinstance(dimensions, Mapping) or not dimensions:
        raise ProbeError(
            f'dimensions are {dimensions!r}; expected an object such as {{"FunctionName": "..."}}'
        )
    return Metric(
        client=aws.client(env, "cloudwatch"),
        namespace=str(options["namespace"]),
        metric=str(options["metric"]),
        dimensions=tuple((str(name), str(value)) for name, value in dimensions.items()),
        period_s=_PERIOD_S[env.kind],
        window_s=float(options.get("window_s", _WINDOW_S[env.kind])),
        above=float(options.get("above", 0.0)),
    )
