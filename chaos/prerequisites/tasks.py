"""ECS: faults inside a task need an agent beside the application, and a definition that lets it at it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from chaos.prerequisites import Asked, Finding, matching

_NETWORK = "aws:ecs:task-network-"
_SHARED_PIDS = (_NETWORK, "aws:ecs:task-kill-process")
_AGENT = "amazon-ssm-agent"
_REMEDY = "see Use the aws:ecs:task actions in the FIS user guide"


def check(asked: Asked) -> Iterator[Finding]:
    """The services of the tasks that carry the tags, and their task definitions."""
    for action in asked.actions("aws:ecs:"):
        for target in asked.targets_of(action):
            yield from _service(asked, action, target)


def _service(asked: Asked, action: Mapping[str, Any], target: Mapping[str, Any]) -> Iterator[Finding]:
    parameters = target.get("parameters", {})
    service = parameters.get("service")
    inside = action["actionId"] != "aws:ecs:stop-task"
    if service:
        answer = asked.client("ecs").describe_services(cluster=parameters["cluster"], services=[service])
        for described in answer["services"]:
            yield _propagation(asked, described)
            if inside and described.get("enableExecuteCommand"):
                yield asked.missing(f"the service {service} has ECS Exec enabled", "disable it for the fault")
    if inside and asked.env.kind == "region":
        yield asked.needless("the local region's tasks need no SSM agent")
    elif inside:
        tasks = matching(asked, target) or ()
        for arn in sorted({str(task.description["taskDefinitionArn"]) for task in tasks}):
            yield _definition(asked, action, arn)


def _propagation(asked: Asked, described: Mapping[str, Any]) -> Finding:
    name, told = described["serviceName"], described.get("propagateTags", "NONE")
    if told in ("SERVICE", "TASK_DEFINITION"):
        return asked.there(f"tasks of the service {name} get tags: propagateTags is {told}")
    return asked.missing(
        f"tasks of the service {name} carry no tags: propagateTags is {told}", "set propagateTags to SERVICE"
    )


def _definition(asked: Asked, action: Mapping[str, Any], arn: str) -> Finding:
    found = asked.client("ecs").describe_task_definition(taskDefinition=arn)["taskDefinition"]
    name, wanted = arn.rsplit("/", 1)[-1], action["actionId"]
    images = [str(container.get("image", "")) for container in found["containerDefinitions"]]
    absent = [] if any(_AGENT in image for image in images) else [f"a container with {_AGENT}"]
    if wanted.startswith(_SHARED_PIDS) and found.get("pidMode") != "task":
        absent.append("pidMode task")
    if wanted.startswith(_NETWORK) and not found.get("enableFaultInjection"):
        absent.append("enableFaultInjection")
    if absent:
        return asked.missing(f"the task definition {name} lacks {', '.join(absent)} for {wanted}", _REMEDY)
    return asked.there(f"the task definition {name} lets {wanted} in")
