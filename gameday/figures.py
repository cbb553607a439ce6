"""What a run measured, in figures: exact counts, and percentiles of the merged histograms."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np

from slo import histogram, record, validity
from slo.histogram import Histogram
from slo.record import Event, Record
from slo.verdict import Verdicts

QUANTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "p999": 0.999}


def of(folder: Path, verdicts: Verdicts) -> dict[str, Any]:
    """The figures of the measured time, which is the run without its warm-up.

    `latency_ms` (from the intended start) and `service_ms` (from the send) are of good answers; a percentile
    is the nearest rank, however few answers there are, and None without any. `cpu_seconds` is what all
    traffic processes used. `floor_ms` is a TCP round trip, measured before the start; None if there was none.
    """
    found = record.read(folder)
    start, end = _measured(found)
    counts = _counts(found, start, end)
    reports = [one for one in found.of_kind("generator") if start <= float(one["t"]) - 0.5 < end]
    tags = found.manifest.operations
    return {
        "run": str(folder),
        "system": found.manifest.system,
        "model": found.manifest.model,
        "measured_s": round(end - start, 3),
        **counts,
        "latency_ms": _spread(_merged(found, (f"{slug}.ok" for slug in tags), start)),
        "service_ms": _spread(_merged(found, (f"{slug}.ok.service" for slug in tags), start)),
        "start_lag_ms": _lag(reports),
        "floor_ms": floor_ms(found.events),
        "cpu_seconds": round(sum(_cpu_s(one) for one in reports), 3),
        "valid": bool(verdicts.validity.get("valid")),
        "verdict": verdicts.verdict,
        "reason": verdicts.reason,
        "verdicts": [dict(one) for one in verdicts.to_json()["objectives"]],
        "exit": verdicts.exit,
    }


def floor_ms(events: Iterable[Event]) -> dict[str, float] | None:
    """Round trip in milliseconds by host; None when nobody measured one."""
    found = {str(one.get("host")): round(float(one["rtt"]) * 1e3, 4) for one in events if _is_floor(one)}
    return found or None


def _is_floor(event: Event) -> bool:
    return event.get("kind") == "floor" and isinstance(event.get("rtt"), int | float)


def _measured(found: Record) -> tuple[float, float]:
    """Start and end of the measured time, epoch seconds; the whole run where it had no warm-up."""
    counted = (float(found.counters.start), float(found.counters.end))
    steady = [phase for phase in found.phases if phase.name != "warmup"]
    if not steady:
        return counted
    if len(steady) == len(found.manifest.phases):
        return min(counted[0], steady[0].start), steady[-1].end
    return steady[0].start, steady[-1].end


def _counts(found: Record, start: float, end: float) -> dict[str, Any]:
    counters = found.counters
    first = max(ceil(start) - counters.start, 0)
    columns = slice(first, max(ceil(end) - counters.start, first))
    bad = {name: int(of_class[:, columns].sum()) for name, of_class in counters.bad.items()}
    intended = int(counters.intended[:, columns].sum())
    seconds = max(min(end, counters.end) - start, 1e-9)
    ok = int(counters.ok[:, columns].sum())
    return {
        "intended": intended,
        "sent": int(counters.sent[:, columns].sum()),
        "ok": ok,
        "bad": {name: count for name, count in bad.items() if count},
        "ok_per_s": round(ok / seconds, 3),
    }


def _merged(found: Record, tags: Iterable[str], start: float) -> Histogram:
    """Everything from the first interval that begins in the measured time, or all if none does."""
    log = found.histograms
    every = sorted({begun for of_tag in log.intervals.values() for begun in of_tag})
    inside = [begun for begun in every if begun > start - 1.0]
    return log.merged(tags, inside or every)


def _spread(counts: Histogram) -> dict[str, float | None]:
    spread = {name: _ms(histogram.quantile(counts, q)) for name, q in QUANTILES.items()}
    used = np.flatnonzero(counts)
    most = float(histogram.highest(used[-1:])[0]) / 1e6 if used.size else None
    return {**spread, "max": _ms(most)}


def _lag(reports: Sequence[Event]) -> dict[str, float | None]:
    if not reports:
        return {"p50": None, "p99": None, "max": None}
    return {
        "p50": _ms(validity.start_lag(reports, 0.5)),
        "p99": _ms(validity.start_lag(reports, 0.99)),
        "max": _ms(max(float(one.get("lag_max", 0.0)) for one in reports)),
    }


def _cpu_s(report: Mapping[str, Any]) -> float:
    """CPU seconds since the process's report before; a share of a core for about a second in older runs."""
    return float(report.get("cpu_s", report.get("cpu", 0.0)))


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1e3, 4)
