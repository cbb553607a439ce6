"""Acknowledged updates of a key that what is read there now does not contain. One is too many."""

from slo.finding import Finding
from slo.kind import PROMISED
from slo.ledger.versions import all_versions
from slo.objective import Objective
from slo.promises import counted, some, windows_of
from slo.scope import Scope

SHAPE = PROMISED


def judge(objective: Objective, scope: Scope) -> Finding:
    """Count lost updates, and keys that show what nobody wrote."""
    found = all_versions(scope.record.ledger, objective.sets, windows_of(objective, scope))
    lost, strange = sum(one.lost for one in found), sum(one.unexpected for one in found)
    ok, keys = sum(one.ok for one in found), sum(one.keys for one in found)
    ids = [key for one in found for key in (*one.lost_ids, *one.unexpected_keys)]
    return counted(
        objective,
        wrong=lost + strange,
        n=ok,
        of="acknowledged updates",
        reason=f"of {ok} acknowledged updates of {keys} keys {lost} are lost, "
        f"{strange} keys show what nobody wrote{some(ids)}",
        doubts=[f"{one.set}: {one.doubt}" for one in found if one.doubt],
    )
