"""What was planted beside what the judge said: caught, missed, false alarm.

A defect is caught when the objective named beforehand fails; any other word of the judge is a miss. An
objective that fails without being named is a false alarm, unless what was planted explains it. A twin, and a
run with nothing planted, must leave everything standing. A twin that had no effect is a miss: whoever passes
it has passed a healthy system.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from detect.rows import AS_ARGUED, CAUGHT, FALSE_ALARM, MISSED, QUIET, Row
from detect.runs import Run
from detect.setup import Group, Setup
from slo.finding import FAIL, INCONCLUSIVE, INVALID, NO_DATA, PASS
from slo.verdict import Verdict, Verdicts

UNSEEN = "fault not observed"
UNSEEN_EXIT = 3
WITHOUT_EFFECT = "twin without effect"
_RANK = {word: rank for rank, word in enumerate((FAIL, INVALID, NO_DATA, INCONCLUSIVE, PASS))}


def of_group(
    group: Group, setup: Setup, run: Run, healthy: Mapping[str, Sequence[str]] | None = None
) -> list[Row]:
    """The rows of a run with defects or twins in it.

    `healthy`: what clean runs measured for an objective, to be read beside what a twin measured.
    """
    names = (*group.defects, *group.twins)
    found = run.verdicts
    if found is None or not run.whole:
        return [_unjudged(group.part, group.name, name, run) for name in names]
    if group.unseen:
        rows = [_unseen(group, name, setup.defects[name].catches, run, found) for name in group.defects]
    else:
        rows = [_defect(group, name, setup.defects[name].catches, found) for name in group.defects]
    for name in group.twins:
        objective = setup.defects[name].catches
        clean = (healthy or {}).get(objective, ())
        rows.append(_twin(group, name, objective, found, times=run.effects.get(name, 0), clean=clean))
    named = {setup.defects[name].catches for name in names}
    return rows + others(group.part, group.name, found, named=named, excuses=setup.excuses(group))


def of_clean(part: str, name: str, run: Run) -> list[Row]:
    """The rows of a run with nothing planted: one when all is quiet, one for each false alarm otherwise."""
    found = run.verdicts
    if found is None or not run.whole:
        return [_unjudged(part, name, "nothing", run)]
    alarms = others(part, name, found, named=set(), excuses={})
    if alarms:
        return alarms
    open_ = [one.name for one in found.objectives if one.verdict != PASS]
    passed = f"{len(found.objectives) - len(open_)} of {len(found.objectives)} pass"
    text = f"{passed}; undecided: {', '.join(open_)}" if open_ else passed
    return [Row(part=part, run=name, what="nothing", expected="no fail", found=text, result=QUIET)]


def others(
    part: str, name: str, found: Verdicts, *, named: Iterable[str], excuses: Mapping[str, str]
) -> list[Row]:
    """Objectives that failed without being named: explained, or false alarms."""
    failed = [one for one in found.objectives if one.verdict == FAIL and one.id not in set(named)]
    return [
        Row(
            part=part,
            run=name,
            what=f"{one.name} fails as well",
            expected=excuses.get(one.id, "no fail"),
            found=_words(one),
            result=AS_ARGUED if one.id in excuses else FALSE_ALARM,
        )
        for one in failed
    ]


def verdict_of(found: Verdicts, objective: str) -> Verdict | None:
    """The worst of an objective's verdicts, where it is judged for several faults; None where for none."""
    own = [one for one in found.objectives if one.id == objective]
    return min(own, key=lambda one: _RANK.get(one.verdict, 0), default=None)


def _defect(group: Group, name: str, objective: str, found: Verdicts) -> Row:
    one = verdict_of(found, objective)
    caught = one is not None and one.verdict == FAIL
    return _row(group, name, f"{objective} fails", one, CAUGHT if caught else MISSED)


def _twin(
    group: Group, name: str, objective: str, found: Verdicts, *, times: int, clean: Sequence[str]
) -> Row:
    """A pass says something only where the twin did what it does, in the phase that is judged."""
    one = verdict_of(found, objective)
    passed = one is not None and one.verdict == PASS
    result = FALSE_ALARM if not passed else QUIET if times else MISSED
    row = _row(group, f"{name}/twin", f"{objective} passes, with effect", one, result)
    acted = f"acted {times} times" if times else WITHOUT_EFFECT
    beside = f", clean runs {' '.join(clean)}" if clean else ""
    measured = f"measured {one.measured_text}{beside}" if one is not None else ""
    return replace(row, found="; ".join(filter(None, (acted, measured, row.found))))


def _unseen(group: Group, name: str, objective: str, run: Run, found: Verdicts) -> Row:
    one = verdict_of(found, objective)
    said = one is not None and one.verdict == INCONCLUSIVE and UNSEEN in one.reason
    right = said and run.code == UNSEEN_EXIT
    row = _row(group, name, f"{objective} inconclusive, exit {UNSEEN_EXIT}", one, CAUGHT if right else MISSED)
    return row if right else replace(row, found=f"exit {run.code}, {row.found}")


def _row(group: Group, what: str, expected: str, one: Verdict | None, result: str) -> Row:
    found = _words(one) if one is not None else "the plan does not drive it"
    return Row(part=group.part, run=group.name, what=what, expected=expected, found=found, result=result)


def _unjudged(part: str, name: str, what: str, run: Run) -> Row:
    return Row(
        part=part,
        run=name,
        what=what,
        expected="a whole run",
        found=f"exit {run.code}, {run.flaw}",
        result=MISSED,
    )


def _words(one: Verdict) -> str:
    return f"{one.verdict}: {one.reason}"
