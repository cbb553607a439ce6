"""What judging one objective found, and how numbers are said."""

from dataclasses import dataclass, replace

from slo.baseline import Standing
from slo.expression import Expression
from slo.statistics import BLOCK_S, LEAST_BLOCKS, Proportion, least_samples, proportion, seconds_needed

PASS, FAIL, INCONCLUSIVE, NO_DATA, INVALID = "pass", "fail", "inconclusive", "no-data", "invalid"
NOT_APPLICABLE = "not-applicable"
MEASURED = "measured"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A verdict with its evidence; fields that make no sense for a kind stay None.

    `measured` is in `unit` ("s", "ratio", "1/s", "count"); `interval` holds the one-sided 95% bounds of
    what was tested, `between` those of `measured` in its own unit; `margin` is the distance to the limit as
    a fraction of it, negative when missed. `baseline` is where the value stands beside earlier nights.
    """

    verdict: str
    reason: str
    unit: str
    measured: float | None = None
    measured_text: str = ""
    k: int | None = None
    n: int | None = None
    n_eff: float | None = None
    deff: float | None = None
    interval: tuple[float, float] | None = None
    budget: float | None = None
    margin: float | None = None
    minutes_needed: float | None = None
    blocks: int | None = None
    between: tuple[float, float] | None = None
    baseline: Standing | None = None

    def capped(self, reason: str) -> "Finding":
        """The same, but no longer a pass."""
        if self.verdict != PASS:
            return self
        return replace(self, verdict=INCONCLUSIVE, reason=f"{reason}; {self.reason}")


def no_data(expr: Expression, reason: str) -> Finding:
    """Nothing to judge."""
    return Finding(verdict=NO_DATA, reason=reason, unit=expr.unit)


def against_budget(
    *, k: int, n: int, deff: float, blocks: int, budget: float, seconds: float, least: int, expr: Expression
) -> Finding:
    """Judge k bad of n arrivals against a budget: the one test of percentiles, rates and shares."""
    if n == 0:
        return no_data(expr, "no arrivals in this phase")
    tested = proportion(k, n, deff)
    verdict, reason, needed = _decide(tested, budget, blocks, seconds, least)
    return Finding(
        verdict=verdict,
        reason=reason,
        unit=expr.unit,
        k=k,
        n=n,
        n_eff=tested.n_eff,
        deff=deff,
        interval=(tested.lower, tested.upper),
        budget=budget,
        margin=(budget - k / n) / budget,
        minutes_needed=None if needed is None else needed / 60,
        blocks=blocks,
        between=(tested.lower, tested.upper) if expr.below else (1 - tested.upper, 1 - tested.lower),
    )


def _decide(
    tested: Proportion, budget: float, blocks: int, seconds: float, least: int
) -> tuple[str, str, float | None]:
    share = f"{tested.k} bad of {tested.n} ({spoken(tested.k / tested.n, 'ratio')})"
    limit = f"budget {spoken(budget, 'ratio')}"
    if tested.lower > budget:
        return FAIL, f"{share}, surely above the {limit}: at least {spoken(tested.lower, 'ratio')}", 0.0
    for_blocks = max(LEAST_BLOCKS - blocks, 0) * BLOCK_S
    for_least = seconds * (least / tested.n - 1) if tested.n < least else 0.0
    if tested.upper < budget:
        needed = max(for_blocks, for_least)
        if tested.n < least:
            return INCONCLUSIVE, f"{share}; only {tested.n} of the {least} arrivals it asks for", needed
        if for_blocks:
            return INCONCLUSIVE, f"{share}; only {blocks} blocks of 10 s, {LEAST_BLOCKS} are needed", needed
        return PASS, f"{share}, surely below the {limit}: at most {spoken(tested.upper, 'ratio')}", 0.0
    more = seconds_needed(tested.k, tested.n, tested.deff, budget, seconds)
    bounds = f"between {spoken(tested.lower, 'ratio')} and {spoken(tested.upper, 'ratio')}, {limit}"
    if tested.k == 0:
        bounds += f"; without a bad one {least_samples(budget)} independent arrivals are needed"
    longer = None if more is None else max(more, for_blocks, for_least)
    return INCONCLUSIVE, f"{share}: {bounds}, {tested.n_eff:.0f} independent arrivals' worth", longer


def compare(expr: Expression, measured: float, reason: str, *, n: int, blocks: int | None = None) -> Finding:
    """A value that is what it is (a maximum, a count) against its limit."""
    return Finding(
        verdict=PASS if expr.holds(measured) else FAIL,
        reason=f"{reason}, asked for {expr.text}",
        unit=expr.unit,
        measured=measured,
        measured_text=spoken(measured, expr.unit),
        n=n,
        margin=margin(expr, measured),
        blocks=blocks,
    )


def margin(expr: Expression, measured: float) -> float | None:
    """Distance to the limit as a fraction of it; None for a limit of zero."""
    if expr.limit == 0:
        return None
    distance = (expr.limit - measured) / expr.limit
    return distance if expr.below else -distance


def spoken(value: float, unit: str) -> str:
    """A number with its unit, three digits: `2.1 ms`, `0.03%`, `104/s`, `17`."""
    if unit == "s":
        return _time(value)
    if unit == "ratio":
        return f"{value * 100:.4g}%" if value > 0.99 else f"{value * 100:.3g}%"
    if unit == "1/s":
        return f"{value:.4g}/s" if value >= 1 else f"{value * 3600:.4g}/h"
    return f"{value:.0f}" if float(value).is_integer() else f"{value:.4g}"


def _time(seconds: float) -> str:
    if abs(seconds) < 1:
        return f"{seconds * 1000:.3g} ms"
    if abs(seconds) < 120:
        return f"{seconds:.3g} s"
    return f"{seconds / 60:.3g} min"
