"""Latency of every operation's answers, good and failed apart, and the figures at the top of the page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from reports import formats, latency
from reports.fields import number, rows, text
from reports.latency import Spread
from reports.run import Phase, Run
from reports.table import NOT_APPLICABLE, Row, Table, numeric
from slo.histogram import Histogram, Log, empty

TAGS = ("ok", "ok.service", "bad")
GOOD = (0.5, 0.9, 0.99, 0.999)
SERVICE = (0.5, 0.99)
FAILED = (0.5, 0.99)
COLUMNS = (
    "Operation",
    "Good",
    "p50",
    "p90",
    "p99",
    "p99.9",
    "max",
    "p50",
    "p99",
    "Failed",
    "p50",
    "p99",
    "max",
)
SPANS = (("", 2), ("good, from the intended start", 5), ("service time", 2), ("", 1), ("failed", 3))


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A figure of the summary; `remark` says over what it was taken; tone "fail" asks to be looked at."""

    name: str
    value: str
    remark: str
    tone: str = ""


def latencies(run: Run, log: Log) -> Table:
    """One row for each operation, and one for all of them."""
    merged = {slug: {tag: log.merged([f"{slug}.{tag}"]) for tag in TAGS} for slug in run.operations}
    found = [_row(name, merged[slug]) for slug, name in run.operations.items()]
    every = _row("all operations", {tag: sum((of[tag] for of in merged.values()), empty()) for tag in TAGS})
    return Table(
        caption="Latency by operation",
        columns=COLUMNS,
        rows=(*found, every) if log.intervals else (),
        numeric=numeric(1, len(COLUMNS)),
        spans=SPANS,
        notes=(
            f"{NOT_APPLICABLE} stands where there are too few answers for the percentile. "
            "Service time counts from the moment of sending; the others from when the request was due.",
        ),
        empty="No latency was recorded.",
    )


def _row(name: str, merged: Mapping[str, Histogram]) -> Row:
    good, failed = latency.spread(merged["ok"], GOOD), latency.spread(merged["bad"], FAILED)
    service = latency.spread(merged["ok.service"], SERVICE)
    return Row(
        cells=(
            name,
            *_cells(good, GOOD),
            _longest(good),
            *_cells(service, SERVICE)[1:],
            *_cells(failed, FAILED),
            _longest(failed),
        )
    )


def _cells(spread: Spread | None, quantiles: tuple[float, ...]) -> list[str]:
    """The count, then each quantile that has at least one answer beyond it."""
    if spread is None:
        return ["0", *(NOT_APPLICABLE for _ in quantiles)]
    enough = [q for q in quantiles if spread.count * (1 - q) >= 1 - 1e-9]
    return [
        formats.number(spread.count),
        *(formats.latency(spread.p[q]) if q in enough else NOT_APPLICABLE for q in quantiles),
    ]


def _longest(spread: Spread | None) -> str:
    return NOT_APPLICABLE if spread is None else formats.latency(spread.longest)


def figures(run: Run, log: Log) -> tuple[Figure, ...]:
    """The summary, over the steady phase where the run has one."""
    steady = run.phase("steady")
    over = "steady phase" if steady else "whole run"
    seconds = run.within(steady)
    intended, good = sum(s.intended for s in seconds), sum(s.ok for s in seconds)
    bad, every = intended - good, sum(second.intended for second in run.seconds)
    p50, p99 = _percentiles(run, log, steady)
    return (
        Figure(
            name="Arrivals",
            value=formats.number(every if run.seconds else None),
            remark=f"in {formats.duration(run.end - run.start)}",
        ),
        Figure(
            name="Good answers", value=formats.rate(good / len(seconds) if intended else None), remark=over
        ),
        Figure(
            name="Error rate",
            value=formats.ratio(bad / intended if intended else None),
            remark=f"{formats.number(bad)} of {formats.number(intended)}, {over}" if intended else over,
        ),
        Figure(name="Latency p50", value=p50, remark=f"good answers, {over}"),
        Figure(name="Latency p99", value=p99, remark=f"good answers, {over}"),
        _lost(run),
    )


def _percentiles(run: Run, log: Log, phase: Phase | None) -> tuple[str, str]:
    """p50 and p99 over the intervals that lie within the phase, of the operations the latency chart shows."""
    slugs = run.group("api") or tuple(run.operations)
    starts = None if phase is None else log.starts(phase.start, phase.end)
    found = latency.spread(log.merged([f"{slug}.ok" for slug in slugs], starts), (0.5, 0.99))
    if found is None:
        return formats.NO_DATA, formats.NO_DATA
    return formats.latency(found.p[0.5]), formats.latency(found.p[0.99])


def _lost(run: Run) -> Figure:
    name, sets = "Acknowledged writes lost", rows(run.folder.verdicts, "ledger")
    if not sets:
        return Figure(name=name, value=formats.NO_DATA, remark="no read-back was judged")
    lost = sum(number(entry, "lost") or 0 for entry in sets)
    acknowledged = sum(number(entry, "ok") or 0 for entry in sets)
    unread = [text(entry, "set") for entry in sets if entry.get("complete") is False]
    remark = f"read-back incomplete: {', '.join(unread)}" if unread else f"of {formats.number(acknowledged)}"
    return Figure(name=name, value=formats.number(lost), remark=remark, tone="fail" if lost or unread else "")
