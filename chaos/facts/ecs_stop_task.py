"""After stopped tasks: as many run as the service wants."""

from __future__ import annotations

from chaos.facts import Context
from fixtures import aws


def problem(context: Context) -> str:
    """AWS: runningCount against desiredCount of each service. Local: the tasks probe sees the processes."""
    if context.region is not None:
        return ""
    client = aws.client(context.env, "ecs")
    for target in context.template.get("targets", {}).values():
        parameters = target.get("parameters", {})
        if "service" not in parameters:
            continue
        found = client.describe_services(cluster=parameters["cluster"], services=[parameters["service"]])
        for service in found["services"]:
            if service["runningCount"] < service["desiredCount"]:
                counts = f"{service['runningCount']} of {service['desiredCount']}"
                return f"{service['serviceName']} runs {counts} tasks"
    return ""
