"""Whether the folder of a run that calls itself complete holds a complete run.

A file that lost its end, a phase that left no trace, lines that stand twice: each makes the samples say more,
or something else, than what was measured. None of it fails a run; it keeps it from passing.
"""

from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from slo.record import Phase, Record

LONGEST_HOLE_S = 5
MANY_ARRIVALS = 20
MOST_COPIES = 0.1
MOST_UNKNOWN = 0.2


def doubts(record: Record) -> list[str]:
    """What is missing or stands twice, a sentence each."""
    if record.state != "complete":
        return []
    return [
        *_phases(record),
        *_load(record),
        *_holes(record),
        *_copies(record),
        *_unsent(record),
        *_unlogged(record),
    ]


def _phases(record: Record) -> list[str]:
    seen = [(one.name, one.experiment) for one in record.phases if one.ended]
    missing = []
    for planned in record.manifest.phases:
        same = next(
            (one for one in seen if one[0] == planned.name and one[1] in (planned.experiment, None)), None
        )
        if same is None:
            of = f" of {planned.experiment}" if planned.experiment else ""
            missing.append(f"events.jsonl does not show phase {planned.name}{of} from its start to its end")
        else:
            seen.remove(same)
    return missing


def _load(record: Record) -> list[str]:
    ended = record.of_kind("load", edge="end")
    return [] if ended else ["events.jsonl does not show the end of the load"]


def _copies(record: Record) -> list[str]:
    counters = record.counters
    if counters.repeated <= MOST_COPIES * counters.lines:
        return []
    return [f"{counters.repeated} of {counters.lines} lines of counters.jsonl are copies of others"]


def _unsent(record: Record) -> list[str]:
    counters = record.counters
    more = counters.ok.sum(axis=1) > counters.sent.sum(axis=1)
    names = [slug for slug, too_many in zip(counters.operations, more, strict=True) if too_many]
    return [f"counters.jsonl has more good answers than requests of {', '.join(names)}"] if names else []


def _unlogged(record: Record) -> list[str]:
    if (record.folder / "latency.hlog").exists() or not record.counters.ok.any():
        return []
    return ["there are good answers and no latency.hlog, so nothing shows how arrivals cluster"]


def _holes(record: Record) -> list[str]:
    """Stretches of a phase in which nothing was counted although the generator says that it sent."""
    counted = (record.counters.intended + record.counters.planned).sum(axis=0) > 0
    sending = _sending(record)
    found = []
    for phase in record.phases:
        if not record.counters.seconds:
            return ["counters.jsonl is empty or missing"]
        hole = _longest(record, phase, counted, sending)
        if hole:
            found.append(f"counters.jsonl holds nothing of {hole} s in a row of phase {phase.name}")
    return found or _scattered(record, counted, sending)


def _scattered(record: Record, counted: NDArray[np.bool_], sending: dict[int, float] | None) -> list[str]:
    """Many short holes: requests that were started in seconds without a line, against all."""
    started = {second: count for second, count in (sending or {}).items() if _in_phase(record, second)}
    start, end = record.counters.start, record.counters.end
    unknown = sum(
        count for second, count in started.items() if not (start <= second < end and counted[second - start])
    )
    if unknown <= MOST_UNKNOWN * sum(started.values()):
        return []
    return [f"counters.jsonl knows nothing of the seconds in which {unknown:.0f} requests were started"]


def _in_phase(record: Record, second: int) -> bool:
    return any(one.start <= second < one.end for one in record.phases)


def _sending(record: Record) -> dict[int, float] | None:
    """Requests started by second, by the generator's own account; None where it does not say."""
    started: dict[int, float] = {}
    for event in record.of_kind("generator"):
        if not isinstance(event.get("starts"), int | float):
            return None
        second = int(float(event["t"]) - 0.5)
        started[second] = started.get(second, 0.0) + float(event["starts"])
    return started or None


def _longest(
    record: Record, phase: Phase, counted: NDArray[np.bool_], sending: dict[int, float] | None
) -> int:
    """The longest stretch of the phase without a line that cannot be put down to few arrivals; 0 if none."""
    begun, ended = int(np.ceil(phase.start)), int(np.floor(phase.end))
    start, end = record.counters.start, record.counters.end
    known = [start <= second < end and bool(counted[second - start]) for second in range(begun, ended)]
    whole = record.counters.intended.sum(axis=0)
    arrivals = float(whole[record.counters.within(phase.start, phase.end)].sum())
    allowed = LONGEST_HOLE_S + MANY_ARRIVALS * (sum(known) / arrivals if arrivals else 0.0)
    if record.manifest.closed:
        allowed += record.manifest.timeout_s + float(record.manifest.load.get("think_s") or 0.0)
    longest, second = 0, begun
    for is_known, stretch in groupby(known):
        length = len(list(stretch))
        inner = range(second + 1, second + length - 1)
        sent = sending is None or sum(sending.get(one, 0.0) for one in inner) > 0
        if not is_known and length > allowed and sent:
            longest = max(longest, length)
        second += length
    return longest
