"""What a scenario declares: operations, flows, and sets of writes that are read back.

Nothing here sends anything or imports Locust.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from scenarios.errors import UnknownFlowError

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
Method = TypeVar("Method", bound=Callable[..., None])


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One kind of request: ``path`` is a template, so names stay bounded whatever ids the traffic uses.

    ``slug`` ([a-z0-9_]+) keys every file of the run; ``expect`` lists the statuses of a good answer.
    """

    slug: str
    method: str
    path: str
    groups: tuple[str, ...] = ()
    expect: tuple[int, ...] = (200,)
    note: str = ""

    @property
    def name(self) -> str:
        """Method and template, as reports print it; ``note`` tells two uses of one route apart."""
        return f"{self.method} {self.path}" + (f" ({self.note})" if self.note else "")


def operation(
    slug: str, route: str, *groups: str, expect: tuple[int, ...] = (200,), note: str = ""
) -> Operation:
    """An operation from its route, e.g. ``operation("matter", "GET /api/matters/{id}", "api", "read")``."""
    method, path = route.split(" ", 1)
    return Operation(slug=slug, method=method, path=path, groups=groups, expect=expect, note=note)


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """One kind of arrival: ``operations`` are the slugs it nominally makes, in order, repeats included.

    ``writes`` names the ledger sets it writes to.
    """

    name: str
    weight: int
    operations: tuple[str, ...]
    tags: tuple[str, ...]
    writes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerSet:
    """A set of writes that is read back after the load.

    ``once``: the system promises each at most one effect. ``finishes``: accepted writes are jobs that
    complete later; one with a state in ``ended`` is over although it did not complete. ``keys``: the
    audit's page about what the writes overwrite. ``eventual``: accepted writes may show late.
    """

    name: str
    once: bool = True
    finishes: bool = False
    ended: tuple[str, ...] = ()
    keys: str = ""
    eventual: bool = False


def flow(
    *,
    weight: int,
    operations: tuple[Operation, ...],
    tags: tuple[str, ...] = (),
    writes: tuple[str, ...] = (),
) -> Callable[[Method], Method]:
    """Declare a method as a flow; its name and tags are Locust tags, its weight Locust's task weight."""

    def declare(method: Method) -> Method:
        declared: Any = method
        declared.flow = Flow(
            name=method.__name__,
            weight=weight,
            operations=tuple(o.slug for o in operations),
            tags=tags,
            writes=writes,
        )
        declared.locust_task_weight = weight
        declared.locust_tag_set = {method.__name__, *tags}
        return method

    return declare


def flows_of(scenario: type) -> dict[str, Flow]:
    """The flows a scenario class declares, by name, in the order of the file."""
    found = {}
    for parent in reversed(scenario.__mro__):
        for name, member in vars(parent).items():
            if isinstance(getattr(member, "flow", None), Flow):
                found[name] = member.flow
    return found


def only(flows: dict[str, Flow], wanted: tuple[str, ...]) -> dict[str, Flow]:
    """The flows with one of these names or tags (all, without any); UnknownFlowError lists them."""
    possible = {flow.name for flow in flows.values()} | {tag for flow in flows.values() for tag in flow.tags}
    for name in wanted:
        if name not in possible:
            raise UnknownFlowError(
                f"no flow is named or tagged {name!r}; choose from {', '.join(sorted(possible))}"
            )
    if not wanted:
        return dict(flows)
    return {name: flow for name, flow in flows.items() if {name, *flow.tags} & set(wanted)}
