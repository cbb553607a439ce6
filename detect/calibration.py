"""How often the judge is wrong where the truth is known: `python -m detect.calibration`.

Targets are set so that the truth is 10% inside or outside of them. A wrong pass is a pass outside, a wrong
fail a fail inside; anything else is right or honestly undecided. Each verdict comes out of the judge's own
path: counters, latency log, scope, design effect.
"""

import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import ceil
from pathlib import Path

import numpy as np

from detect.queue import Floats, Queue
from slo import histogram, statistics
from slo.counters import Counters
from slo.expression import parse
from slo.finding import FAIL, INCONCLUSIVE, PASS, against_budget
from slo.kind import kinds
from slo.ledger import Ledger
from slo.manifest import Manifest
from slo.objective import loads
from slo.record import Record
from slo.scope import Scope

RATE = 300.0
UTILISATIONS = (0.3, 0.5, 0.8)
LENGTHS = (130, 600)
RUNS = 200
START = 1_700_000_000
OP = "op"
QUANTILES = (0.5, 0.99)
BUDGET = 0.001
THROUGHPUT = """
[[objective]]
id = "throughput"
sli = "throughput"
phase = "steady"
operations = ["op"]
expr = "value >= {limit:g}/s"
basis = "documented"
source = {{ file = "f", heading = "h", quote = "q" }}
"""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Case:
    """One kind of target at one utilisation; `inside`: the truth keeps the target."""

    target: str
    utilisation: float
    seconds: int
    inside: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How many verdicts were what."""

    case: Case
    passes: int
    fails: int
    undecided: int

    @property
    def total(self) -> int:
        """All verdicts."""
        return self.passes + self.fails + self.undecided

    @property
    def mistakes(self) -> int:
        """Wrong passes or wrong fails."""
        return self.fails if self.case.inside else self.passes

    @property
    def wrong(self) -> float:
        """The share of wrong passes or wrong fails."""
        return self.mistakes / self.total

    @property
    def bounds(self) -> tuple[float, float]:
        """One-sided 95% bounds of that share."""
        found = statistics.proportion(self.mistakes, self.total)
        return found.lower, found.upper


def record_of(
    at: Floats,
    latency: Floats,
    failed: np.ndarray,
    *,
    limit: float,
    seconds: int,
    log: histogram.Log | None = None,
) -> Record:
    """A run folder's content, in memory: one operation, one steady phase; `log` if it is known already."""
    second = at.astype(int)

    def grid(mask: np.ndarray) -> np.ndarray:
        return np.bincount(second[mask], minlength=seconds)[None, :].astype(np.int64)

    every, good = np.ones(at.size, dtype=bool), ~failed
    counters = Counters(
        start=START,
        operations=(OP,),
        planned=grid(every),
        intended=grid(every),
        sent=grid(every),
        ok=grid(good),
        bad={"http_5xx": grid(failed)},
        slower={limit: grid(good & (latency >= limit))},
        p50=np.full((1, seconds), np.nan),
        p99=np.full((1, seconds), np.nan),
    )
    record = Record(
        folder=Path(),
        manifest=_manifest(),
        counters=counters,
        phases=(),
        events=(),
        metrics=(),
        ledger=Ledger(),
    )
    record.__dict__["histograms"] = log or _log(second[good], latency[good], seconds)
    return record


def _log(second: np.ndarray, latency: Floats, seconds: int) -> histogram.Log:
    intervals = {}
    for begin in range(0, seconds - seconds % 10, 10):
        counts = histogram.record(latency[(second >= begin) & (second < begin + 10)])
        intervals[float(START + begin)] = [histogram.Interval(where="", text=histogram.encode(counts))]
    return histogram.Log(intervals={f"{OP}.ok": intervals})


def _manifest() -> Manifest:
    return Manifest(
        run_id="calibration", state="complete", reason="", system="", plan="", policy="", environment={},
        load={}, phases=(), operations={OP: ()}, objectives=(), least_passes=0, experiments=(), started=0.0,
        raw={},
    )  # fmt: skip


def verdict(record: Record, target: str, *, limit: float, budget: float, seconds: int) -> str:
    """The judge's word on a share: slower than the limit, or failed."""
    scope = Scope(record=record, windows=((float(START), float(START + seconds)),))
    bad = record.bad + (record.counters.slower[limit] if target.startswith("p(") else 0)
    rows = scope.rows(())
    found = against_budget(
        k=int(bad.sum()),
        n=int(record.valid.sum()),
        deff=scope.design_effect(bad, record.valid, rows, budget),
        blocks=len(scope.blocks()),
        budget=budget,
        seconds=float(seconds),
        least=1,
        expr=parse("p(99) < 1s"),
    )
    return found.verdict


def sample(
    utilisation: float, truth: Mapping[float, float], *, seconds: int, seed: int
) -> Iterator[tuple[Case, str]]:
    """One run of a queue, judged in every way; `truth` holds its quantiles."""
    at, latency = Queue(rate=RATE, utilisation=utilisation).run(seconds, seed=seed + 1)
    none = np.zeros(at.size, dtype=bool)
    log = _log(at.astype(int), latency, seconds)
    for inside in (True, False):
        factor = 1 / 0.9 if inside else 1 / 1.1
        for q in QUANTILES:
            case = Case(target=f"p({q * 100:g})", utilisation=utilisation, seconds=seconds, inside=inside)
            limit = truth[q] * factor
            found = record_of(at, latency, none, limit=limit, seconds=seconds, log=log)
            yield case, verdict(found, case.target, limit=limit, budget=1 - q, seconds=seconds)
        for name in ("errors", "errors, clustered"):
            failed = _failed(at, seconds, rate=BUDGET / factor, clustered=name != "errors", seed=seed)
            case = Case(target=name, utilisation=utilisation, seconds=seconds, inside=inside)
            found = record_of(at, latency, failed, limit=1e9, seconds=seconds)
            yield case, verdict(found, case.target, limit=1e9, budget=BUDGET, seconds=seconds)
        case = Case(target="throughput", utilisation=utilisation, seconds=seconds, inside=inside)
        found = record_of(at, latency, none, limit=1e9, seconds=seconds, log=log)
        yield case, _throughput(found, RATE * (0.9 if inside else 1.1), seconds)


def _throughput(record: Record, limit: float, seconds: int) -> str:
    (objective,) = loads(THROUGHPUT.format(limit=limit), "calibration")
    scope = Scope(record=record, windows=((float(START), float(START + seconds)),))
    return kinds()["throughput"].judge(objective, scope).verdict


def _failed(at: Floats, seconds: int, *, rate: float, clustered: bool, seed: int) -> np.ndarray:
    """Errors by themselves, or in bursts of 2 s at random: ten times as likely in a tenth of the time."""
    rng = np.random.default_rng(1_000_000 + seed)
    share = np.full(at.size, rate)
    if clustered:
        burst = rng.random(ceil(seconds / 2)) < 0.1
        share = np.where(burst[(at / 2).astype(int)], rate * 10, 0.0)
    failed: np.ndarray = rng.random(at.size) < share
    return failed


def truths() -> dict[float, dict[float, float]]:
    """The quantiles of each utilisation's queue."""
    return {u: Queue(rate=RATE, utilisation=u).truth(*QUANTILES) for u in UTILISATIONS}


def counted(words: Iterable[tuple[Case, str]]) -> list[Outcome]:
    """Verdicts put together by case."""
    by_case: dict[Case, Counter[str]] = {}
    for case, word in words:
        by_case.setdefault(case, Counter())[word] += 1
    return [
        Outcome(case=case, passes=found[PASS], fails=found[FAIL], undecided=found[INCONCLUSIVE])
        for case, found in sorted(by_case.items())
    ]


def outcomes(runs: int = RUNS) -> Iterator[Outcome]:
    """Every case in turn."""
    for utilisation, truth in truths().items():
        for seconds in LENGTHS:
            yield from counted(
                one for seed in range(runs) for one in sample(utilisation, truth, seconds=seconds, seed=seed)
            )


def main(runs: int = RUNS) -> None:
    """Print the table as it is found."""
    print(f"{'target':20}{'util':>6}{'length':>8}{'truth':>9}{'pass':>7}{'fail':>7}{'open':>7}{'wrong':>8}")  # noqa: T201
    for one in outcomes(runs):
        case = one.case
        shares = "".join(f"{n / one.total:7.1%}" for n in (one.passes, one.fails, one.undecided))
        side = "inside" if case.inside else "outside"
        print(  # noqa: T201
            f"{case.target:20}{case.utilisation:6.1f}{case.seconds:7d}s{side:>9}{shares}{one.wrong:8.1%}",
            flush=True,
        )


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:]))
