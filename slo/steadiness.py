"""Whether the steady phase was steady: MSER-5 (White, 1997) on each second's median latency. It only reports.

Alone the rule calls a good part of stationary phases unsteady, so a phase counts as not steady only if the
cut it suggests takes more than a quarter, the median differs by more than a fifth before and after, and
that by more than a tenth of the tightest latency limit: a median that goes from 5 to 4 ms says nothing about
a limit of 100 ms. Nothing is ever trimmed.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from slo.record import Record
from slo.scope import Scope, Window

BATCH = 5
CUT = 0.25
DIFFERENCE = 0.2
PART = 0.1
LEAST_BATCHES = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Steadiness:
    """The cut in seconds and as a share of the phase; the median latency (s) before and after it."""

    steady: bool
    cut_s: float
    cut_share: float
    before: float | None
    after: float | None
    reason: str


def check(record: Record, windows: tuple[Window, ...], *, limit: float | None = None) -> Steadiness:
    """Look at the steady phases, end to end; `limit` is the tightest latency that is judged, in seconds."""
    line = _medians(record, Scope(record=record, windows=windows).columns)
    line = line[np.isfinite(line)]
    batches = line[: line.size // BATCH * BATCH].reshape(-1, BATCH).mean(axis=1)
    if batches.size < LEAST_BATCHES:
        return Steadiness(
            steady=True, cut_s=0.0, cut_share=0.0, before=None, after=None, reason="too short to tell"
        )
    cut = mser(batches)
    share = cut / batches.size
    before = float(np.median(batches[:cut])) if cut else None
    after = float(np.median(batches[cut:]))
    moved = 0.0 if before is None else abs(before - after)
    differs = before is not None and moved > max(DIFFERENCE * min(before, after), PART * (limit or 0.0))
    steady = not (share > CUT and differs)
    reason = (
        "" if steady else f"the median latency moved from {before:.4g} s to {after:.4g} s during the phase"
    )
    return Steadiness(
        steady=steady, cut_s=float(cut * BATCH), cut_share=share, before=before, after=after, reason=reason
    )


def unknown(reason: str) -> Steadiness:
    """Not known to be steady."""
    return Steadiness(steady=False, cut_s=0.0, cut_share=0.0, before=None, after=None, reason=reason)


def mser(batches: NDArray[np.float64]) -> int:
    """How many batches to cut so that the mean of the rest has the smallest estimated standard error."""
    sizes = np.arange(batches.size, LEAST_BATCHES - 2, -1)
    scores = [float(np.square((rest := batches[-size:]) - rest.mean()).sum()) / size**2 for size in sizes]
    return int(np.argmin(scores))


def _medians(record: Record, columns: NDArray[np.intp]) -> NDArray[np.float64]:
    """Per second, the mean over operations of their medians, each with its usual share of the answers."""
    counters = record.counters
    medians = counters.p50[:, columns]
    weights = counters.ok[:, columns].sum(axis=1, keepdims=True).astype(float)
    known = np.isfinite(medians)
    bottom = (weights * known).sum(axis=0)
    top = np.where(known, medians, 0.0) * weights
    mean: NDArray[np.float64] = np.divide(
        top.sum(axis=0), bottom, out=np.full(columns.size, np.nan), where=bottom > 0
    )
    return mean
