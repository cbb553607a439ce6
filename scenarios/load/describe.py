"""``python -m scenarios.load.describe SYSTEM [--only TAG] [--load JSON]``: what a scenario does, as JSON.

``{"system", "operations": {slug: {name, groups}}, "flows": {name: {weight, operations, tags}},
"mean_requests", "ledger_sets"}``; ``mean_requests`` is per flow in this mix. ``--load`` is a manifest's
``load`` with a ``request`` or a ``replay``, which stand for a system's scenario. Exit 2 names what could
have been asked for.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from scenarios.errors import ManifestError, ScenarioError
from scenarios.load import catalog
from scenarios.load import plan as plans
from scenarios.load.arrivals import mean_operations
from scenarios.load.operation import only


def describe(scenario: catalog.Scenario, wanted: tuple[str, ...]) -> dict[str, Any]:
    """The description of the flows that have one of the wanted names or tags (all, without any).

    Operations that no flow makes nominally (pushed messages, say) belong to every choice of flows, and so do
    ledger sets that no flow says it writes to.
    """
    flows = only(scenario.flows, wanted)
    unused = {slug for flow in scenario.flows.values() for slug in flow.operations}
    unused -= {slug for flow in flows.values() for slug in flow.operations}
    unwritten = {name for flow in scenario.flows.values() for name in flow.writes}
    unwritten -= {name for flow in flows.values() for name in flow.writes}
    return {
        "system": scenario.system,
        "operations": {
            slug: {"name": operation.name, "groups": list(operation.groups)}
            for slug, operation in scenario.operations.items()
            if slug not in unused
        },
        "flows": {
            name: {"weight": flow.weight, "operations": list(flow.operations), "tags": list(flow.tags)}
            for name, flow in flows.items()
        },
        "mean_requests": mean_operations(
            {name: flow.weight for name, flow in flows.items()},
            {name: flow.operations for name, flow in flows.items()},
        ),
        "ledger_sets": [each.name for each in scenario.user.ledger_sets if each.name not in unwritten],
    }


def _scenario(system: str, load: str | None) -> catalog.Scenario:
    if load is None:
        return catalog.load(system)
    try:
        said = json.loads(load)
    except ValueError as error:
        raise ManifestError(f"--load is not JSON: {error}; expected a manifest's load") from error
    manifest = {
        "run_id": "described",
        "system": system,
        "environment": {"urls": {"api": "http://127.0.0.1"}},
        "phases": [{"name": "steady", "for_s": 1}],
        "allow_hosts": [],
        "load": {"rate": 1, "max_in_flight": 1, **said},
    }
    return catalog.scenario_of(plans.from_manifest(manifest, path=Path("--load")))


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the description; the exit code."""
    parser = argparse.ArgumentParser(
        prog="scenarios.load.describe", description="What a scenario does, as JSON."
    )
    parser.add_argument("system")
    parser.add_argument(
        "--only", action="append", default=[], metavar="TAG", help="flows with this tag or name"
    )
    parser.add_argument("--load", metavar="JSON", help="a manifest's load, with a request or a replay")
    options = parser.parse_args(arguments)
    try:
        description = describe(_scenario(options.system, options.load), tuple(options.only))
    except ScenarioError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(json.dumps(description, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
