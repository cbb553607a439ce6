"""RPO: how old, at the fault's first effect, the oldest acknowledged write was that did not survive it.

Looks at writes acknowledged in [t0 - target, t2] and counts the lost ones beside the age. A lost write older
than that is over the target, and a matter of integrity besides; one acknowledged after t0 has no age. A loss
that reaches back to the first write of the ledger may be older than the ledger: no pass. Where another fault
came before and may have taken the oldest, the age is an interval.
"""

from dataclasses import replace

from slo import faults, ledger
from slo.clocks import censored, repeated, within
from slo.finding import INCONCLUSIVE, PASS, Finding, no_data, spoken
from slo.kind import Shape
from slo.ledger.survival import Survival, survival
from slo.objective import Objective
from slo.promises import some
from slo.record import Record
from slo.scope import Scope, Window

SHAPE = Shape(
    forms=(("max", "s"),),
    phases=("fault",),
    needs=frozenset({"sets", "against"}),
    load=False,
    aftermath=True,
    side="below",
)


def judge(objective: Objective, scope: Scope) -> Finding:
    """Judge the age, of each repeat by itself; without a complete read-back nothing can be said."""
    record, experiment = scope.record, scope.experiment
    if experiment is None:
        return no_data(objective.expr, "no fault belongs to this objective")
    if open_ := ledger.unread(ledger.accounts(record.ledger, objective.sets)):
        return no_data(objective.expr, "; ".join(open_))
    windows = faults.repeats(record, experiment.name)
    return repeated(objective.expr, [_repeat(objective, record, experiment.name, one) for one in windows])


def _repeat(objective: Objective, record: Record, experiment: str, window: Window) -> Finding:
    fault = faults.recover_one(record, experiment, objective, window)
    if fault.t0 is None:
        unseen = no_data(objective.expr, "fault not observed: no probe saw it begin")
        return replace(unseen, verdict=INCONCLUSIVE)
    found = survival(
        record.ledger,
        objective.sets,
        start=fault.t0 - objective.expr.limit,
        end=window[1] if fault.t2 is None else fault.t2,
        since=_since(record, window[0]),
    )
    judged = _against(objective, found, fault.t0)
    if judged.verdict == PASS and found.ok < objective.min_samples:
        few = f"{found.ok} writes acknowledged in the window of the {objective.min_samples} it asks for"
        return no_data(objective.expr, few)
    return judged


def _against(objective: Objective, found: Survival, t0: float) -> Finding:
    least, most = (0.0 if t is None else max(t0 - t, 0.0) for t in (found.oldest_since, found.oldest))
    story = f"{found.lost} of {found.ok} writes acknowledged in the window are lost{some(found.lost_ids)}"
    if found.earlier:
        story += f", {found.earlier} more that were acknowledged before it"
    if found.oldest is not None:
        story += f", the oldest {spoken(most, 's')} before the fault's first effect"
    if least < most:
        story += " (perhaps to an earlier fault)"
    if found.bottomless:
        story += "; nothing older survived, so the loss may reach back further"
        judged = censored(objective.expr, least, story, n=found.ok)
    else:
        judged = within(objective.expr, (least, most), story, n=found.ok)
    return replace(judged, k=found.lost + found.earlier)


def _since(record: Record, begun: float) -> float:
    """When the last fault phase before this one ended."""
    ends = [one.end for one in record.phases if one.name == "fault" and one.start < begun]
    return max(ends, default=0.0)
