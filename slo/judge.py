"""The judge: a record and the objectives in, verdicts out. Nothing here reads a clock or a network.

Precedence of the run's verdict: a failure of integrity (lost, doubled, leaked) stands whatever else
happened; then an invalid generator, which voids what depends on the load; then failures; then inconclusive
and no data; then pass. A run of policy `measure` asked for nothing: it is measured, and nobody judges it.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

from slo import faults, ledger, steadiness, validity
from slo.errors import ConfigError
from slo.finding import (
    FAIL,
    INCONCLUSIVE,
    INVALID,
    MEASURED,
    NO_DATA,
    NOT_APPLICABLE,
    PASS,
    Finding,
    no_data,
)
from slo.kind import kinds
from slo.manifest import PlannedExperiment
from slo.objective import Objective
from slo.record import Record
from slo.recovery import Recovery, worst
from slo.scope import Scope, Window
from slo.steadiness import Steadiness
from slo.validity import Validity
from slo.verdict import Verdict, Verdicts

MEASURE = "measure"
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
    limits = [one.expr.limit for one in driven if one.sli == "latency"]
    calm = steadiness.check(record, steady, limit=min(limits, default=None))
    found = [(case, _capped(record, case, _found(case), calm, trust)) for case in cases]
    not_driven += [
        {"id": case.objective.id, "reason": one.reason}
        for case, one in found
        if one.verdict == NOT_APPLICABLE
    ]
    verdicts = tuple(_verdict(case, one) for case, one in found if one.verdict != NOT_APPLICABLE)
    verdict, reason = _overall(record, verdicts, trust)
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


def _windows(record: Record, phase: str, since: dict[str, float] | None = None) -> tuple[Window, ...]:
    if phase == "steady":
        return faults.steady_windows(record)
    if phase == "recovered":
        return faults.recovered_windows(record, since or {})
    return tuple((one.start, one.end) for one in record.phases if one.name != "warmup")


def _recovered_since(analyses: Analyses) -> dict[str, float]:
    """When each experiment was over for every group of operations that was looked at."""
    since: dict[str, float] = {}
    for name in {name for name, _ in analyses}:
        last = worst([a for (n, _), a in analyses.items() if n == name and isinstance(a, Recovery)])
        if last is not None and last.t2 is not None:
            since[name] = last.t2
    return since


def _found(case: _Case) -> Finding:
    if isinstance(case.scope.recovery, Exception):
        return _broken(case, case.scope.recovery)
    try:
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
    if not calm.steady and shape.load and case.objective.phase == "steady":
        found = found.capped(f"not steady: {calm.reason}")
    cut = [one for one in record.phases if not one.ended and (one.start, one.end) in case.scope.windows]
    return found.capped(f"phase {cut[0].name} was cut short") if cut else found


def _verdict(case: _Case, found: Finding) -> Verdict:
    one = case.objective
    warned = one.warn is not None and found.measured is not None and not one.warn.holds(found.measured)
    return Verdict(
        id=one.id,
        instance=case.instance,
        phase=one.phase,
        sli=one.sli,
        operations=one.operations,
        expr=one.expr.text,
        basis=one.basis,
        decides=one.decides,
        warned=warned,
        source=asdict(one.source),
        **asdict(found),
    )


def _overall(record: Record, verdicts: Sequence[Verdict], trust: Validity) -> tuple[str, str]:
    deciding = [one for one in verdicts if one.decides]
    of = {
        name: [one for one in deciding if one.verdict == name] for name in (PASS, FAIL, INCONCLUSIVE, NO_DATA)
    }
    integrity = [one for one in of[FAIL] if kinds()[one.sli].SHAPE.integrity]
    count = f"of {len(deciding)} objectives"
    if integrity:
        return FAIL, f"integrity failed, which stands whatever else happened: {_names(integrity)}"
    if not trust.valid:
        return INVALID, f"the run is invalid: {'; '.join(trust.causes)}"
    if of[FAIL]:
        return FAIL, f"{len(of[FAIL])} {count} failed: {_names(of[FAIL])}"
    if unsure := [*of[INCONCLUSIVE], *of[NO_DATA]]:
        verdict = INCONCLUSIVE if of[INCONCLUSIVE] else NO_DATA
        return verdict, f"{len(unsure)} {count} could not be decided: {_names(unsure)}"
    if not deciding:
        return _unasked(record, verdicts)
    verdict, reason = _passed(record, sum(one.verdict == PASS for one in verdicts))
    aside = [one for one in verdicts if not one.decides and one.verdict != PASS]
    return verdict, reason + (f"; for information, did not pass: {_names(aside)}" if aside else "")


def _unasked(record: Record, verdicts: Sequence[Verdict]) -> tuple[str, str]:
    """No objective decides: what was counted, where nothing more was wanted."""
    if verdicts or record.manifest.policy != MEASURE:
        return NO_DATA, "no objective that decides was judged"
    if record.state != "complete":
        return INCONCLUSIVE, "; ".join(_doubts(record))
    columns = Scope(record=record, windows=_windows(record, "all")).columns
    arrivals, good = (int(one[:, columns].sum()) for one in (record.valid, record.counters.ok))
    if not good:
        return NO_DATA, f"none of {arrivals} arrivals in the measured time got a good answer"
    return MEASURED, f"{good} of {arrivals} arrivals were good; nothing was judged: no objective was given"


def _passed(record: Record, passes: int) -> tuple[str, str]:
    """No objective stands in the way; what else might."""
    if doubts := _doubts(record):
        return INCONCLUSIVE, "; ".join(doubts)
    if passes < record.manifest.least_passes:
        return INCONCLUSIVE, f"{passes} objectives passed, the plan asks for {record.manifest.least_passes}"
    return PASS, f"{passes} objectives passed"


def _doubts(record: Record) -> list[str]:
    """What keeps a run from passing though no objective says so."""
    doubts = []
    if record.state != "complete":
        doubts.append(
            "the run was cut short" + (f": {record.manifest.reason}" if record.manifest.reason else "")
        )
    for experiment in record.manifest.experiments:
        seen = record.of_kind("probe", experiment=experiment.name, edge="first")
        if experiment.probe == "none" and seen:
            doubts.append(f"a probe saw a fault in {experiment.name}, which injects none")
        undone = record.of_kind("undo", experiment=experiment.name)
        if undone and undone[-1].get("verified") is not True:
            doubts.append(f"nothing shows that the fault of {experiment.name} was undone")
    return doubts


def _shown(record: Record, objectives: Sequence[Objective], analyses: Analyses) -> list[Recovery]:
    """One analysis per experiment for the report: of the most operations, else of all by the error budget."""
    budget = next((one for one in objectives if one.sli == "errors" and one.phase == "steady"), None)
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


def _names(verdicts: Sequence[Verdict]) -> str:
    return ", ".join(one.name for one in verdicts)
