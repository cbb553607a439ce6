"""The run's verdict, from those of its objectives and from what no objective says.

Precedence: a failure of integrity (lost, doubled, leaked, wrong) stands whatever else happened and whoever
decides; then an invalid generator; then failures; then inconclusive and no data; then what keeps a run from
passing though no objective says so (cut short, a fault that no probe saw, fewer passes than its plan asks
for); then pass.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import inf

from slo import faults, whole
from slo.baseline import NO_BASELINE
from slo.finding import FAIL, INCONCLUSIVE, INVALID, MEASURED, NO_DATA, PASS
from slo.manifest import PlannedExperiment
from slo.policy import MEASURE, Policy
from slo.record import Event, Record
from slo.scope import Scope, Window
from slo.validity import Validity
from slo.verdict import Verdict, stands


def overall(
    record: Record, verdicts: Sequence[Verdict], trust: Validity, rules: Policy, *, missing: int = 0
) -> tuple[str, str]:
    """The run's verdict and its reason; `missing` objectives are left aside."""
    verdict, reason = _decided(record, verdicts, trust, rules, missing)
    doubts = [] if verdict in (PASS, MEASURED) else [one for one in _doubts(record) if one not in reason]
    return verdict, "; ".join([reason, *doubts])


def _decided(
    record: Record, verdicts: Sequence[Verdict], trust: Validity, rules: Policy, missing: int
) -> tuple[str, str]:
    deciding = [one for one in verdicts if one.decides]
    of = {
        name: [one for one in deciding if one.verdict == name] for name in (PASS, FAIL, INCONCLUSIVE, NO_DATA)
    }
    integrity = [one for one in verdicts if stands(one.sli, one.verdict)]
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
    verdict, reason = _passed(record, verdicts, rules, record.manifest.least_passes - missing)
    aside = [one for one in verdicts if not one.decides and one.verdict != PASS]
    return verdict, reason + (f"; for information, did not pass: {_names(aside)}" if aside else "")


def _unasked(record: Record, verdicts: Sequence[Verdict]) -> tuple[str, str]:
    """No objective decides: what was counted, where nothing more was wanted."""
    if verdicts or record.manifest.objectives or record.manifest.policy != MEASURE:
        return NO_DATA, "no objective that decides was judged"
    if doubts := _doubts(record):
        return INCONCLUSIVE, "; ".join(doubts)
    columns = Scope(record=record, windows=measured_time(record)).columns
    arrivals, good = (int(one[:, columns].sum()) for one in (record.valid, record.counters.ok))
    if not good:
        return NO_DATA, f"none of {arrivals} arrivals in the measured time got a good answer"
    return MEASURED, f"{good} of {arrivals} arrivals were good; nothing was judged: no objective was given"


def _passed(record: Record, verdicts: Sequence[Verdict], rules: Policy, least: int) -> tuple[str, str]:
    """No objective stands in the way; what else might."""
    if doubts := [*_doubts(record), *rules.doubts(verdicts)]:
        return INCONCLUSIVE, "; ".join(doubts)
    passes = sum(one.verdict == PASS for one in verdicts)
    if passes < least:
        return INCONCLUSIVE, f"{passes} objectives passed, the plan asks for {least}"
    return PASS, f"{passes} objectives passed"


def sound(record: Record, verdicts: Sequence[Verdict], trust: Validity, rules: Policy) -> bool:
    """Whether the run passes apart from baselines that are not there yet; those that are there decide.

    Where nothing else decides, a valid run of which there is no doubt will do: else there would never be any.
    """
    kept = [
        replace(one, decides=one.decides or one.basis == "baseline")
        for one in verdicts
        if one.baseline is None or one.baseline["state"] != NO_BASELINE
    ]
    missing = len(verdicts) - len(kept)
    if missing and not any(one.decides for one in kept):
        return trust.valid and _passed(record, kept, rules, record.manifest.least_passes - missing)[0] == PASS
    return overall(record, kept, trust, rules, missing=missing)[0] == PASS


def _doubts(record: Record) -> list[str]:
    """What keeps a run from passing though no objective says so."""
    doubts = whole.doubts(record)
    if record.state != "complete":
        doubts.append(
            "the run was cut short" + (f": {record.manifest.reason}" if record.manifest.reason else "")
        )
    for experiment in record.manifest.experiments:
        doubts += _of_fault(record, experiment)
    return doubts


def _of_fault(record: Record, experiment: PlannedExperiment) -> Iterator[str]:
    """Whether every repeat was seen where one was to be seen, and undone."""
    name = experiment.name
    windows = faults.repeats(record, name) or ((-inf, inf),)
    sights = [faults.seen(record, name, window) for window in windows]
    if experiment.probe == "none" and record.of_kind("probe", experiment=name, edge="first"):
        yield f"a probe saw a fault in {name}, which injects none"
    begun = [-inf, *(start for start, _ in windows[1:]), inf]
    for number, sight in enumerate(sights):
        which = f"{name} (repeat {number + 1} of {len(windows)})" if len(windows) > 1 else name
        within = (begun[number], begun[number + 1])
        if experiment.probe != "none" and sight.t0 is None:
            yield _unseen(record, name, within, which)
        undone = _between(record.of_kind("undo", experiment=name), within)
        wanted = experiment.probe != "none" and sight.t0 is not None
        if (wanted and not undone) or any(one.get("verified") is not True for one in undone):
            yield f"nothing shows that the fault of {which} was undone"


def _unseen(record: Record, experiment: str, within: Window, which: str) -> str:
    """Why nothing is known of how the system takes this fault."""
    refused = _between(record.of_kind("gate", experiment=experiment, holds=False), within)
    if refused:
        return f"the fault of {which} was not injected: {refused[-1].get('reason', '')}"
    return f"fault not observed: no probe saw that of {which}"


def _between(events: Sequence[Event], within: Window) -> list[Event]:
    return [one for one in events if within[0] <= float(one["t"]) < within[1]]


def measured_time(record: Record) -> tuple[Window, ...]:
    """Everything but the warm-up: phases with none between them are one stretch.

    A phase with a fault is marked a moment after the one before it has ended; that moment belongs to the run.
    """
    stretches: list[Window] = []
    warming = True
    for one in record.phases:
        if one.name != "warmup":
            begun, ended = (one.start, one.end) if warming else stretches.pop()
            stretches.append((begun, max(ended, one.end)))
        warming = one.name == "warmup"
    return tuple(stretches)


def _names(verdicts: Sequence[Verdict]) -> str:
    return ", ".join(one.name for one in verdicts)
