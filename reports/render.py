"""Writes report.html, report.md, junit.xml and result.json into a run folder, from what lies in it alone."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from reports import folder, formats, junit, page, result, run
from reports.judged import Group
from reports.page import Page
from reports.table import NOT_APPLICABLE, Table, headings, shortened

MOST_MARKDOWN = 60_000  # bytes; hosts cut comments and summaries off beyond that
MOST_ROWS = 80

_SPECIAL = re.compile(r"[\\`*\[\]<>|~#@&]|(?<!\w)_|_(?!\w)|(?<=:)//|(?<=\bwww)\.")
_BLANK = re.compile(r"[\s\x00-\x1f\x7f]+")


def render(path: Path) -> list[Path]:
    """Write the reports and return their paths; existing ones are replaced.

    Raises:
        FolderError: `path` is no folder.
        OSError: the folder cannot be written to.
    """
    found = folder.read(path)
    facts = run.describe(found)
    composed = page.compose(facts)
    written = {
        "report.html": _bytes(html(composed)),
        "report.md": _bytes(markdown(composed)),
        "junit.xml": junit.write(facts),
        "result.json": result.write(facts),
    }
    return [_put(path / name, content) for name, content in written.items()]


def _bytes(text: str) -> bytes:
    """UTF-8; half a surrogate pair, which JSON can carry and UTF-8 cannot, becomes a question mark."""
    return text.encode(errors="replace")


def _put(path: Path, content: bytes) -> Path:
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(content)
    return part.replace(path)


def html(composed: Page) -> str:
    """One self-contained page; every string of the run is escaped."""
    return _environment().get_template("report.html.j2").render(page=composed)


def markdown(composed: Page) -> str:
    """The same facts in GitHub-flavoured Markdown, under MOST_MARKDOWN bytes: long tables lose rows."""
    # Autoescape marks what macros return, so that `finalize` escapes each string of the run exactly once.
    template = _environment(finalize=_plain).get_template("report.md.j2")
    rows, width = MOST_ROWS, 300
    while True:
        text = template.render(page=_trimmed(composed, rows), width=width)
        if len(_bytes(text)) < MOST_MARKDOWN:
            return text
        if width < 40:
            cut = _bytes(text)[: MOST_MARKDOWN - 200].decode(errors="ignore")
            return cut.rsplit("\n", 1)[0] + "\n\nThe rest did not fit: it stands in report.html.\n"
        rows, width = max(3, rows // 2), width // 2


@cache
def _environment(finalize: Callable[[object], object] | None = None) -> Environment:
    environment = Environment(
        loader=PackageLoader("reports"),
        autoescape=True,
        finalize=finalize,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"place": _place, "shortened": shortened, "utc": formats.utc}
    environment.globals |= {"dash": NOT_APPLICABLE, "headings": headings}
    return environment


def _place(value: float) -> str:
    """A coordinate."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _plain(value: object) -> object:
    """Escape a string for Markdown; it can neither start a construct nor break out of a table's cell."""
    if isinstance(value, Markup):
        return value
    return Markup(_SPECIAL.sub(_escaped, _BLANK.sub(" ", str(value))))  # noqa: S704 - escaped right here


def _escaped(found: re.Match[str]) -> str:
    return {"//": r"\/\/", "@": "&#64;"}.get(found[0], f"\\{found[0]}")


def _trimmed(composed: Page, rows: int) -> Page:
    def first(table: Table) -> Table:
        if len(table.rows) <= rows:
            return table
        note = f"{len(table.rows) - rows} more rows stand in report.html."
        return replace(table, rows=table.rows[:rows], notes=(*table.notes, note))

    groups, unshown = _first_groups(composed.groups, 4 * rows)
    return replace(
        composed,
        groups=groups,
        unshown=unshown,
        not_driven=first(composed.not_driven),
        latencies=first(composed.latencies),
        exemplars=first(composed.exemplars),
        recovery=replace(
            composed.recovery, clocks=first(composed.recovery.clocks), log=first(composed.recovery.log)
        ),
        ledger=first(composed.ledger),
        trouble=tuple(shortened(line, 300) for line in composed.trouble[:rows]),
    )


def _first_groups(groups: tuple[Group, ...], most: int) -> tuple[tuple[Group, ...], int]:
    """The first objectives in the order of the page, which begins with what failed; how many are left out."""
    kept, left = [], most
    for group in groups:
        if left > 0:
            kept.append(replace(group, objectives=group.objectives[:left]))
        left -= len(group.objectives)
    return tuple(kept), max(-left, 0)
