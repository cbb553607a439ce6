"""The charts of the timelines, one file each.

A panel is a module with PLACE, its rank from the top, and `draw(scene) -> Chart`. Adding a file adds a chart.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import Protocol, cast

from reports.panel import Chart, Scene


class Panel(Protocol):
    """What a file in this folder provides."""

    PLACE: int

    def draw(self, scene: Scene) -> Chart:
        """The chart; empty, with a sentence, when there is nothing to draw."""


def every() -> list[tuple[str, Panel]]:
    """Name and panel of every file, from the top down."""
    names = [module.name for module in pkgutil.iter_modules(__path__)]
    found = [(name, cast("Panel", importlib.import_module(f"{__name__}.{name}"))) for name in names]
    return sorted(found, key=lambda item: item[1].PLACE)
