"""A whole report as text and chart geometry: what the templates print without computing anything."""

from __future__ import annotations

from dataclasses import dataclass

from reports import answers, context, formats, judged, latency, ledger, recovery, timelines
from reports.answers import Figure
from reports.fields import mapping, number, text
from reports.folder import Folder
from reports.judged import Group, Headline
from reports.panel import Chart
from reports.recovery import Recovery
from reports.run import Run
from reports.table import Fact, Table
from reports.timelines import Axis


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Everything a report says, in the order it says it. `unshown` objectives were left out of `groups`."""

    run_id: str
    subject: str
    when: str
    headline: Headline
    figures: tuple[Figure, ...]
    groups: tuple[Group, ...]
    unshown: int
    unjudged: str
    not_driven: Table
    axis: Axis
    charts: dict[str, Chart]
    recovery: Recovery
    ledger: Table
    latencies: Table
    validity: tuple[Fact, ...]
    steadiness: tuple[Fact, ...]
    trouble: tuple[str, ...]
    exemplars: Table
    configuration: tuple[Fact, ...]


def compose(facts: Run) -> Page:
    """Read what else is needed and put the page together."""
    folder = facts.folder
    log, damage = latency.read(folder.latency_log)
    axis, charts = timelines.draw(facts, log)
    return Page(
        run_id=text(folder.manifest, "run_id", folder.path.name),
        subject=_subject(folder),
        when=_when(folder),
        headline=judged.headline(folder),
        figures=answers.figures(facts, log),
        groups=judged.groups(folder),
        unshown=0,
        unjudged=judged.unjudged(folder),
        not_driven=judged.not_driven(folder),
        axis=axis,
        charts=charts,
        recovery=recovery.describe(facts),
        ledger=ledger.describe(folder),
        latencies=answers.latencies(facts, log),
        validity=context.validity(folder),
        steadiness=context.steadiness(folder),
        trouble=(*folder.trouble, *damage),
        exemplars=recovery.exemplars(folder),
        configuration=context.configuration(folder),
    )


def _subject(folder: Folder) -> str:
    environment = text(mapping(folder.manifest, "environment"), "name")
    parts = [text(folder.manifest, "system", "unknown system"), text(folder.manifest, "plan")]
    closed = ["closed model"] if judged.is_closed(folder) else []
    return ", ".join(
        [part for part in parts if part] + ([f"environment {environment}"] if environment else []) + closed
    )


def _when(folder: Folder) -> str:
    started, ended = number(folder.manifest, "started"), number(folder.manifest, "ended")
    if started is None:
        return "start unknown"
    lasted = f", lasted {formats.duration(ended - started)}" if ended is not None and ended >= started else ""
    return f"{formats.utc(started)}{lasted}"
