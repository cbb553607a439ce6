"""Lambda: FIS's extension is attached and knows the bucket through which FIS talks to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from chaos.prerequisites import Asked, Finding

LAYER = "aws-fis-extension"
LOCATION = "AWS_FIS_CONFIGURATION_LOCATION"
WRAPPER = ("AWS_LAMBDA_EXEC_WRAPPER", "/opt/aws-fis/bootstrap")
_REMEDY = "see Use the aws:lambda:function actions in the FIS user guide; it takes effect within 60 s"


def check(asked: Asked) -> Iterator[Finding]:
    """Each function that carries the tags: its layers, its two variables, and the bucket they name."""
    for action in asked.actions("aws:lambda:"):
        if asked.env.kind == "region":
            yield asked.needless("the local region's functions need no FIS extension")
            continue
        for target in asked.targets_of(action):
            for described in _tagged(asked, target.get("resourceTags", {})):
                yield from _function(asked, described)


def _tagged(asked: Asked, wanted: Mapping[str, str]) -> Iterator[Mapping[str, Any]]:
    client = asked.client("lambda")
    for page in client.get_paginator("list_functions").paginate():
        for described in page["Functions"]:
            tags = client.list_tags(Resource=described["FunctionArn"])["Tags"]
            if wanted.items() <= tags.items():
                yield described


def _function(asked: Asked, described: Mapping[str, Any]) -> Iterator[Finding]:
    name = described["FunctionName"]
    variables = described.get("Environment", {}).get("Variables", {})
    layers = [layer["Arn"] for layer in described.get("Layers", [])]
    absent = [] if any(LAYER in arn for arn in layers) else [f"the layer {LAYER}"]
    absent += [] if LOCATION in variables else [f"the variable {LOCATION}"]
    absent += [] if variables.get(WRAPPER[0]) == WRAPPER[1] else [f"the variable {'='.join(WRAPPER)}"]
    if absent:
        yield asked.missing(f"the function {name} lacks {', '.join(absent)}", _REMEDY)
    else:
        yield asked.there(f"the function {name} has the FIS extension")
    if LOCATION in variables:
        bucket = variables[LOCATION].split(":::", 1)[-1].split("/", 1)[0]
        asked.client("s3").head_bucket(Bucket=bucket)
        yield asked.there(f"the bucket {bucket} of the function {name} is there")
