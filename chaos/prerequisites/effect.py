"""The local region's side: it performs the actions."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator

from chaos.prerequisites import Asked, Finding

_EFFECTS = "fixtures.region.fis.effects"


def check(asked: Asked) -> Iterator[Finding]:
    """An action without its file would end `failed`."""
    if asked.env.kind != "region" or asked.experiment.drill:
        return
    for action in asked.experiment.actions:
        name = action.replace(":", "_").replace("-", "_")
        if importlib.util.find_spec(f"{_EFFECTS}.{name}") is None:
            yield asked.missing(
                f"the local region does not perform {action}", f"write fixtures/region/fis/effects/{name}.py"
            )
        else:
            yield asked.there(f"the local region performs {action}")
