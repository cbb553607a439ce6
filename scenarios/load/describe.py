"""``python -m scenarios.load.describe SYSTEM [--only TAG]``: what a scenario does, as JSON on stdout.

``{"system", "operations": {slug: {name, groups}}, "flows": {name: {weight, operations, tags}},
"mean_requests", "ledger_sets"}``; ``mean_requests`` is per flow in this mix. Exit 2 names what could have
been asked for.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from typing import Any

from scenarios.errors import ScenarioError
from scenarios.load import catalog
from scenarios.load.arrivals import mean_operations
from scenarios.load.operation import only


def describe(scenario: catalog.Scenario, wanted: tuple[str, ...]) -> dict[str, Any]:
    """The description of the flows that have one of the wanted names or tags (all, without any)."""
    flows = only(scenario.flows, wanted)
    used = {slug for flow in flows.values() for slug in flow.operations}
    return {
        "system": scenario.system,
        "operations": {
            slug: {"name": operation.name, "groups": list(operation.groups)}
            for slug, operation in scenario.operations.items()
            if slug in used
        },
        "flows": {
            name: {"weight": flow.weight, "operations": list(flow.operations), "tags": list(flow.tags)}
            for name, flow in flows.items()
        },
        "mean_requests": mean_operations(
            {name: flow.weight for name, flow in flows.items()},
            {name: flow.operations for name, flow in flows.items()},
        ),
        "ledger_sets": [each.name for each in scenario.user.ledger_sets],
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the description; the exit code."""
    parser = argparse.ArgumentParser(
        prog="scenarios.load.describe", description="What a scenario does, as JSON."
    )
    parser.add_argument("system")
    parser.add_argument(
        "--only", action="append", default=[], metavar="TAG", help="flows with this tag or name"
    )
    options = parser.parse_args(arguments)
    try:
        description = describe(catalog.load(options.system), tuple(options.only))
    except ScenarioError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(json.dumps(description, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
