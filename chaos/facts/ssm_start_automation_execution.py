"""After an Automation document: no statement of its own is left in force in a policy.

One that has lapsed denies nothing any more: a document that was killed leaves it, and the next one takes it
out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from chaos.facts import Context
from fixtures import aws
from fixtures.environment import Environment

_OURS = "Gameday"


def problem(context: Context) -> str:
    """Each queue and domain that was acted on is asked for its policy."""
    now = datetime.now(UTC)
    for arn in context.arns:
        for statement in _statements(context.env, arn):
            sid, until = str(statement.get("Sid", "")), _end(statement)
            if sid.startswith(_OURS) and (until is None or until > now):
                return f"the policy of {arn} still holds our statement {sid}, until {until or 'for ever'}"
    return ""


def _statements(env: Environment, arn: str) -> list[Mapping[str, Any]]:
    name = arn.split(":")[5].rpartition("/")[2]
    if arn.startswith("arn:aws:sqs:"):
        sqs = aws.client(env, "sqs")
        url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
        found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])
        text = found.get("Attributes", {}).get("Policy")
    elif arn.startswith("arn:aws:es:"):
        found = aws.client(env, "opensearch").describe_domain(DomainName=name)
        text = found["DomainStatus"].get("AccessPolicies")
    else:
        return []
    listed = json.loads(text or "{}").get("Statement", [])
    return [listed] if isinstance(listed, dict) else list(listed)


def _end(statement: Mapping[str, Any]) -> datetime | None:
    """When it lapses by itself."""
    text = statement.get("Condition", {}).get("DateLessThan", {}).get("aws:CurrentTime")
    return datetime.fromisoformat(text) if text else None
