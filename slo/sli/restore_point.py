"""A restore to a point in time: every write acknowledged before the point is there. One missing is too many.

How many of those acknowledged after it are gone is told beside that: they are what the restore gave up, by
what is asked for. If none of them is, this is not the state of that point, and nothing is proven. Jobs that
were under way at the point and never ended are counted as well.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from slo import faults, ledger
from slo.finding import INCONCLUSIVE, PASS, Finding, no_data, spoken
from slo.kind import PROMISED
from slo.ledger.books import Book, Ledger, Write
from slo.objective import Objective
from slo.promises import counted, some
from slo.record import Event
from slo.scope import Scope

SHAPE = replace(PROMISED, phases=("fault",))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Count:
    """Writes acknowledged `before` and `after` the point, and what a read-back does not find of them."""

    before: int
    lost: tuple[str, ...]
    unfinished: int
    after: int
    gone: int


def judge(objective: Objective, scope: Scope) -> Finding:
    """Count the missing of those acknowledged up to the point, by a complete read-back."""
    record, experiment = scope.record, scope.experiment
    if experiment is None:
        return no_data(objective.expr, "no fault belongs to this objective")
    restores = record.of_kind("rewind", experiment=experiment.name)
    if not restores:
        unseen = no_data(objective.expr, "nothing shows that anything was restored")
        return replace(unseen, verdict=INCONCLUSIVE)
    last = restores[-1]
    count = _counted(record.ledger, objective.sets, float(last["to"]))
    found = counted(
        objective,
        wrong=len(count.lost),
        n=count.before,
        of="writes acknowledged before the restore point",
        reason=_story(count, last, faults.seen(record, experiment.name).api_start),
        doubts=ledger.unread(ledger.accounts(record.ledger, objective.sets)),
    )
    if found.verdict == PASS and not count.gone:
        reason = f"none of {count.after} writes acknowledged after the point is gone: this is not its state"
        return replace(found, verdict=INCONCLUSIVE, reason=reason)
    return found


def _counted(whole: Ledger, names: tuple[str, ...], point: float) -> _Count:
    before: list[tuple[str, Book, Write]] = []
    after: list[tuple[str, Book, Write]] = []
    for name, book in whole.touched(names).items():
        taken: Mapping[str, Write] = whole.taken.get(name, {})
        for key, write in {**book.writes, **taken}.items():
            if write.acknowledged is not None and write.acknowledged <= point:
                before.append((key, book, write))
        after += [(key, book, write) for key, write in taken.items() if (write.acknowledged or 0.0) > point]
    lost = [key for key, book, _ in before if not _is_there(book, key)]
    there = [(book, key) for key, book, _ in before if _is_there(book, key)]
    return _Count(
        before=len(before),
        lost=tuple(sorted(lost)),
        unfinished=sum(book.reads[key].count < 1 for book, key in there),
        after=len(after),
        gone=sum(not _is_there(book, key) for key, book, _ in after),
    )


def _is_there(book: Book, key: str) -> bool:
    found = book.reads.get(key)
    return found is not None and found.there


def _story(count: _Count, last: Event, started: float | None) -> str:
    point, until = float(last["to"]), float(last["t"])
    lost = f"{len(count.lost)} of {count.before} writes acknowledged before the restore point are lost"
    story = f"{lost}{some(count.lost)}; of {count.after} acknowledged after it {count.gone} are gone"
    story += f", as {spoken(until - point, 's')} were given up"
    if started is not None and started > point:
        story += f", {spoken(started - point, 's')} of them before the drill began"
    if count.unfinished:
        story += f"; {count.unfinished} jobs accepted before it never ended"
    return story
