"""Arrivals of a lost worker that never came: known, because the schedule is."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from scenarios.load.arrivals import Due
from scenarios.load.operation import Flow

CAUSE = "dropped_generator"


def missing(
    schedule: Iterable[Due],
    flows: Mapping[str, Flow],
    *,
    begin: float,
    until: float,
    seen: Mapping[tuple[int, str], int],
) -> list[dict[str, Any]]:
    """Lines of counters for what a worker's share of the schedule still owes, up to the moment ``until``.

    ``begin`` and ``until`` are epoch seconds, ``seen`` the operations its books hold by second and slug. In
    the last second that they tell of, operations that no arrival began may stand for some that one did.
    """
    last = max((second for second, _ in seen), default=math.floor(begin))
    owed: Counter[tuple[int, str]] = Counter()
    planned: Counter[tuple[int, str]] = Counter()
    for due in schedule:
        at = begin + due.at
        if at >= until:
            break
        second = math.floor(at)
        if second < last - 1:
            continue
        first, *rest = flows[due.flow].operations
        owed[second, first] += 1
        if second > last:
            planned.update((second, slug) for slug in rest)
    for key in owed:
        owed[key] = max(0, owed[key] - seen.get(key, 0))
    return [_line(key, owed[key], planned[key]) for key in sorted(owed.keys() | planned.keys())]


def _line(key: tuple[int, str], owed: int, planned: int) -> dict[str, Any]:
    bad = {CAUSE: owed} if owed else {}
    line = {"t": key[0], "op": key[1], "planned": owed + planned, "intended": owed, "sent": 0, "ok": 0}
    return line | {"bad": bad, "slower": {}}
