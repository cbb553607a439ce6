"""Recovery from a fault as users saw it: when trouble began, when it was over, and how sure that is.

t0 and t_end are the first and the last sight that the fault's probe had of it. In windows of 5 s from t0 on:

t1  begins the first of two consecutive windows that are surely above the budget (lower bound, alpha split
    over the windows examined, design effect of the steady phase) or in which nothing was completed at all,
    though something was planned or, in a closed model, usual
t2  is the smallest second from t1 on at which the aggregate over the next 60 s and over the next 5 s is
    within the budget, and at least 95% of the planned arrivals were completed

No such t1 means no impact, but only where the record goes on for another 60 s after the fault: in a run that
was cut short the window that would have shown it may be the one that is missing. Neither is it where windows
in a row are bad, and surely so if arrivals were independent: they are too few, or stick together too much.

Trouble may end and come back while the fault is still there: after its removal, recovery is what follows the
last of it that began before.

Both windows shrink with a declared time scale and with nothing else. Because t2 is read off a grid of
windows, every duration x is reported as [x - 1 s, x + 5 s]: counters know whole seconds, and the one in which
the system came back is still a bad one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from math import floor

import numpy as np
from numpy.typing import NDArray

from slo import statistics

HOLD_S = 60.0
LEAD_S = 5.0
GRAIN_S = 1.0
ATTAINMENT = 0.95
LEAST_ARRIVALS = 30
MANY_ARRIVALS = 20

RECOVERED, NO_IMPACT, CENSORED, NOT_OBSERVED = "recovered", "no-impact", "censored", "fault-not-observed"
UNSURE = "unsure"

Series = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """Arrivals per second from epoch second `start` on, of the operations that the fault may touch.

    `usual` is how many a second the steady phase had, where users who wait send none; otherwise it is 0.
    After the first `settled` seconds answers may still be waited for; None if all have come.
    """

    start: int
    valid: Series
    bad: Series
    ok: Series
    planned: Series
    usual: float = 0.0
    settled: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """What a fault did to one group of operations. Times are epoch seconds, pairs are [x - 1 s, x + 5 s].

    `arrivals` came while the fault was seen (two windows at least), `bad` of them got no good answer.
    When `state` is censored, the lower end of a pair is what the record can vouch for and the upper end
    means nothing; `after_removal` has no upper end where only that clock ran on. `budget_share` is what the
    fault took of the 30-day budget at the usual traffic. `repeats` holds all repeats of a fault that was
    repeated; the rest is then that of the worst one.
    """

    experiment: str
    state: str
    operations: tuple[str, ...] = ()
    t0: float | None = None
    t_end: float | None = None
    t1: float | None = None
    t2: float | None = None
    absorption: tuple[float, float] | None = None
    after_removal: tuple[float, float | None] | None = None
    relapses: tuple[float, ...] = ()
    arrivals: int = 0
    bad: int = 0
    budget_share: float | None = None
    api_start: float | None = None
    repeats: tuple["Recovery", ...] = ()


def analyse(
    traffic: Traffic,
    *,
    t0: float,
    t_end: float | None,
    horizon: float,
    budget: float,
    deff: float,
    scale: float = 1.0,
) -> Recovery:
    """Find t1 and t2 in [t0, horizon). What belongs to the experiment is left to the caller."""
    lead, hold = max(round(LEAD_S * scale), 1), max(round(HOLD_S * scale), 1)
    first = max(floor(t0) - traffic.start, 0)
    last = min(floor(horizon) - traffic.start, traffic.valid.size)
    windows = range(first, last - lead + 1, lead)
    breaches = _breaches(traffic, windows, budget=budget, deff=deff)
    seen_until = last if t_end is None else min(max(floor(t_end) + 1 - traffic.start, first + 2 * lead), last)
    arrivals, bad = (int(series[first:seen_until].sum()) for series in (traffic.valid, traffic.bad))
    if not breaches:
        zero = (0.0, float(lead))
        watched = last - (floor(t0 if t_end is None else t_end) + 1 - traffic.start)
        calm = NO_IMPACT if watched >= hold else CENSORED
        unsure = _looks_bad(traffic, windows, budget)
        return Recovery(
            experiment="",
            state=UNSURE if unsure else calm,
            t0=t0,
            t_end=t_end,
            absorption=None if unsure else zero,
            after_removal=None if unsure or t_end is None else zero,
            arrivals=arrivals,
            bad=bad,
        )
    t1 = max(t0, float(traffic.start + breaches[0]))
    sums = _Sums(traffic, last, lead)
    begun = max(breaches[0], floor(t1) - traffic.start)
    place, certain = _first_good(sums, range(begun, last), lead=lead, hold=hold, budget=budget)
    t2 = float(traffic.start + place)
    later = [begin for begin in breaches if begin >= place] if certain else []
    return Recovery(
        experiment="",
        state=RECOVERED if certain else CENSORED,
        t0=t0,
        t_end=t_end,
        t1=t1,
        t2=t2 if certain else None,
        absorption=_since(t0, t2, lead),
        after_removal=None
        if t_end is None
        else _removed(t_end - traffic.start, place, later, sums, lead=lead, hold=hold, budget=budget),
        relapses=tuple(float(traffic.start + begin) for begin in later if begin - lead not in breaches),
        arrivals=arrivals,
        bad=bad,
    )


def _since(begin: float, t2: float, lead: int) -> tuple[float, float]:
    return max(t2 - GRAIN_S - begin, 0.0), max(t2 - begin, 0.0) + lead


def _removed(
    t_end: float, place: int, later: Sequence[int], sums: "_Sums", *, lead: int, hold: int, budget: float
) -> tuple[float, float | None]:
    """The clock from the fault's end, on columns: from the last trouble that began before it, if any did."""
    during = [begin for begin in later if begin <= t_end]
    if not during:
        return _since(t_end, float(place), lead)
    again, certain = _first_good(sums, range(during[-1], sums.last), lead=lead, hold=hold, budget=budget)
    low, high = _since(t_end, float(again), lead)
    return low, high if certain else None


def _breaches(traffic: Traffic, starts: range, *, budget: float, deff: float) -> list[int]:
    """Starts of the windows that begin two consecutive bad ones, surely bad or without a completion."""
    alpha = statistics.ALPHA / max(len(starts), 1)
    wrong = [_is_wrong(traffic, slice(s, s + starts.step), budget, deff, alpha) for s in starts]
    return [s for s, one, two in zip(starts, wrong, wrong[1:], strict=False) if one and two]


def _is_wrong(traffic: Traffic, window: slice, budget: float, deff: float, alpha: float) -> bool:
    n = int(traffic.valid[window].sum())
    if n == 0:
        settled = traffic.settled is None or window.stop <= traffic.settled
        asked = int(traffic.planned[window].sum()) > 0 or _many(traffic, window.stop - window.start)
        return settled and asked
    if int(traffic.ok[window].sum()) == 0:
        return True
    k = int(traffic.bad[window].sum())
    return k > budget * n and statistics.lower(k / deff, n / deff, alpha) > budget


def _many(traffic: Traffic, seconds: int) -> bool:
    """Whether so many arrivals are usual in this time that none at all is no chance."""
    return traffic.usual * seconds >= MANY_ARRIVALS


def _looks_bad(traffic: Traffic, starts: range, budget: float) -> bool:
    """Whether windows in a row are above the budget, and without the worst of them still surely so.

    Surely if arrivals were independent: no design effect, which may stand for not knowing.
    """
    alpha = statistics.ALPHA / max(len(starts), 1)
    windows = [slice(start, start + starts.step) for start in starts]
    counts = [(int(traffic.bad[one].sum()), int(traffic.valid[one].sum())) for one in windows]
    for above, group in groupby(counts, key=lambda one: one[0] > budget * one[1]):
        if above:
            row = sorted(group, key=lambda one: one[0] - budget * one[1])[:-1]
            k, n = sum(one[0] for one in row), sum(one[1] for one in row)
            if k and statistics.lower(k, n, alpha) > budget:
                return True
    return False


class _Sums:
    """Running sums, so that any window is two look-ups."""

    def __init__(self, traffic: Traffic, last: int, lead: int) -> None:
        names = ("valid", "bad", "ok", "planned")
        self.last, self.lead = last, lead
        self.sums = {n: np.concatenate(([0], np.cumsum(getattr(traffic, n)[:last]))) for n in names}
        empty = np.zeros(last, dtype=np.int64)
        if _many(traffic, lead) and last >= lead:
            valid = self.sums["valid"]
            empty[: last - lead + 1] = valid[lead:] == valid[: last - lead + 1]
        self.sums["empty"] = np.concatenate(([0], np.cumsum(empty)))

    def of(self, name: str, start: int, end: int) -> int:
        return int(self.sums[name][end] - self.sums[name][start])

    def silent(self, start: int, end: int) -> bool:
        """Whether nothing at all came for a window's length though much is usual."""
        return end - start >= self.lead and self.of("empty", start, end - self.lead + 1) > 0


def _first_good(sums: _Sums, searched: range, *, lead: int, hold: int, budget: float) -> tuple[int, bool]:
    """The first second that may be t2, and whether the record reaches far enough to be certain."""
    last = searched.stop
    for place in searched:
        if not _within(sums, place, min(place + lead, last), budget):
            continue
        if place + hold <= last:
            if _within(sums, place, place + hold, budget):
                return place, True
        elif _may_hold(sums, place, last, hold, budget):
            return place, False
    return last, False


def _within(sums: _Sums, start: int, end: int, budget: float) -> bool:
    n = sums.of("valid", start, end)
    planned = sums.of("planned", start, end)
    good = sums.of("ok", start, end)
    within = sums.of("bad", start, end) <= budget * n and good >= ATTAINMENT * planned
    return n > 0 and within and not sums.silent(start, end)


def _may_hold(sums: _Sums, start: int, last: int, hold: int, budget: float) -> bool:
    """Whether a window that the record cuts off could still come out good if nothing bad followed."""
    whole = hold / (last - start)
    return sums.of("bad", start, last) <= budget * sums.of("valid", start, last) * whole


def worst(recoveries: Sequence[Recovery]) -> Recovery | None:
    """The one that took longest, for what must wait until all operations are well."""
    known = [one for one in recoveries if one.t2 is not None]
    return max(known, key=lambda one: one.t2 or 0.0) if known else None
