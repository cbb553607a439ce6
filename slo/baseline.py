"""Whether tonight's value is out of line with what the last comparable nights measured.

The median of the last ten comparable passes is the baseline; a value is out of line when it is worse by more
than a tenth of it and by more than four times their scatter (1.4826 x MAD estimates a normal standard
deviation: Rousseeuw and Croux, Alternatives to the median absolute deviation, JASA 88, 1993). Fewer than five
such nights are no baseline, and no baseline is not a pass.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

NIGHTS, LEAST_NIGHTS = 10, 5
SHARE = 0.1
SCATTERS = 4 * 1.4826

NO_BASELINE, IN_LINE, OUT_OF_LINE = "no-baseline", "in-line", "out-of-line"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a value stands; `limit` is the value beyond which it would be out of line, in its own unit."""

    state: str
    nights: int
    median: float | None = None
    scatter: float | None = None
    limit: float | None = None


def stand(value: float, earlier: Sequence[float], *, below: bool) -> Standing:
    """Set a value beside earlier ones, the latest last; `below`: less is better."""
    kept = list(earlier[-NIGHTS:])
    if len(kept) < LEAST_NIGHTS:
        return Standing(state=NO_BASELINE, nights=len(kept))
    middle = median(kept)
    scatter = median(abs(one - middle) for one in kept)
    reach = max(SHARE * abs(middle), SCATTERS * scatter)
    limit = middle + reach if below else middle - reach
    worse = value > limit if below else value < limit
    return Standing(
        state=OUT_OF_LINE if worse else IN_LINE,
        nights=len(kept),
        median=middle,
        scatter=scatter,
        limit=limit,
    )
