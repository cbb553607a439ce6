"""Operations that are found while the load runs: what Locust calls a request's name, within bounds.

Every name keeps counters, histograms and a row of each report, so names must not grow with the traffic:
``GET /matters/{id}`` is one, ``GET /matters/17`` is one of a million.
"""

import hashlib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from scenarios.errors import UnboundedNamesError
from scenarios.load.operation import Operation

_LONGEST = 60


@dataclass(slots=True, kw_only=True)
class Names:
    """Maps a method and a name to an operation; ``found`` is told about each new one, once.

    ``known`` operations keep their slugs. The same name gets the same slug in every process.
    """

    found: Callable[[Operation], None]
    most: int
    _operations: dict[tuple[str, str], Operation] = field(default_factory=dict)

    def know(self, operations: Iterable[Operation]) -> None:
        """Operations that were declared beforehand; they are not reported as found."""
        for each in operations:
            self._operations[each.method, each.name.removeprefix(f"{each.method} ")] = each

    def operation(self, method: str, name: str) -> Operation:
        """The operation of this name; UnboundedNamesError for one more than ``most``."""
        operation = self._operations.get((method, name))
        if operation is not None:
            return operation
        if len(self._operations) >= self.most:
            raise UnboundedNamesError(
                f"{method} {name[:100]} would be operation {self.most + 1} of this load; give requests whose"
                ' URLs vary one name, e.g. self.client.get(f"/items/{id}", name="/items/{id}")'
            )
        operation = Operation(slug=slug(method, name), method=method, path=name)
        self._operations[method, name] = operation
        self.found(operation)
        return operation


def slug(method: str, name: str) -> str:
    """A name as ``[a-z0-9_]+``: readable, and told apart by a hash where spelling it so loses something."""
    whole = f"{method} {name}"
    spelt = re.sub(r"[^a-z0-9]+", "_", whole.lower()).strip("_")[:_LONGEST]
    verb, _, rest = spelt.partition("_")
    if f"{verb.upper()} /{rest.replace('_', '/')}" == whole:
        return spelt
    return f"{spelt}_{hashlib.sha256(whole.encode()).hexdigest()[:6]}"
