"""Objectives against a baseline: `p(99) baseline <= +10%` asks what the last comparable nights measured.

What is measured is what the kind measures anyway. It fails where it is worse than the nights' limit
(slo/baseline.py) by more than its own uncertainty, is inconclusive where only its point estimate is beyond
the limit, and passes where not even that is. Fewer than five nights, or nights of other runs, are no data. On
fewer than 12 blocks, or fewer samples than it asks for, it does not pass.
"""

from dataclasses import replace

from slo import fingerprint
from slo.baseline import LEAST_NIGHTS, NO_BASELINE, OUT_OF_LINE, SCATTERS, Baseline, Standing, stand
from slo.errors import RecordError
from slo.expression import Expression
from slo.finding import FAIL, INCONCLUSIVE, NO_DATA, PASS, Finding, no_data, spoken
from slo.kind import kinds
from slo.objective import Objective
from slo.record import Record
from slo.scope import Scope
from slo.sli import latency
from slo.statistics import LEAST_BLOCKS

HELD = 0.98


def judge(objective: Objective, scope: Scope) -> Finding:
    """Judge a relative objective in its scope; what was measured is kept also where nothing can be said."""
    found = _measured(objective, scope)
    if found.measured is None or found.verdict not in (PASS, FAIL):
        return found
    few = _few(objective, found)
    earlier, obstacle = _nights(objective, scope)
    if obstacle and few:
        return replace(found, verdict=INCONCLUSIVE, reason=few, margin=None)
    if obstacle:
        none = Standing(state=NO_BASELINE, nights=len(earlier))
        return replace(found, verdict=NO_DATA, reason=obstacle, margin=None, baseline=none)
    expr = objective.expr
    standing = stand(found.measured, earlier, below=expr.below, share=abs(expr.limit))
    judged = _against(objective, found, standing)
    return judged.capped(few) if few else judged


def _few(objective: Objective, found: Finding) -> str:
    """Why so little proves nothing; empty where it is enough, and where a kind knows no blocks."""
    if found.blocks is None or (found.blocks >= LEAST_BLOCKS and (found.n or 0) >= objective.min_samples):
        return ""
    return f"only {found.blocks} blocks of 10 s and {found.n or 0} samples"


def _against(objective: Objective, found: Finding, standing: Standing) -> Finding:
    expr, value, limit, middle = objective.expr, found.measured, standing.limit, standing.median
    if value is None or limit is None or middle is None or standing.scatter is None:
        raise ValueError(f"a standing without a limit: {standing}")
    side = "at most" if expr.below else "at least"
    measured, usual, most, noise = (
        spoken(one, found.unit) for one in (value, middle, limit, SCATTERS * standing.scatter)
    )
    reason = (
        f"{measured}, median {usual} of {standing.nights} nights, so {side} {most} (four scatters: {noise})"
    )
    if standing.state != OUT_OF_LINE:
        verdict = PASS
    elif not limit:
        verdict, reason = INCONCLUSIVE, f"{reason}; a share of nothing is nothing, so the nights set no limit"
    elif _surely(value, found.between, limit, below=expr.below):
        verdict, reason = FAIL, f"{reason}; surely out of line"
    else:
        verdict, reason = INCONCLUSIVE, f"{reason}; out of line, though by less than its own uncertainty"
    distance = (limit - value) / abs(limit) if limit else None
    return replace(
        found,
        verdict=verdict,
        reason=reason,
        interval=found.between,
        margin=None if distance is None else distance if expr.below else -distance,
        baseline=standing,
    )


def _surely(value: float, between: tuple[float, float] | None, limit: float, *, below: bool) -> bool:
    low, high = between or (value, value)
    return low > limit if below else high < limit


def change(found: Finding) -> float | None:
    """The measured value as a change from the nights' median: what a relative `warn` is about."""
    standing = found.baseline
    if standing is None or not standing.median or found.measured is None:
        return None
    return found.measured / standing.median - 1


def _nights(objective: Objective, scope: Scope) -> tuple[tuple[float, ...], str]:
    """What earlier nights measured, and why that will not do."""
    name = f"{objective.id} ({scope.experiment.name})" if scope.experiment else objective.id
    try:
        known: Baseline = scope.record.baseline
    except RecordError as error:
        return (), f"no baseline: {error}"
    differences = fingerprint.between(dict(known.parts), fingerprint.parts(scope.record.manifest))
    if known.parts and differences:
        return (), f"no baseline: it is of other runs: {'; '.join(differences)}"
    nights = known.objectives.get(name)
    values = nights.values if nights else ()
    if len(values) >= LEAST_NIGHTS:
        return values, ""
    more = "".join(f"; {one}" for one in (known.reason, *known.left_out) if one)
    return values, f"no baseline: {len(values)} comparable nights of at least {LEAST_NIGHTS}{more}"


def _measured(objective: Objective, scope: Scope) -> Finding:
    """What the kind measures, judged by nothing."""
    if objective.sli == "latency":
        return _latency(objective, scope)
    bare = _bare(objective)
    found = kinds()[objective.sli].judge(replace(objective, expr=bare), scope)
    if found.blocks is not None and found.verdict != NO_DATA and not objective.each:
        found = replace(found, verdict=PASS)  # the bare limit decides nothing, also near it
    return replace(found, budget=None, interval=None, minutes_needed=None, margin=None)


def _bare(objective: Objective) -> Expression:
    """An absolute expression of the same metric with a limit that says nothing."""
    forms = [unit for metric, unit in kinds()[objective.sli].SHAPE.forms if metric == objective.expr.metric]
    of_whole = objective.denominator or objective.parameter
    unit = next((one for one in forms if (one == "ratio") == bool(of_whole)), forms[0])
    return replace(
        objective.expr,
        text=objective.expr.text,
        unit=unit,
        limit=0.5 if unit == "ratio" else 1e9,
        relative=False,
    )


def _latency(objective: Objective, scope: Scope) -> Finding:
    """The percentile over all arrivals, from the log, which must hold the answers that were counted."""
    record, expr = scope.record, objective.expr
    rows = scope.rows(objective.operations)
    n = int(record.valid[rows][:, scope.columns].sum())
    nothing = replace(no_data(expr, ""), unit="s", n=n)
    if not n:
        return replace(nothing, reason="no arrivals in this phase")
    held, counted = _held(objective, scope)
    if held < HELD * counted:
        return replace(nothing, reason=f"latency.hlog holds {held} of at least {counted} good answers")
    q = 1.0 if expr.quantile is None else expr.quantile
    measured, between = latency.bounded(objective, scope, q)
    if measured is None:
        reason = "the percentile lies among the arrivals without a good answer"
        return replace(nothing, verdict=INCONCLUSIVE, reason=reason)
    blocks = len(scope.blocks())
    short = blocks < LEAST_BLOCKS or n < objective.min_samples
    return Finding(
        verdict=INCONCLUSIVE if short else PASS,
        reason=f"only {blocks} blocks of 10 s and {n} arrivals" if short else "",
        unit="s",
        measured=measured,
        measured_text=spoken(measured, "s"),
        n=n,
        blocks=blocks,
        between=None if expr.quantile is None else between,
    )


def _held(objective: Objective, scope: Scope) -> tuple[int, int]:
    """Good answers in the log's intervals, and those counted in the seconds they cannot fail to hold."""
    record: Record = scope.record
    slugs = record.manifest.select(objective.operations)
    held = sum(int(record.tail(slug, scope.intervals).every.sum()) for slug in slugs)
    rows, length = scope.rows(objective.operations), record.histograms.length
    inner = [record.counters.within(start + length, end - length) for start, end in scope.windows]
    return held, sum(int(record.counters.ok[rows][:, one].sum()) for one in inner)
