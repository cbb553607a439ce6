"""SSM documents: each that an experiment starts is there."""

from __future__ import annotations

from collections.abc import Iterator

from botocore.exceptions import ClientError

from chaos.prerequisites import Asked, Finding


def check(asked: Asked) -> Iterator[Finding]:
    """SSM's DescribeDocument."""
    for action in asked.actions("aws:ssm:start-automation-execution"):
        arn = action["parameters"]["documentArn"]
        name = arn.split("/", 1)[-1]
        try:
            found = asked.client("ssm").describe_document(Name=name)["Document"]
        except ClientError as error:
            if error.response["Error"]["Code"] not in ("InvalidDocument", "InvalidDocumentException"):
                raise
            yield asked.missing(f"the SSM document {arn} does not exist", f"deploy the document {name}")
            continue
        if found.get("DocumentType") != "Automation":
            kind = found.get("DocumentType")
            yield asked.missing(f"the SSM document {name} is of type {kind}", "deploy it as Automation")
        else:
            yield asked.there(f"the SSM document {name} is there")
