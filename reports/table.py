"""Tables and lists of facts, as text: what HTML and Markdown both print."""

from __future__ import annotations

from dataclasses import dataclass

NOT_APPLICABLE = "\N{EN DASH}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Cells from left to right, the first names the row; tone is "fail" where a reader must look."""

    cells: tuple[str, ...]
    tone: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """`numeric` columns are set flush right; `spans` are headings over several columns, as (text, count)."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    numeric: frozenset[int] = frozenset()
    spans: tuple[tuple[str, int], ...] = ()
    notes: tuple[str, ...] = ()
    empty: str = "no data"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """A name and its value."""

    name: str
    value: str


def numeric(first: int, end: int) -> frozenset[int]:
    """Column numbers first..end-1."""
    return frozenset(range(first, end))


def shortened(words: str, most: int) -> str:
    """`words` cut to `most` characters, with an ellipsis where something is missing."""
    return words if len(words) <= most else words[: most - 1] + "…"


def headings(table: Table) -> list[str]:
    """Column headings that stand alone: with the span above them put in front."""
    above = [text for text, count in table.spans for _ in range(count)] or [""] * len(table.columns)
    return [
        f"{span}: {column}" if span else column for span, column in zip(above, table.columns, strict=True)
    ]
