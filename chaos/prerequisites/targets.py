"""The targets: each resolves to something that its owner has opted in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from chaos.prerequisites import Asked, Finding, matching


def check(asked: Asked) -> Iterator[Finding]:
    """Listed by the service that owns them: FIS's own preview would write to the account."""
    for name, target in asked.template.get("targets", {}).items():
        found = matching(asked, target)
        tags = ", ".join(f"{key}={value}" for key, value in target.get("resourceTags", {}).items())
        what = f"target {name!r}: {target['resourceType']} with {tags}{_where(target)}"
        if found is None and asked.env.kind == "region":
            yield asked.missing(f"{what}: this region has no such resources", "run this experiment on AWS")
        elif found is None:
            yield from _tagged(asked, target, what)
        elif found:
            yield asked.there(f"{what}: {len(found)}, {found[0].arn}{' ...' if found[1:] else ''}")
        else:
            yield asked.missing(f"{what}: none", "tag the resources that may be broken, or start them")


def _where(target: Mapping[str, Any]) -> str:
    return "".join(f", {key} {value}" for key, value in target.get("parameters", {}).items())


def _tagged(asked: Asked, target: Mapping[str, Any], what: str) -> Iterator[Finding]:
    filters = [{"Key": key, "Values": [value]} for key, value in target.get("resourceTags", {}).items()]
    kind = target["resourceType"].removeprefix("aws:")
    pages = asked.client("resourcegroupstaggingapi").get_paginator("get_resources")
    found = [
        item["ResourceARN"]
        for page in pages.paginate(TagFilters=filters, ResourceTypeFilters=[kind])
        for item in page["ResourceTagMappingList"]
    ]
    if found:
        yield asked.there(f"{what}: {len(found)}, {found[0]}{' ...' if found[1:] else ''}")
    else:
        yield asked.missing(f"{what}: none", "tag the resources that may be broken")
