"""The judge: a record and the objectives in, verdicts out. Nothing here reads a clock or a network.

Precedence of the run's verdict: a failure of integrity (lost, doubled, leaked) stands whatever else
happened; then an invalid generator, which voids what depends on the load; then failures; then inconclusive
and no data; then pass. Who decides is the policy's (slo/policy.py); a failure of integrity always does. A run
of policy `measure` asked for nothing: it is measured, and nobody judges it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace

from slo import faults, ledger, outcome, policy, regression, spared, steadiness, validity
from slo.errors import ConfigError
from slo.finding import (
    FAIL,
    INCONCLUSIVE,
    INVALID,
    NOT_APPLICABLE,
    PASS,
    Finding,
    no_data,
)
from slo.kind import kinds
from slo.manifest import PlannedExperiment
from slo.objective import Objective
from slo.policy import Policy
from slo.record import Phase, Record
from slo.recovery import Recovery
from slo.scope import Scope, Window
from slo.steadiness import Steadiness
from slo.validity import Validity
from slo.verdict import Verdict, Verdicts, stands

CLOSED_MODEL = (
    "closed model: who sends next waits for an answer first, so an outage is hardly sampled and looks "
    "smaller than it was"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """Whether the steady state holds, and why or why not."""

    holds: bool
    reason: str


Analyses = dict[tuple[str, str], Recovery | Exception]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """An objective in the scope it is judged in."""

    objective: Objective
    instance: str | None
    scope: Scope


def judge(record: Record, objectives: Sequence[Objective], *, now: float | None = None) -> Verdicts:
    """Judge a run by the objectives its manifest drives.

    Raises:
        ConfigError: the manifest drives an objective that is not among them.
    """
    driven = _driven(record, objectives)
    analyses = _analyses(record, driven)
    cases, not_driven = _cases(record, objectives, {one.id for one in driven}, analyses)
    steady = faults.steady_windows(record)
    trust = _trust(record, driven)
    limits = [one.expr.limit for one in driven if one.sli == "latency" and not one.expr.relative]
    calm = _calm(record, steady, min(limits, default=None))
    found = [(case, _capped(record, case, _found(case), calm, trust)) for case in cases]
    not_driven += [
        {"id": case.objective.id, "reason": one.reason}
        for case, one in found
        if one.verdict == NOT_APPLICABLE
    ]
    rules = policy.of(record.manifest.policy)
    verdicts = tuple(_verdict(case, one, rules) for case, one in found if one.verdict != NOT_APPLICABLE)
    verdict, reason = outcome.overall(record, verdicts, trust, rules)
    if record.manifest.closed:
        reason = f"{reason}; {CLOSED_MODEL}"
    return Verdicts(
        run_id=record.manifest.run_id,
        judged_at=now,
        verdict=verdict,
        reason=reason,
        state=record.state,
        policy=record.manifest.policy,
        model=record.manifest.model,
        objectives=verdicts,
        not_driven=tuple(not_driven),
        recovery=tuple(asdict(one) for one in _shown(record, objectives, analyses)),
        ledger=tuple(asdict(ledger.shown(record.ledger, name)) for name in ledger.sets(record.ledger)),
        validity=asdict(trust),
        steadiness=asdict(calm),
        sound=outcome.sound(record, verdicts, trust, rules),
    )


def holds(record: Record, objectives: Sequence[Objective], *, start: float, end: float) -> Gate:
    """Whether these objectives hold in [start, end) by their point estimates: the gate before a fault.

    The record may be of a run that is still going on. An objective's `holds` is asked instead of its `expr`
    if it has one.
    """
    scope = Scope(record=record, windows=((start, end),))
    wrong, right = [], []
    for one in objectives:
        asked = replace(one, expr=one.holds or one.expr, min_samples=1)
        finding = _found(_Case(objective=asked, instance=None, scope=scope))
        if _holds(asked, finding):
            right.append(f"{one.id}: {_counted(finding)}")
        else:
            wrong.append(f"{one.id}: {_counted(finding)}, asked for {asked.expr.text}")
    if wrong:
        return Gate(holds=False, reason="; ".join(wrong))
    if not right:
        return Gate(holds=False, reason="no objective was asked")
    return Gate(holds=True, reason=", ".join(right))


def _counted(finding: Finding) -> str:
    """The counts where there are any: the histograms of a run that is going on lag behind them."""
    if finding.k is not None and finding.n:
        return f"{finding.k} bad of {finding.n}"
    return finding.measured_text or finding.reason


def _holds(objective: Objective, finding: Finding) -> bool:
    if objective.expr.relative:
        return finding.verdict == PASS
    if finding.budget is not None and finding.k is not None and finding.n:
        return finding.k <= finding.budget * finding.n
    return finding.measured is not None and objective.expr.holds(finding.measured)


def _driven(record: Record, objectives: Sequence[Objective]) -> list[Objective]:
    known = {one.id: one for one in objectives}
    wanted = [*record.manifest.objectives, *(i for one in record.manifest.experiments for i in one.judge)]
    for name in wanted:
        if name not in known:
            raise ConfigError(
                f"run {record.manifest.run_id} drives an unknown objective {name!r}; "
                f"expected one of {', '.join(known) or 'none'}"
            )
    return [known[name] for name in dict.fromkeys(wanted)]


def _analyses(record: Record, driven: Sequence[Objective]) -> Analyses:
    """Recovery by (experiment, objective); an analysis that raised is kept as what it raised."""
    return {
        (experiment.name, one.id): _recovery(record, experiment.name, one)
        for experiment in record.manifest.experiments
        for one in driven
        if one.sli == "recovery" and one.id in experiment.judge and experiment.probe != "none"
    }


def _recovery(record: Record, experiment: str, one: Objective) -> Recovery | Exception:
    try:
        return faults.recover(record, experiment, one)
    except Exception as error:  # noqa: BLE001 - becomes the reason of the verdict
        return error


def _trust(record: Record, driven: Sequence[Objective]) -> Validity:
    try:
        return validity.check(record, driven, _windows(record, "all"))
    except Exception as error:  # noqa: BLE001 - a generator that cannot be checked cannot be believed
        return validity.unknown(f"the generator could not be checked: {type(error).__name__}: {error}")


def _calm(record: Record, windows: tuple[Window, ...], limit: float | None) -> Steadiness:
    try:
        return steadiness.check(record, windows, limit=limit)
    except Exception as error:  # noqa: BLE001 - a phase that cannot be looked at is not known to be steady
        return steadiness.unknown(f"it could not be looked at: {type(error).__name__}: {error}")


def _cases(
    record: Record, objectives: Sequence[Objective], driven: set[str], analyses: Analyses
) -> tuple[list[_Case], list[dict[str, str]]]:
    since = _recovered_since(analyses)
    cases: list[_Case] = []
    not_driven: list[dict[str, str]] = []
    for one in objectives:
        if one.id not in driven:
            reason = f"not among the objectives of plan {record.manifest.plan}"
            not_driven.append(
                {"id": one.id, "reason": reason + (f": needs {one.needs}" if one.needs else "")}
            )
        elif one.phase == "fault":
            own = [e for e in record.manifest.experiments if one.id in e.judge and _applies(one, e)]
            cases += [_fault_case(record, one, e, analyses) for e in own]
            if not own:
                not_driven.append({"id": one.id, "reason": "no fault of this run is judged by it"})
        else:
            scope = Scope(record=record, windows=_windows(record, one.phase, since))
            cases.append(_Case(objective=one, instance=None, scope=scope))
    return cases, not_driven


def _applies(one: Objective, experiment: PlannedExperiment) -> bool:
    return one.sli != "recovery" or experiment.probe != "none"


def _fault_case(record: Record, one: Objective, experiment: PlannedExperiment, analyses: Analyses) -> _Case:
    windows = faults.fault_windows(record, experiment.name)
    if windows and kinds()[one.sli].SHAPE.aftermath:
        windows = ((windows[0][0], faults.horizon_of(record, experiment.name)),)
    analysis = analyses.get((experiment.name, one.id))
    return _Case(
        objective=one,
        instance=experiment.name,
        scope=Scope(record=record, windows=windows, experiment=experiment, recovery=analysis),
    )


def _windows(
    record: Record, phase: str, since: Mapping[str, tuple[float, ...]] | None = None
) -> tuple[Window, ...]:
    if phase == "steady":
        return faults.steady_windows(record)
    if phase == "recovered":
        return faults.recovered_windows(record, since or {})
    return outcome.measured_time(record)


def _recovered_since(analyses: Analyses) -> dict[str, tuple[float, ...]]:
    """When each experiment, and each repeat of it, was over for every group of operations looked at."""
    since: dict[str, tuple[float, ...]] = {}
    for (name, _), found in analyses.items():
        if isinstance(found, Recovery):
            ends = [one.t2 for one in (found, *found.repeats) if one.t2 is not None]
            since[name] = (*since.get(name, ()), *ends)
    return since


def _found(case: _Case) -> Finding:
    if isinstance(case.scope.recovery, Exception):
        return _broken(case, case.scope.recovery)
    try:
        if case.objective.expr.relative:
            return regression.judge(case.objective, case.scope)
        return kinds()[case.objective.sli].judge(case.objective, case.scope)
    except Exception as error:  # noqa: BLE001 - a checker that breaks must not pass, and must not hide the others
        return _broken(case, error)


def _broken(case: _Case, error: Exception) -> Finding:
    return no_data(case.objective.expr, f"the checker raised {type(error).__name__}: {error}")


def _capped(record: Record, case: _Case, found: Finding, calm: Steadiness, trust: Validity) -> Finding:
    """What may not pass, or not be told at all, because of circumstances."""
    shape = kinds()[case.objective.sli].SHAPE
    if shape.integrity and found.verdict == FAIL:
        return found
    refused = [e for e in record.of_kind("gate", holds=False) if e.get("experiment") == case.instance]
    if case.instance is not None and refused:
        reason = f"steady state did not hold before the fault: {refused[-1].get('reason', '')}"
        return replace(found, verdict=INCONCLUSIVE, reason=reason)
    if not trust.valid and shape.load and found.verdict in (PASS, FAIL, INCONCLUSIVE):
        return replace(found, verdict=INVALID, reason=f"void, {'; '.join(trust.causes)}; {found.reason}")
    if trust.disturbed and shape.load and found.verdict == FAIL and not _stands_without(case, found, trust):
        return replace(found, verdict=INCONCLUSIVE, reason=f"{trust.disturbed}; {found.reason}")
    if not calm.steady and shape.load and case.objective.phase == "steady":
        found = found.capped(f"not steady: {calm.reason}")
    cut = [one for one in record.phases if not one.ended and _judged_in(case, one)]
    return found.capped(f"phase {cut[0].name} was cut short") if cut else found


def _stands_without(case: _Case, found: Finding, trust: Validity) -> bool:
    """Whether a share of arrivals fails as well with the disturbed seconds taken for good ones."""
    if found.k is None or found.budget is None or case.objective.expr.relative:
        return False
    rest = spared.without(case.scope.record, trust.disturbed_in)
    return _found(replace(case, scope=replace(case.scope, record=rest))).verdict == FAIL


def _judged_in(case: _Case, phase: Phase) -> bool:
    if case.objective.phase == "all":
        return phase.name != "warmup"
    return (phase.start, phase.end) in case.scope.windows


def _verdict(case: _Case, found: Finding, rules: Policy) -> Verdict:
    one = case.objective
    measured = regression.change(found) if one.expr.relative else found.measured
    warned = one.warn is not None and measured is not None and not one.warn.holds(measured)
    return Verdict(
        id=one.id,
        instance=case.instance,
        phase=one.phase,
        sli=one.sli,
        operations=one.operations,
        expr=one.expr.text,
        basis=one.basis,
        decides=rules.decides(one) or stands(one.sli, found.verdict),
        warned=warned,
        source=asdict(one.source),
        **asdict(found),
    )


def _shown(record: Record, objectives: Sequence[Objective], analyses: Analyses) -> list[Recovery]:
    """One analysis per experiment for the report: of the most operations, else of all by the error budget."""
    budget = next((one for one in objectives if _is_budget(one)), None)
    shown = []
    for experiment in record.manifest.experiments:
        own = [a for (name, _), a in analyses.items() if name == experiment.name]
        if not own and experiment.probe != "none" and budget is not None:
            whole = replace(budget, against=budget, operations=())
            own = [_recovery(record, experiment.name, whole)]
        whole_ones = [one for one in own if isinstance(one, Recovery)]
        if whole_ones:
            shown.append(max(whole_ones, key=lambda one: len(one.operations)))
    return shown


def _is_budget(one: Objective) -> bool:
    return one.sli == "errors" and one.phase == "steady" and not (one.expr.relative or one.each)
