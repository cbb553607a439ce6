"""Kinds of service-level indicators: what a file of `slo/sli/` declares, and how the kinds are found.

A kind is a module with a `SHAPE` and a function `judge(objective, scope) -> Finding`. The directory is the
list.
"""

import importlib
import pkgutil
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Protocol, cast

import slo.sli

if TYPE_CHECKING:
    from slo.finding import Finding
    from slo.objective import Objective
    from slo.scope import Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What an objective of this kind may say.

    `forms` are pairs (metric, unit) of expressions; `phases` the phases it can be judged in; `needs` and
    `takes` the keys of its own that must or may stand in the table. `integrity`: its failure stands
    whatever else happened. `aftermath`: in phase fault it looks at the time after the fault as well. `load`:
    a generator that was the bottleneck voids it. `side`: "below" if only small values are good, "above" if
    only great ones. `share`: a ratio is a share of arrivals.
    """

    forms: tuple[tuple[str, str], ...]
    phases: tuple[str, ...] = ("steady", "fault", "recovered", "all")
    operations: bool = True
    needs: frozenset[str] = frozenset()
    takes: frozenset[str] = frozenset()
    integrity: bool = False
    load: bool = True
    aftermath: bool = False
    side: str = ""
    share: bool = False


BOOKS = Shape(  # what counts writes in the ledger, whatever became of the load
    forms=(("count", "count"),),
    phases=("fault", "all"),
    operations=False,
    needs=frozenset({"sets"}),
    load=False,
    aftermath=True,
    side="below",
)
PROMISED = replace(BOOKS, integrity=True)
ANSWERS = Shape(  # what counts answers of a class that must not be
    forms=(("count", "count"),), integrity=True, load=False, side="below"
)


class Kind(Protocol):
    """A module in `slo/sli/`."""

    SHAPE: Shape

    def judge(self, objective: "Objective", scope: "Scope") -> "Finding":
        """Judge one objective in one scope; raising is allowed and becomes no-data."""
        ...


@cache
def kinds() -> dict[str, Kind]:
    """Every kind by the name of its file."""
    names = sorted(module.name for module in pkgutil.iter_modules(slo.sli.__path__))
    return {name: cast("Kind", importlib.import_module(f"slo.sli.{name}")) for name in names}
