"""What was measured, beside its target: medians over repeats, ratios, and whether the target holds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Literal

OURS = "gameday"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A bound on a figure's judged value, in the figure's ``judged_unit``."""

    sense: Literal["at least", "at most"]
    limit: float

    def holds(self, value: float) -> bool:
        """Whether this value keeps the bound; NaN never does."""
        return value >= self.limit if self.sense == "at least" else value <= self.limit

    def __str__(self) -> str:
        return f"{'>=' if self.sense == 'at least' else '<='} {number(self.limit)}"


def at_least(limit: float) -> Target:
    """The judged value must reach ``limit``."""
    return Target(sense="at least", limit=limit)


def at_most(limit: float) -> Target:
    """The judged value must not exceed ``limit``."""
    return Target(sense="at most", limit=limit)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One row: ``measured`` holds every repeat in ``unit`` per tool (ours under OURS), in the order they ran.

    ``judged`` are the repeats of the value that is compared with ``target`` (a ratio or a difference, say),
    in ``judged_unit``; without any, our own repeats in ``unit`` are. A figure without a target is shown only.
    """

    section: str
    name: str
    unit: str
    measured: Mapping[str, Sequence[float]]
    judged: Sequence[float] = ()
    judged_unit: str = ""
    target: Target | None = None
    note: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def value(self) -> float:
        """The median of what is judged; NaN when nothing was measured."""
        return middle(self.judged or self.measured.get(OURS, ()))

    @property
    def holds(self) -> bool | None:
        """Whether the target holds; None without a target."""
        return None if self.target is None else self.target.holds(self.value)

    def to_json(self) -> dict[str, Any]:
        """The figure as results.json keeps it."""
        return {
            "section": self.section,
            "figure": self.name,
            "measured": {tool: summary(values, self.unit) for tool, values in self.measured.items()},
            "judged": summary(self.judged or self.measured.get(OURS, ()), self.judged_unit or self.unit),
            "target": str(self.target) if self.target else None,
            "holds": self.holds,
            "note": self.note,
            **self.extra,
        }


def middle(values: Sequence[float]) -> float:
    """The median; NaN for nothing."""
    return median(values) if values else math.nan


def summary(values: Sequence[float], unit: str) -> dict[str, Any]:
    """Median, extremes and every repeat; None where nothing was measured (JSON knows no NaN)."""
    kept = [None if math.isnan(value) else round(value, 6) for value in values]
    known = [value for value in kept if value is not None]
    return {
        "unit": unit,
        "median": median(known) if known else None,
        "min": min(known, default=None),
        "max": max(known, default=None),
        "repeats": kept,
    }


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    """``ours / theirs`` round by round: both of a round ran one after the other, so drift cancels."""
    return [a / b if b else math.nan for a, b in zip(ours, theirs, strict=True)]


def gaps(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    """``|ours - theirs|`` round by round."""
    return [abs(a - b) for a, b in zip(ours, theirs, strict=True)]


def number(value: float) -> str:
    """Three significant digits without an exponent; "-" for what was not measured."""
    if math.isnan(value):
        return "-"
    digits = 0 if value == 0 else max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:,.{min(digits, 4)}f}"
