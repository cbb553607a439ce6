"""The verdict, its objectives and what was not driven, as a reader sees them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from reports import formats
from reports.charts import Scale
from reports.fields import Json, flag, mapping, number, pair, rows, text, whole
from reports.folder import Folder
from reports.table import NOT_APPLICABLE, Row, Table
from slo.manifest import OPEN_MODELS

MINUS = "\N{MINUS SIGN}"
WORDS = {
    "fail": "FAIL",
    "invalid": "INVALID",
    "inconclusive": "INCONCLUSIVE",
    "no-data": "NO DATA",
    "pass": "PASS",
    "measured": "MEASURED",
}
MEANINGS = {
    "fail": "Failed: the target was missed beyond doubt",
    "invalid": "Invalid: the generator, not the system, was measured",
    "inconclusive": "Inconclusive: the samples do not decide it",
    "no-data": "No data: nothing was measured",
    "pass": "Passed: the target holds beyond doubt",
    "measured": "Measured: nobody judged it",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """Where an interval stands against its budget, in per cent of the bar's width."""

    low: float
    high: float
    point: float
    budget: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One objective's verdict and its evidence."""

    verdict: str
    word: str
    id: str
    instance: str
    phase: str
    sli: str
    expr: str
    basis: str
    decides: bool
    warned: bool
    measured: str
    counted: str
    effective: str
    interval: str
    budget: str
    bar: Bar | None
    margin: str
    minutes: str
    baseline: str
    reason: str
    file: str
    heading: str
    quote: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """All objectives of one verdict."""

    verdict: str
    meaning: str
    objectives: tuple[Judged, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Headline:
    """The verdict, its one-sentence reason, and what a reader must know before believing either."""

    verdict: str
    word: str
    reason: str
    tally: str
    cautions: tuple[str, ...]


def headline(folder: Folder) -> Headline:
    """The run's verdict; a run that nobody judged has no data."""
    verdicts = folder.verdicts
    verdict = _known(text(verdicts, "verdict"))
    reason = text(verdicts, "reason")
    if not verdicts:
        reason = "This run has not been judged yet: run gameday judge on its folder."
    return Headline(
        verdict=verdict,
        word=WORDS[verdict],
        reason=_sentence(reason) or "No reason was recorded.",
        tally=_tally(rows(verdicts, "objectives"), rows(verdicts, "not_driven")),
        cautions=tuple(_cautions(folder)),
    )


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]


def _known(verdict: str) -> str:
    return verdict if verdict in WORDS else "no-data"


def _tally(objectives: list[Json], not_driven: list[Json]) -> str:
    counts = Counter(_known(text(row, "verdict")) for row in objectives)
    said = [f"{counts[verdict]} {WORDS[verdict].lower()}" for verdict in WORDS if counts[verdict]]
    if not_driven:
        said.append(f"{len(not_driven)} not driven")
    return ", ".join(said)


def _cautions(folder: Folder) -> list[str]:
    said: list[str] = []
    state = text(folder.verdicts, "state") or text(folder.manifest, "state")
    running = text(folder.manifest, "state") == "running"
    if state == "cut-short" or running:
        why = text(folder.manifest, "reason") or (
            "its manifest still says running" if running else "no reason recorded"
        )
        said.append(f"Cut short: {why}. What follows is what had been recorded by then.")
    environment = mapping(folder.manifest, "environment")
    if text(environment, "kind") == "region":
        documents = number(environment, "documents")
        held = f", {formats.number(documents)} documents" if documents is not None else ""
        size = text(environment, "size", "unknown")
        said.append(
            f"This run drove the local region (size {size}{held}): "
            "it rehearses the suite and proves nothing about staging."
        )
    scale = number(environment, "time_scale")
    if scale is not None and scale != 1:
        said.append(f"Time is scaled by {formats.number(scale)}: faults and holds are shortened by as much.")
    return said


def groups(folder: Folder) -> tuple[Group, ...]:
    """The objectives, failing ones first."""
    found = [judged(row) for row in rows(folder.verdicts, "objectives")]
    model = ", on a closed model" if is_closed(folder) else ""
    return tuple(
        Group(verdict=verdict, meaning=MEANINGS[verdict] + model, objectives=chosen)
        for verdict in WORDS
        if (chosen := tuple(objective for objective in found if objective.verdict == verdict))
    )


def unjudged(folder: Folder) -> str:
    """What stands in the place of the objectives where there are none."""
    if text(folder.verdicts, "verdict") == "measured":
        return "No objective was given: the run was to measure only."
    return "No data: no objective was judged."


def is_closed(folder: Folder) -> bool:
    """Whether who sent next waited for an answer first."""
    return text(mapping(folder.manifest, "load"), "model", "arrivals") not in OPEN_MODELS


def not_driven(folder: Folder) -> Table:
    """Objectives of the system that this run did not try, and why."""
    return Table(
        caption="Not driven",
        columns=("Objective", "Why"),
        rows=tuple(
            Row(cells=(text(row, "id"), text(row, "reason"))) for row in rows(folder.verdicts, "not_driven")
        ),
        empty="Every objective of the system was driven." if folder.verdicts else formats.NO_DATA,
    )


def judged(row: Json) -> Judged:
    """One objective of verdicts.json."""
    verdict = _known(text(row, "verdict"))
    budget, interval, unit = number(row, "budget"), pair(row, "interval"), text(row, "unit")
    shared = (
        "ratio" if budget is not None else unit
    )  # an interval beside a budget is of the fraction that is bad
    source = mapping(row, "source")
    return Judged(
        verdict=verdict,
        word=WORDS[verdict],
        id=text(row, "id"),
        instance=text(row, "instance"),
        phase=text(row, "phase"),
        sli=text(row, "sli"),
        expr=text(row, "expr"),
        basis=text(row, "basis"),
        decides=flag(row, "decides") is not False,
        warned=flag(row, "warned") is True,
        measured=text(row, "measured_text") or formats.measured(number(row, "measured"), unit),
        counted=_counted(row),
        effective=_effective(row),
        interval=NOT_APPLICABLE if interval is None else formats.span(interval, shared),
        budget="" if budget is None else formats.ratio(budget),
        bar=_bar(row, interval, budget),
        margin=_margin(number(row, "margin")),
        minutes=_minutes(number(row, "minutes_needed")),
        baseline=_baseline(mapping(row, "baseline"), unit),
        reason=_sentence(text(row, "reason")),
        file=text(source, "file"),
        heading=text(source, "heading"),
        quote=text(source, "quote"),
    )


def _counted(row: Json) -> str:
    n = whole(row, "n")
    if not n:
        return NOT_APPLICABLE
    if number(row, "budget") is None:
        return f"n = {formats.number(n)}"
    return f"{formats.number(whole(row, 'k'))} of {formats.number(n)}"


def _effective(row: Json) -> str:
    n, effective, deff = whole(row, "n"), number(row, "n_eff"), number(row, "deff")
    if not n or effective is None or deff is None or deff <= 1:
        return ""
    return f"worth {formats.number(round(effective))} independent ones"


def _bar(row: Json, interval: tuple[float, float] | None, budget: float | None) -> Bar | None:
    n = number(row, "n")
    if interval is None or not budget or not n:
        return None
    at = Scale(domain=(0.0, 1.25 * max(interval[1], budget)), box=(0.0, 100.0))
    share = (number(row, "k") or 0.0) / n
    return Bar(low=at(interval[0]), high=at(interval[1]), point=at(share), budget=at(budget))


def _margin(value: float | None) -> str:
    """Distance to the limit in per cent of it, negative when missed."""
    if value is None:
        return NOT_APPLICABLE
    sign = "+" if value > 0 else MINUS if value < 0 else ""
    return f"{sign}{formats.ratio(abs(value))}"


def _minutes(value: float | None) -> str:
    if value is None:
        return NOT_APPLICABLE
    return "none" if value <= 0 else formats.duration(value * 60)


def _baseline(standing: Json, unit: str) -> str:
    """What the nights before measured, and where they put the limit."""
    nights, limit = whole(standing, "nights"), number(standing, "limit")
    if not standing or limit is None:
        return f"none, {nights} comparable nights" if standing else ""
    middle = formats.measured(number(standing, "median"), unit)
    return f"median {middle} of {nights} nights, limit {formats.measured(limit, unit)}"
