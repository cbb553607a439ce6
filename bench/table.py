"""The figures as a table for a terminal: medians beside each other, what is judged, and the verdict."""

from __future__ import annotations

from collections.abc import Sequence

from bench.figures import Figure, middle, number, summary

_HEAD = ("figure", "measured (median)", "judged", "spread", "target", "")


def render(figures: Sequence[Figure]) -> str:
    """All rows, aligned, section by section; notes under the row they belong to."""
    rows = [_row(figure) for figure in figures]
    widths = [max(len(row[column]) for row in [_HEAD, *rows]) for column in range(len(_HEAD))]
    lines = [_line(_HEAD, widths), _line(["-" * width for width in widths], widths)]
    section = ""
    for figure, row in zip(figures, rows, strict=True):
        if section and figure.section != section:
            lines.append("")
        section = figure.section
        lines.append(_line(row, widths))
        if figure.note:
            lines.append(f"  ({figure.note})")
    return "\n".join(lines) + "\n"


def verdict(figures: Sequence[Figure]) -> str:
    """One sentence: how many targets hold and which do not."""
    judged = [figure for figure in figures if figure.target is not None]
    missed = [figure for figure in judged if not figure.holds]
    if not missed:
        return f"all {len(judged)} targets hold"
    names = "".join(f"\n  missed: {figure.section}: {figure.name}" for figure in missed)
    return f"{len(missed)} of {len(judged)} targets missed{names}"


def _row(figure: Figure) -> tuple[str, ...]:
    measured = ", ".join(f"{tool} {number(middle(values))}" for tool, values in figure.measured.items())
    judged = summary(figure.judged, figure.judged_unit) if figure.judged else None
    spread = (
        f"{number(judged['min'])} - {number(judged['max'])}"
        if judged and judged["median"] is not None
        else ""
    )
    value = f"{number(figure.value)} {figure.judged_unit}".strip() if figure.judged else number(figure.value)
    holds = {True: "holds", False: "MISSED", None: ""}[figure.holds]
    return (
        figure.name,
        f"{measured} {figure.unit}".strip(),
        value,
        spread,
        str(figure.target) if figure.target else "",
        holds,
    )


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
