"""Tables on the terminal: the verdicts of a run, the preview of a plan, the catalogue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from chaos.guard import Plan
from gameday.preview import Preview
from slo.compare import UNKNOWN, WORSE, Comparison
from slo.finding import spoken
from slo.history import Entry
from slo.manifest import OPEN_MODELS
from slo.verdict import Verdicts

_STYLE = {
    "pass": "green",
    "measured": "cyan",
    "fail": "bold red",
    "inconclusive": "yellow",
    "no-data": "yellow",
    "invalid": "magenta",
}


def verdicts(found: Verdicts) -> None:
    """Objectives with what was measured, then the verdict in one line; red never stands without its word."""
    console = _console()
    table = Table(box=None, pad_edge=False)
    for heading in ("objective", "phase", "target", "measured", "bad/n", "verdict"):
        table.add_column(
            heading, justify="right" if heading in {"measured", "bad/n"} else "left", overflow="fold"
        )
    model = "" if found.model in OPEN_MODELS else " (closed model)"
    for row in found.objectives:
        counted = f"{row.k:,}/{row.n:,}" if row.n and row.k is not None else "-"
        verdict = f"[{_STYLE.get(row.verdict, '')}]{row.verdict}[/]{model}"
        table.add_row(row.name, row.phase, row.expr, row.measured_text or "-", counted, verdict)
    if found.objectives:
        console.print(table)
    for row in found.objectives:
        if row.verdict not in {"pass", "invalid"}:
            more = f"; {row.minutes_needed:.1f} more minutes would decide it" if row.minutes_needed else ""
            console.print(f"  {row.name}: {row.reason}{more}", markup=False, soft_wrap=True)
    if found.not_driven:
        console.print(
            f"not driven here: {', '.join(item['id'] for item in found.not_driven)}",
            markup=False,
            soft_wrap=True,
        )
    style = _STYLE.get(found.verdict, "")
    console.print(f"[{style}]{found.verdict.upper()}[/] ", end="")
    console.print(found.reason, markup=False, soft_wrap=True)


def figures(found: Mapping[str, Any]) -> None:
    """What was counted in the measured time, and how the latencies of good answers spread."""
    console = _console()
    bad = ", ".join(f"{count:,} {name}" for name, count in found["bad"].items()) or "none"
    console.print(
        f"{found['intended']:,} intended, {found['sent']:,} sent, {found['ok']:,} good "
        f"({found['ok_per_s']:,.1f}/s) in {found['measured_s']:g} s; bad: {bad}",
        markup=False,
        soft_wrap=True,
    )
    table = Table(box=None, pad_edge=False)
    table.add_column("ms")
    for heading in ("p50", "p90", "p99", "p99.9", "max"):
        table.add_column(heading, justify="right")
    for name, key in (
        ("latency", "latency_ms"),
        ("service time", "service_ms"),
        ("start lag", "start_lag_ms"),
    ):
        values = found[key]
        table.add_row(name, *(_digits(values.get(one)) for one in ("p50", "p90", "p99", "p999", "max")))
    console.print(table)
    if found["floor_ms"]:
        console.print(floor(found["floor_ms"]), markup=False, soft_wrap=True)


def floor(found: Mapping[str, float]) -> str:
    """The network's share of every latency, in one line."""
    trips = ", ".join(f"{_digits(rtt)} ms to {host}" for host, rtt in found.items())
    return f"network floor (TCP round trip): {trips}"


def _digits(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}" if value < 100 else f"{value:,.0f}"


def preview(found: Preview) -> None:
    """What a run would do, in the order it would do it."""
    console = _console()
    console.print(found.headline, markup=False)
    phases = Table(box=None, pad_edge=False, title="phases", title_justify="left")
    for heading in ("phase", "for", "experiment", "what it does"):
        phases.add_column(heading)
    for row in found.phases:
        phases.add_row(*row)
    console.print(phases)
    objectives = Table(box=None, pad_edge=False, title="objectives", title_justify="left")
    for heading in ("objective", "phase", "target", "arrivals expected", "needed with none bad", "basis"):
        objectives.add_column(heading)
    for target in found.objectives:
        objectives.add_row(*target)
    console.print(objectives)
    if found.not_driven:
        console.print(f"not driven: {', '.join(found.not_driven)}", markup=False)


def catalog(found: Mapping[str, list[str]]) -> None:
    """Names by kind."""
    console = _console()
    for kind, names in found.items():
        console.print(f"{kind:<13} {'  '.join(names) or '-'}", markup=False)


def _console() -> Console:
    console = Console(highlight=False, soft_wrap=False)
    return console if console.is_terminal else Console(highlight=False, width=140)


def comparison(found: Comparison) -> None:
    """Each objective before and after, with the interval of the difference."""
    console = _console()
    for one in found.obstacles:
        console.print(f"not comparable: {one}", markup=False, soft_wrap=True)
    table = Table(box=None, pad_edge=False)
    for heading in ("objective", "before", "after", "difference", "verdict"):
        table.add_column(heading, justify="left" if heading in {"objective", "verdict"} else "right")
    for row in found.changes:
        values = [spoken(one, row.unit) if one is not None else "-" for one in (row.before, row.after)]
        style = "bold red" if row.verdict == WORSE else ""
        table.add_row(row.name, *values, row.reason, f"[{style}]{row.verdict}[/]" if style else row.verdict)
    console.print(table)
    said = [one for one in found.changes if one.verdict != UNKNOWN]
    worse = [one.name for one in said if one.verdict == WORSE]
    console.print(
        f"{len(said)} of {len(found.changes)} objectives compared; worse: {', '.join(worse) or 'none'}",
        markup=False,
        soft_wrap=True,
    )


def history(entries: Sequence[Entry], baselines: Sequence[str]) -> None:
    """One line per run, the latest last."""
    console = _console()
    table = Table(box=None, pad_edge=False)
    for heading in ("run", "environment", "like", "commit", "verdict", "values"):
        table.add_column(heading, overflow="fold")
    for one in entries:
        commit = (one.commit or "-")[:10] + ("+" if one.dirty else "")
        values = ", ".join(
            f"{name} {spoken(found.value, found.unit)}"
            for name, found in one.values.items()
            if found.value is not None
        )
        name = one.run_id + (" (baseline)" if one.run_id in baselines else "")
        style = _STYLE.get(one.verdict, "")
        table.add_row(name, one.environment, one.fingerprint, commit, f"[{style}]{one.verdict}[/]", values)
    console.print(table)


def plans(found: Mapping[str, Plan] | str) -> None:
    """What each experiment could hit and the hash that stands for exactly that; or why it is not known."""
    console = _console()
    if isinstance(found, str):
        console.print(f"targets not resolved: {found}", markup=False, soft_wrap=True)
        return
    for name, plan in found.items():
        console.print(f"plan of {name}: {plan.hash}", markup=False, soft_wrap=True)
        for arn in plan.arns or ("no resources of its own",):
            console.print(f"  could hit {arn}", markup=False, soft_wrap=True)
