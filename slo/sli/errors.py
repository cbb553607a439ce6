"""Error rate: bad arrivals / valid arrivals. Unsent, unanswered and wrongly answered ones are all bad.

With `each = true` every operation in scope is judged alone and the worst is the finding: errors in a rare
operation do not drown in the arrivals of the others. That one of m operations fails by chance must be no
likelier than that one alone does, so a failure asks for a lower bound at alpha / m (Bonferroni). A pass asks
that every operation passes, each at alpha: whichever is bad, its own test must have missed it, so no more is
needed (Berger, Multiparameter hypothesis testing and acceptance sampling, Technometrics 24, 1982). An
operation with too few arrivals is named, and keeps the whole from passing.
"""

from dataclasses import replace

from slo.counters import Counts
from slo.finding import FAIL, INCONCLUSIVE, NO_DATA, Finding, no_data, spoken
from slo.kind import Shape
from slo.objective import Objective
from slo.scope import Scope
from slo.shares import bad_and_valid, budget_of, judge_share
from slo.statistics import ALPHA, least_samples, lower, seconds_needed

SHAPE = Shape(forms=(("rate", "ratio"),), takes=frozenset({"each"}), side="below", share=True)

_RANK = {NO_DATA: 1, INCONCLUSIVE: 1, FAIL: 2}
_NAMED = 5


def judge(objective: Objective, scope: Scope) -> Finding:
    """Judge the share of bad arrivals, of all operations together or of each alone."""
    bad, valid = bad_and_valid(objective, scope)
    if not objective.each:
        return judge_share(objective, scope, bad=bad, valid=valid)
    meant = _meant(scope)
    wanted = [slug for slug in scope.record.manifest.select(objective.operations) if slug in meant]
    found = {slug: _alone(objective, scope, slug, bad, valid) for slug in wanted}
    looks = sum(bool(one.n) for one in found.values())
    if not looks:
        return no_data(objective.expr, f"no arrivals of {', '.join(objective.operations)}")
    found = {slug: _corrected(one, looks, scope.seconds) for slug, one in found.items()}
    return _worst(objective, found, looks)


def _meant(scope: Scope) -> set[str]:
    """What was to be sent in this run, by the mix of its flows or by the generator's own account.

    What a plan leaves out is not missing; what never came although it was meant to is.
    """
    counters = scope.record.counters
    arrivals = (counters.planned + scope.record.valid).sum(axis=1).tolist()
    counted = {slug for slug, some in zip(counters.operations, arrivals, strict=True) if some}
    flows = scope.record.manifest.raw.get("flows", {}).values()
    return counted | {slug for flow in flows if flow["weight"] > 0 for slug in flow["operations"]}


def _alone(objective: Objective, scope: Scope, slug: str, bad: Counts, valid: Counts) -> Finding:
    least = max(objective.min_samples, least_samples(budget_of(objective)))
    one = replace(objective, operations=(slug,), min_samples=least)
    return judge_share(one, scope, bad=bad, valid=valid)


def _corrected(found: Finding, looks: int, seconds: float) -> Finding:
    """The same with the lower bound of one look of many: what no longer lies above the budget is open."""
    if not found.n or found.k is None or found.deff is None or found.budget is None or not found.interval:
        return found
    low = lower(found.k / found.deff, found.n / found.deff, ALPHA / looks)
    bounds = (low, found.interval[1])
    if found.verdict != FAIL:
        return replace(found, interval=bounds, between=bounds)
    share = f"{found.k} bad of {found.n} ({spoken(found.k / found.n, 'ratio')})"
    limit = f"the budget {spoken(found.budget, 'ratio')}"
    if low > found.budget:
        reason = f"{share}, surely above {limit}: at least {spoken(low, 'ratio')}"
        return replace(found, reason=reason, interval=bounds, between=bounds)
    reason = f"{share}: {limit} is above {spoken(low, 'ratio')}, as sure as {looks} looks at once can be"
    needed = seconds_needed(found.k, found.n, found.deff, found.budget, seconds, lower_alpha=ALPHA / looks)
    minutes = None if needed is None else needed / 60
    return replace(
        found, verdict=INCONCLUSIVE, reason=reason, interval=bounds, between=bounds, minutes_needed=minutes
    )


def _worst(objective: Objective, found: dict[str, Finding], looks: int) -> Finding:
    worst = max(found, key=lambda slug: _badness(found[slug]))
    one = found[worst]
    failed = [slug for slug, other in found.items() if other.verdict == FAIL and slug != worst]
    least = max(objective.min_samples, least_samples(budget_of(objective)))
    few = [f"{slug} ({other.n or 0})" for slug, other in found.items() if (other.n or 0) < least]
    reason = f"worst of {looks} operations is {worst}: {one.reason}"
    if failed:
        reason += f"; {_some(failed)} failed too"
    if few:
        reason += f"; fewer than {least} arrivals, too few to pass: {_some(few)}"
    verdict = INCONCLUSIVE if one.verdict == NO_DATA else one.verdict
    return replace(one, verdict=verdict, reason=reason, minutes_needed=_longest(found))


def _badness(found: Finding) -> tuple[int, float, float, float]:
    """What counts first: the verdict, then how bad it surely is, looks, and might be."""
    low, high = found.interval or (0.0, 0.0)
    return _RANK.get(found.verdict, 0), low, found.measured or 0.0, high


def _longest(found: dict[str, Finding]) -> float | None:
    """Minutes until the last open operation is decided; None if one of them never is, at this pace."""
    needed = [one.minutes_needed for one in found.values() if one.verdict in (INCONCLUSIVE, NO_DATA)]
    known = [minutes for minutes in needed if minutes is not None]
    return max(known, default=0.0) if len(known) == len(needed) else None


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
