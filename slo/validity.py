"""Whether the generator can be believed: where it was the bottleneck, the run says nothing of the system."""

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from slo.finding import spoken
from slo.objective import Objective
from slo.record import Event, Record
from slo.scope import Scope, Window
from slo.shares import budget_of

PART = 0.1
CPU = 0.9
CPU_FOR_S = 10
CLOCK_STEP_S = 0.05
TOLD = 0.8
STOLEN = 0.2  # with a tenth taken now and then, no answer of a healthy local region took 500 ms
STOLEN_FOR = 0.01
SHARES = ("errors", "availability", "latency", "attainment")


@dataclass(frozen=True, slots=True, kw_only=True)
class Validity:
    """Causes are sentences; no cause means valid. Lag in seconds, CPU as a share of one core.

    `disturbed` is a sentence too, empty if nothing is known to have disturbed this machine: what fails of a
    load only in the epoch seconds `disturbed_in` may have failed for that, and what passes has passed in
    spite of it. `stolen_max` is the largest share of all processors that the machine's host took in a second.
    """

    valid: bool
    causes: tuple[str, ...]
    start_lag_p99: float | None
    cpu_max: float | None
    misses_generator: int
    attainment: float | None
    stolen_max: float | None = None
    disturbed: str = ""
    disturbed_in: tuple[int, ...] = ()


def check(record: Record, objectives: Sequence[Objective], windows: Sequence[Window]) -> Validity:
    """Look at the generator in the windows that are judged, with the tightest of the objectives in mind."""
    scope = Scope(record=record, windows=tuple(windows))
    reports = [e for e in record.of_kind("generator") if any(a <= float(e["t"]) - 1 < b for a, b in windows)]
    misses, intended, attainment = _misses(scope)
    lag = start_lag(reports) if reports else None
    cpu = max((float(e.get("cpu", 0.0)) for e in reports), default=None)
    causes = [
        *_lost(record.of_kind("worker_lost")),
        *_missed(misses, intended, objectives),
        *_late(lag, objectives),
        *(_silent(record, reports, windows) if scope.columns.size else []),
        *_busy(reports),
        *_told(reports),
        *_stepped(record.of_kind("generator")),
    ]
    return Validity(
        valid=not causes,
        causes=tuple(causes),
        start_lag_p99=lag,
        cpu_max=cpu,
        misses_generator=misses,
        attainment=attainment,
        stolen_max=max((float(e["stolen"]) for e in reports if "stolen" in e), default=None),
        disturbed=(disturbed := _stolen(reports)),
        disturbed_in=_stolen_in(reports) if disturbed else (),
    )


def unknown(cause: str) -> Validity:
    """Not valid, because nothing is known of the generator."""
    return Validity(
        valid=False, causes=(cause,), start_lag_p99=None, cpu_max=None, misses_generator=0, attainment=None
    )


def start_lag(reports: Sequence[Event], q: float = 0.99) -> float:
    """The q-quantile of all start lags, from each second's median, p99 and maximum.

    Between those three points a second's share of later starts is taken as log-linear in the lag.
    """
    p50, p99, most = (
        np.array([float(e.get(name, 0.0)) for e in reports]) for name in ("lag_p50", "lag_p99", "lag_max")
    )
    p99 = np.maximum(p99, p50)
    most = np.maximum(most, p99)
    low, high = 0.0, float(most.max())
    if _later(p50, p99, most, low) <= 1 - q:
        return 0.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _later(p50, p99, most, middle) > 1 - q else (low, middle)
    return high


def _later(
    p50: NDArray[np.float64], p99: NDArray[np.float64], most: NDArray[np.float64], lag: float
) -> float:
    """The share of starts later than `lag`, all seconds alike."""
    lags = (np.zeros_like(p50), p50, p99, most)
    logs = np.log([1.0, 0.5, 0.01, 0.001])
    share = np.zeros_like(p50)
    for left, right, high, low in zip(lags, lags[1:], logs, logs[1:], strict=False):
        inside = (left <= lag) & (lag < right)
        along = np.divide(lag - left, right - left, out=np.zeros_like(p50), where=inside)
        share = np.where(inside, np.exp(high + (low - high) * along), share)
    return float(share.mean())


def _misses(scope: Scope) -> tuple[int, int, float | None]:
    counters, columns = scope.record.counters, scope.columns
    dropped = counters.bad.get("dropped_generator", np.zeros_like(counters.ok))
    planned = int(np.maximum(counters.planned, scope.record.valid)[:, columns].sum())
    good = int(counters.ok[:, columns].sum())
    return (
        int(dropped[:, columns].sum()),
        int(scope.record.valid[:, columns].sum()),
        good / planned if planned else None,
    )


def _missed(misses: int, intended: int, objectives: Sequence[Objective]) -> list[str]:
    budgets = [
        budget_of(one)
        for one in objectives
        if one.sli in SHARES and one.expr.metric != "max" and not one.expr.relative
    ]
    allowed = PART * min(budgets, default=0.01) * intended
    if misses <= allowed:
        return []
    return [f"the generator itself missed {misses} arrivals, a tenth of the tightest budget is {allowed:.1f}"]


def _late(lag: float | None, objectives: Sequence[Objective]) -> list[str]:
    limits = [one.expr.limit for one in objectives if one.sli == "latency" and not one.expr.relative]
    if lag is None or not limits or lag <= PART * min(limits):
        return []
    allowed = spoken(PART * min(limits), "s")
    return [
        f"1% of arrivals began more than {spoken(lag, 's')} late; a tenth of the latency target is {allowed}"
    ]


def _silent(record: Record, reports: Sequence[Event], windows: Sequence[Window]) -> list[str]:
    """Workers of which nothing is known; those that were lost are named as such."""
    expected = record.manifest.raw.get("workers")
    if not reports:
        return ["the generator left no account of itself"]
    seconds = sum(end - start for start, end in windows)
    lost = {str(e.get("worker", "")) for e in record.of_kind("worker_lost")}
    told = Counter(str(e.get("worker", "")) for e in reports)
    known = {*told, *lost}
    fewest = min((count for worker, count in told.items() if worker not in lost), default=0)
    if told.keys() - lost and fewest < TOLD * seconds - 5:
        return [f"the generator's account of itself covers {fewest} of {seconds:.0f} s"]
    if not isinstance(expected, int) or len(known) >= expected:
        return []
    return [f"{expected - len(known)} of {expected} workers left no account of themselves"]


def _lost(events: Sequence[Event]) -> list[str]:
    """Every lost worker by name, with where it ran and why it was given up if that is known."""
    causes = []
    for event in events:
        where = f" (pid {event['pid']} on {event['host']})" if "pid" in event and "host" in event else ""
        reason = f": {event['reason']}" if event.get("reason") else ""
        causes.append(f"worker {event.get('worker')}{where} was lost{reason}")
    return causes


def _busy(reports: Sequence[Event]) -> list[str]:
    seconds: dict[str, list[Event]] = defaultdict(list)
    for event in reports:
        seconds[str(event.get("worker", ""))].append(event)
    for worker, events in seconds.items():
        since: float | None = None
        for event in events:
            if float(event.get("cpu", 0.0)) <= CPU:
                since = None
                continue
            since = float(event["t"]) - 1 if since is None else since
            if float(event["t"]) - since >= CPU_FOR_S - 0.5:
                who = f"worker {worker}" if worker else "the generator"
                return [f"{who} used more than {CPU:.0%} of its core for {CPU_FOR_S} s"]
    return []


def _stolen(reports: Sequence[Event]) -> str:
    """Said when the host took a fifth of the processors, or more, in more than one second of a hundred.

    A percentile's budget of 1% is gone then, whatever the system does, where it runs on this machine; and
    where it does not, answers have waited here.
    """
    told = [float(e["stolen"]) for e in reports if "stolen" in e]
    much = sum(share >= STOLEN for share in told)
    if much <= STOLEN_FOR * len(told):
        return ""
    return (
        f"the host of the generator's machine took {STOLEN:.0%} of its processors, or more, in {much} of "
        f"{len(told)} s ({max(told):.0%} at worst)"
    )


def _stolen_in(reports: Sequence[Event]) -> tuple[int, ...]:
    """Those seconds, and the one after each, in which the backlog is worked off."""
    ends = [math.floor(float(e["t"])) for e in reports if float(e.get("stolen", 0.0)) >= STOLEN]
    return tuple(sorted({second for end in ends for second in (end - 1, end)}))


def _told(reports: Sequence[Event]) -> list[str]:
    """Figures that every account of a generator has, and that cannot be below zero."""
    for name in ("cpu", "lag_p99"):
        if any(not float(e.get(name, -1.0)) >= 0 for e in reports):
            return [f"the generator's account of itself has no sound {name}"]
    return []


def _stepped(reports: Sequence[Event]) -> list[str]:
    most = max(reports, key=lambda e: abs(float(e.get("clock_step", 0.0))), default={})
    step = abs(float(most.get("clock_step", 0.0)))
    if step <= CLOCK_STEP_S:
        return []
    whose = f" of worker {most['worker']}" if most.get("worker") else ""
    return [f"the clock{whose} stepped by {spoken(step, 's')}"]
