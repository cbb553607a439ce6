"""Whether a queue denies its consumers: seen from outside, without taking or changing a message.

ChangeMessageVisibility of a message that does not exist is refused as AccessDenied while a policy denies it,
and otherwise for its receipt handle.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from chaos.errors import ProbeError
from chaos.local import LocalRegion
from chaos.memory import Memory
from chaos.probes import Probe, Reading
from chaos.sight import Phase
from fixtures import aws
from fixtures.environment import Environment

REQUIRED = frozenset({"queue"})
OPTIONAL: frozenset[str] = frozenset()

_HANDLE = "gameday-probe"
_LET_IN = {"ReceiptHandleIsInvalid", "InvalidParameterValue"}


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueProbe:
    """Asks the queue at `url` through `client`."""

    queue: str
    url: str
    client: Any
    slowest_s: float = 0.0
    memory: Memory = field(default_factory=Memory)

    def read(self) -> Reading:
        """The error is empty where the queue came to look at the handle."""
        error = self._error()
        return {"error": error, "seen": self.memory.take(broken=bool(error))}

    def refusal(self, reading: Reading) -> str:
        """Only a queue that lets its consumers in can be armed."""
        return f"{self.queue}: {reading['error']}" if reading["error"] else ""

    def compare(self, armed: Reading, reading: Reading) -> tuple[Phase, str]:
        """See the module."""
        if reading["error"]:
            return Phase.BROKEN, str(reading["error"])
        restored = reading["seen"] and not armed["seen"]
        return Phase.RESTORED if restored else Phase.ARMED, f"{self.queue} lets its consumers in"

    def _error(self) -> str:
        try:
            self.client.change_message_visibility(
                QueueUrl=self.url, ReceiptHandle=_HANDLE, VisibilityTimeout=0
            )
        except ClientError as error:
            code = str(error.response["Error"]["Code"])
            return "" if code in _LET_IN else code
        except BotoCoreError as error:
            return type(error).__name__
        return "the queue knew a message that does not exist"


def make(options: Mapping[str, Any], env: Environment, region: LocalRegion | None) -> Probe:  # noqa: ARG001
    """Build the probe.

    Raises:
        ProbeError: there is no such queue, or it may not be asked.
    """
    name = str(options["queue"])
    client = aws.client(env, "sqs")
    try:
        url = str(client.get_queue_url(QueueName=name)["QueueUrl"])
    except (BotoCoreError, ClientError) as error:
        raise ProbeError(f"the queue {name} cannot be probed: {error}") from error
    return QueueProbe(queue=name, url=url, client=client, slowest_s=0.0 if env.kind == "region" else 1.0)
