"""Facts: what must hold, beside the probe, before a fault of one FIS action counts as gone.

One file per action, named after it (`aws:rds:failover-db-cluster` -> `rds_failover_db_cluster.py`), with
`problem(context) -> str`: what is still amiss, empty when nothing is. An action without a file has no further
facts.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from chaos.errors import ControlError
from chaos.local import LocalRegion
from fixtures.environment import Environment


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """Where a fault was: the environment, its region if it is a local one, the template and the ARNs hit."""

    env: Environment
    region: LocalRegion | None
    template: Mapping[str, Any]
    arns: tuple[str, ...]


def names() -> list[str]:
    """The actions that have facts: this folder's files."""
    return sorted(path.stem for path in Path(__file__).parent.glob("[a-z]*.py"))


def problem(actions: Iterable[str], context: Context) -> str:
    """What is still amiss after faults of these actions, in words; empty when every fact holds."""
    for action in sorted(set(actions)):
        name = action.removeprefix("aws:").replace(":", "_").replace("-", "_")
        if name in names():
            check: Callable[[Context], str] = importlib.import_module(f"chaos.facts.{name}").problem
            try:
                said = check(context)
            except (ControlError, BotoCoreError, ClientError) as error:
                said = f"cannot be told: {error}"
            if said:
                return f"{action}: {said}"
    return ""
