"""The tags of resolved targets, read from the service that owns them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from chaos.errors import GuardError
from chaos.fis import Target
from fixtures import aws
from fixtures.environment import Environment

Tags = Mapping[str, str]


def tags(env: Environment, target: Target) -> Tags:
    """The tags a target carries now.

    Raises:
        GuardError: its service does not tell; what cannot be checked is not broken.
    """
    try:
        if target.type == "aws:ecs:task":
            return _ecs(aws.client(env, "ecs"), target.arn)
        if target.type.startswith("aws:rds:"):
            found = aws.client(env, "rds").list_tags_for_resource(ResourceName=target.arn)
            return _plain(found["TagList"])
        if target.type == "aws:sqs:queue":
            return _queue(aws.client(env, "sqs"), target.arn)
        if target.type == "aws:opensearch:domain":
            return _plain(aws.client(env, "opensearch").list_tags(ARN=target.arn)["TagList"])
        if target.type == "aws:ssm:document":
            asked = {"ResourceType": "Document", "ResourceId": target.arn.rsplit("/", 1)[-1]}
            return _plain(aws.client(env, "ssm").list_tags_for_resource(**asked)["TagList"])
        client = aws.client(env, "resourcegroupstaggingapi")
        mappings = client.get_resources(ResourceARNList=[target.arn])["ResourceTagMappingList"]
        return _plain(tag for mapping in mappings for tag in mapping["Tags"])
    except (BotoCoreError, ClientError) as error:
        raise GuardError(f"the tags of {target.arn} cannot be read: {error}; nothing was broken") from error


def _ecs(client: Any, arn: str) -> Tags:
    cluster = arn.split(":task/", 1)[-1].split("/", 1)[0]
    tasks = client.describe_tasks(cluster=cluster, tasks=[arn], include=["TAGS"])["tasks"]
    return _plain(tag for task in tasks for tag in task.get("tags", []))


def _queue(client: Any, arn: str) -> Tags:
    url = client.get_queue_url(QueueName=arn.rsplit(":", 1)[-1])["QueueUrl"]
    found: Tags = client.list_queue_tags(QueueUrl=url).get("Tags", {})
    return found


def _plain(pairs: Iterable[Mapping[str, str]]) -> Tags:
    return {pair.get("Key", pair.get("key", "")): pair.get("Value", pair.get("value", "")) for pair in pairs}
