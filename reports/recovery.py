"""What each fault did to users, how long it took to pass, and what the experiment itself reported."""

from __future__ import annotations

from dataclasses import dataclass

from reports import formats
from reports.fields import Json, as_number, flag, mapping, number, pair, rows, text
from reports.folder import Folder
from reports.run import Run
from reports.table import NOT_APPLICABLE, Fact, Row, Table, numeric

STATES = {
    "recovered": "recovered",
    "no-impact": "no lasting impact on users",
    "censored": "not recovered when the run ended",
    "fault-not-observed": "fault not observed by its probe",
    "unsure": "bad arrivals, too few or too clustered to time",
}
BAD_STATES = ("censored", "fault-not-observed")
LOGGED = ("gate", "fis", "drill", "rewind", "probe", "undo", "abort", "worker_lost")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """Both clocks of every fault, each experiment's hypothesis, and the log of what was done."""

    clocks: Table
    facts: tuple[Fact, ...]
    hypotheses: tuple[tuple[str, str], ...]
    log: Table


def describe(run: Run) -> Recovery:
    """Read the verdicts' recoveries and the events around them."""
    experiments = mapping(run.folder.manifest, "experiments")
    return Recovery(
        clocks=_clocks(run),
        facts=_facts(run.folder),
        hypotheses=tuple((name, text(mapping(experiments, name), "hypothesis")) for name in experiments),
        log=_log(run),
    )


def repeats(folder: Folder) -> list[Json]:
    """Every fault that was looked at, each repeat of it by itself."""
    return [one for row in rows(folder.verdicts, "recovery") for one in rows(row, "repeats") or [row]]


def _facts(folder: Folder) -> tuple[Fact, ...]:
    """Time until service was back, time to recover, and the budget, over all faults of the run."""
    found = repeats(folder)
    if not found:
        return ()
    shares = [share for row in found if (share := number(row, "budget_share")) is not None]
    return (
        Fact(name="Faults", value=formats.number(len(found))),
        Fact(name="Service back after a fault began (RTO)", value=_spread(found, "absorption")),
        Fact(name="Recovered after a fault ended (time to recover)", value=_spread(found, "after_removal")),
        Fact(
            name="Share of the 30-day budget, all faults",
            value=formats.ratio(sum(shares)) if shares else formats.NO_DATA,
        ),
    )


def _spread(found: list[Json], clock: str) -> str:
    """The median and the longest of one clock; faults whose end the run did not see are counted apart."""
    whole = [row for row in found if text(row, "state") not in BAD_STATES]
    known = sorted(value for row in whole if (value := pair(row, clock)) is not None)
    lost = len(found) - len(known)
    missing = f"; {lost} not known to have ended" if lost else ""
    if not known:
        return f"{formats.NO_DATA}{missing}"
    longest = _stretch(known[-1])
    if len(known) == 1:
        return f"{longest}{missing}"
    return f"median {_stretch(known[len(known) // 2])}, longest {longest}{missing}"


def _stretch(value: tuple[float, float]) -> str:
    return f"{formats.duration(value[0])} to {formats.duration(value[1])}"


def _clocks(run: Run) -> Table:
    judged = repeats(run.folder)
    return Table(
        caption="Recovery by fault",
        columns=(
            "Experiment",
            "Outcome",
            "Fault seen by its probe",
            "t1: users notice",
            "t2: served again",
            "Absorbed after the fault began",
            "Recovered after it ended",
            "Share of the 30-day budget",
            "Relapses",
        ),
        rows=tuple(_clock(run, row) for row in judged),
        numeric=numeric(5, 8),
        notes=("Both clocks are read in steps of 5 s: the truth lies within the interval given.",)
        if judged
        else (),
        empty=_nothing(run),
    )


def _nothing(run: Run) -> str:
    """Why there are no clocks; a run that left no plan is not said to have had no fault."""
    if not run.phases:
        return formats.NO_DATA
    planned = run.faults or any(phase.experiment for phase in run.phases)
    return "The faults of this run were not judged." if planned else "No fault was injected."


def _clock(run: Run, row: Json) -> Row:
    state = text(row, "state")
    first, last = number(row, "t0"), number(row, "t_end")
    seen = (
        NOT_APPLICABLE
        if first is None
        else f"{formats.clock(first)} to {_clock_or(last, 'its end was not seen')}"
    )
    return Row(
        cells=(
            text(row, "experiment"),
            STATES.get(state, state or formats.NO_DATA) + _touched(row),
            seen,
            _after(run, number(row, "t1")),
            _after(run, number(row, "t2")),
            _within(row, "absorption"),
            _within(row, "after_removal"),
            formats.ratio(number(row, "budget_share")),
            _relapses(row),
        ),
        tone="fail" if state in BAD_STATES or row.get("relapses") else "",
    )


def _touched(row: Json) -> str:
    """Arrivals that went wrong while the fault was seen: an outage shorter than two windows is one too."""
    arrivals, bad = number(row, "arrivals"), number(row, "bad")
    if arrivals is None or bad is None:
        return ""
    return f" ({formats.number(bad)} of {formats.number(arrivals)} arrivals bad during the fault)"


def _clock_or(moment: float | None, otherwise: str) -> str:
    return otherwise if moment is None else formats.clock(moment)


def _after(run: Run, moment: float | None) -> str:
    if moment is None:
        return NOT_APPLICABLE
    return f"{formats.clock(moment)} ({formats.elapsed(moment - run.start)})"


def _within(row: Json, key: str) -> str:
    """An interval of seconds; without an upper end the run ended first."""
    value = row.get(key)
    if not isinstance(value, list) or len(value) != 2:
        return NOT_APPLICABLE
    low, high = as_number(value[0]), as_number(value[1])
    if low is None:
        return NOT_APPLICABLE
    if high is None or text(row, "state") == "censored":
        return f"> {formats.duration(low)} (the run ended first)"
    return f"{formats.duration(low)} to {formats.duration(high)}"


def _relapses(row: Json) -> str:
    value = row.get("relapses")
    if not isinstance(value, list) or not value:
        return "none"
    moments = [as_number(item[0] if isinstance(item, list) and item else item) for item in value]
    return f"{len(value)}: " + ", ".join(formats.clock(moment) for moment in moments if moment is not None)


def _log(run: Run) -> Table:
    found = [event for event in run.folder.events if text(event, "kind") in LOGGED]
    found.sort(key=lambda event: number(event, "t") or 0.0)
    return Table(
        caption="What was done to the system",
        columns=("UTC", "Experiment", "Who", "What"),
        rows=tuple(
            Row(
                cells=(
                    formats.clock(number(event, "t")),
                    text(event, "experiment", NOT_APPLICABLE),
                    *_said(event),
                ),
                tone="fail" if _worrying(event) else "",
            )
            for event in found
        ),
        empty="No gate, fault, probe or undo was recorded.",
    )


def _worrying(event: Json) -> bool:
    refused = flag(event, "holds") is False or flag(event, "verified") is False
    return refused or text(event, "kind") in ("abort", "worker_lost") or text(event, "state") == "failed"


def _said(event: Json) -> tuple[str, str]:
    """Who says it, and what."""
    kind, reason = text(event, "kind"), text(event, "reason")
    match kind:
        case "gate":
            held = (
                "steady state holds"
                if flag(event, "holds")
                else "steady state does not hold: no fault injected"
            )
            return "gate", f"{held}. {reason}".strip()
        case "fis":
            actions = mapping(event, "actions")
            parts = [f"{name} {_state(mapping(actions, name))}" for name in actions]
            return f"FIS {text(event, 'id')}".strip(), "; ".join(
                [f"{text(event, 'state')} {reason}".strip(), *parts]
            )
        case "probe":
            sight = (
                "first sight of the fault" if text(event, "edge") == "first" else "last sight of the fault"
            )
            detail = mapping(event, "detail")
            return f"probe {text(event, 'probe')}".strip(), "; ".join(
                [sight, *(f"{name} {text(detail, name)}" for name in detail)]
            )
        case "undo":
            verified = "undone and verified" if flag(event, "verified") else "undo could NOT be verified"
            return "undo", f"{verified}. {text(event, 'detail')}".strip()
        case "worker_lost":
            return "load", f"worker {text(event, 'worker')} was lost: {reason}".removesuffix(": ")
        case _:
            return kind, _drilled(event) if kind in ("drill", "rewind") else reason


def _drilled(event: Json) -> str:
    if text(event, "kind") == "rewind":
        point = formats.clock(number(event, "to"))
        return f"from here on the system shows its state of {point}; what came since is given up"
    step = text(event, "step") or text(event, "state")
    return f"{step} {text(event, 'reason')}".strip()


def _state(action: Json) -> str:
    return ": ".join(part for part in (text(action, "state"), text(action, "reason")) if part)


def exemplars(folder: Folder) -> Table:
    """The slowest and some failed requests, with the ids to find them by in the system's logs."""
    names = mapping(folder.manifest, "operations")
    found = sorted(
        folder.of_kind("exemplar"),
        key=lambda event: (text(event, "class") != "slowest", text(event, "class"), text(event, "op")),
    )
    return Table(
        caption="Slowest and failed requests",
        columns=("Class", "Operation", "UTC", "Detail", "Request id"),
        rows=tuple(
            Row(
                cells=(
                    text(event, "class"),
                    text(mapping(names, text(event, "op")), "name", text(event, "op")),
                    formats.clock(number(event, "t")),
                    text(event, "detail"),
                    text(event, "request_id", NOT_APPLICABLE),
                )
            )
            for event in found
        ),
        empty="No request was kept as an example.",
    )
