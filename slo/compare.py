"""Two runs side by side: what differs beyond doubt, and what only looks as if it did.

The interval of a difference is put together from the intervals of the two values (MOVER: Zou and Donner,
Construction of confidence intervals about effect measures, Statistics in Medicine 27, 2008): it needs no
assumption about their distribution. One-sided 95% bounds on both sides make it a 90% interval.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import hypot

from slo import fingerprint
from slo.expression import parse
from slo.finding import INVALID, spoken
from slo.manifest import Manifest
from slo.verdict import Verdict, Verdicts

BETTER, WORSE, SAME, UNKNOWN = "better", "worse", "no-difference-shown", "unknown"
Interval = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A value with its bounds, all in the objective's unit."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One objective in both runs. `difference` is after - before; `relative` is a share of before."""

    name: str
    expr: str
    unit: str
    verdict: str
    reason: str
    before: float | None = None
    after: float | None = None
    difference: float | None = None
    interval: Interval | None = None
    relative: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """All objectives of either run; `obstacles` say why the runs are not comparable as wholes."""

    before: str
    after: str
    obstacles: tuple[str, ...]
    changes: tuple[Change, ...]

    @property
    def exit(self) -> int:
        """1 when something is worse beyond doubt, 3 when nothing can be said, else 0."""
        if self.obstacles or not any(one.verdict != UNKNOWN for one in self.changes):
            return 3
        return 1 if any(one.verdict == WORSE for one in self.changes) else 0


def compare(before: tuple[Manifest, Verdicts], after: tuple[Manifest, Verdicts]) -> Comparison:
    """Set two judged runs side by side."""
    old, new = before[1], after[1]
    return Comparison(
        before=old.run_id,
        after=new.run_id,
        obstacles=tuple(_obstacles(before, after)),
        changes=tuple(_changes(old, new)),
    )


def difference(before: Estimate, after: Estimate) -> Interval:
    """The interval of after - before."""
    middle = after.value - before.value
    low = middle - hypot(after.value - after.low, before.high - before.value)
    high = middle + hypot(after.high - after.value, before.value - before.low)
    return low, high


def _obstacles(before: tuple[Manifest, Verdicts], after: tuple[Manifest, Verdicts]) -> Iterator[str]:
    yield from fingerprint.differences(before[0], after[0])
    for _, verdicts in (before, after):
        if verdicts.state != "complete":
            yield f"{verdicts.run_id} was cut short"
        if verdicts.verdict == INVALID:
            yield f"{verdicts.run_id} is invalid: {verdicts.reason}"


def _changes(before: Verdicts, after: Verdicts) -> Iterator[Change]:
    old = {one.name: one for one in before.objectives}
    new = {one.name: one for one in after.objectives}
    for name in dict.fromkeys((*old, *new)):
        if name not in old or name not in new:
            only = (old.get(name) or new[name], before if name in old else after)
            yield _unknown(only[0], f"judged in {only[1].run_id} only")
        elif old[name].expr != new[name].expr:
            yield _unknown(new[name], f"asked for {new[name].expr}, was {old[name].expr}")
        else:
            yield _change(old[name], new[name])


def _change(old: Verdict, new: Verdict) -> Change:
    first, second = estimate(old), estimate(new)
    if first is None or second is None:
        missing = " and ".join(where for where, one in (("before", first), ("after", second)) if one is None)
        return _unknown(new, f"no value with bounds {missing}")
    low, high = difference(first, second)
    middle = second.value - first.value
    rising_is_worse = parse(new.expr).below
    beyond = WORSE if (low > 0) == rising_is_worse else BETTER
    return Change(
        name=new.name,
        expr=new.expr,
        unit=new.unit,
        verdict=beyond if low > 0 or high < 0 else SAME,
        reason=f"{_signed(middle, new.unit)}, between {_signed(low, new.unit)} and {_signed(high, new.unit)}",
        before=first.value,
        after=second.value,
        difference=middle,
        interval=(low, high),
        relative=middle / first.value if first.value else None,
    )


def estimate(verdict: Verdict) -> Estimate | None:
    """The measured value with its bounds; None where a run gives none."""
    if verdict.verdict == INVALID or verdict.measured is None or verdict.between is None:
        return None
    low, high = verdict.between
    return Estimate(value=verdict.measured, low=low, high=high)


def _unknown(verdict: Verdict, reason: str) -> Change:
    return Change(name=verdict.name, expr=verdict.expr, unit=verdict.unit, verdict=UNKNOWN, reason=reason)


def _signed(value: float, unit: str) -> str:
    return f"{'-' if value < 0 else '+'}{spoken(abs(value), unit)}"
