"""Durations that are known as [x, y] seconds, held against a limit."""

from collections.abc import Sequence

from slo.expression import Expression
from slo.finding import FAIL, INCONCLUSIVE, NO_DATA, PASS, Finding, margin, no_data, spoken

_WORST_FIRST = (FAIL, INCONCLUSIVE, NO_DATA, PASS)


def within(expr: Expression, pair: tuple[float, float], story: str, *, n: int) -> Finding:
    """Pass if all of the pair is within the limit, fail if none of it is, else inconclusive."""
    low, high = pair
    verdict = PASS if expr.holds(high) else INCONCLUSIVE if expr.holds(low) else FAIL
    return Finding(
        verdict=verdict,
        reason=f"{story}, asked for {expr.text}",
        unit="s",
        measured=low,
        measured_text=spoken(low, "s") if low == high else f"{spoken(low, 's')} to {spoken(high, 's')}",
        n=n,
        interval=pair,
        between=pair,
        margin=margin(expr, high),
    )


def censored(expr: Expression, least: float, story: str, *, n: int) -> Finding:
    """The record ended first: fail if what it vouches for is over the limit, else inconclusive."""
    return Finding(
        verdict=INCONCLUSIVE if expr.holds(least) else FAIL,
        reason=f"{story}, asked for {expr.text}",
        unit="s",
        measured=least,
        measured_text=f"> {spoken(least, 's')}",
        n=n,
        margin=margin(expr, least),
    )


def repeated(expr: Expression, findings: Sequence[Finding]) -> Finding:
    """One finding of all repeats of a fault: the worst one's, with the longest and the median time.

    A time that was cut off counts as what the record vouches for, so both are then at least that.
    """
    if not findings:
        return no_data(expr, "no fault belongs to this objective")
    if len(findings) == 1:
        return findings[0]
    worst = min(findings, key=lambda one: (_WORST_FIRST.index(one.verdict), -(one.measured or 0.0)))
    times = sorted(one.measured for one in findings if one.measured is not None)
    counts = ", ".join(
        f"{count} {verdict}"
        for verdict in _WORST_FIRST
        if (count := sum(one.verdict == verdict for one in findings))
    )
    story = f"{len(findings)} repeats ({counts})"
    if times:
        middle = (times[(len(times) - 1) // 2] + times[len(times) // 2]) / 2
        least = "at least " if any(one.measured_text.startswith(">") for one in findings) else ""
        story += f", {least}{spoken(times[-1], 's')} at the longest and {spoken(middle, 's')} in the median"
    return Finding(
        verdict=worst.verdict,
        reason=f"{story}; the worst: {worst.reason}",
        unit=worst.unit,
        measured=worst.measured,
        measured_text=worst.measured_text,
        n=sum(one.n or 0 for one in findings),
        interval=worst.interval,
        between=worst.between,
        margin=worst.margin,
    )
