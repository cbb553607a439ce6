"""The rows as a table for a terminal, and the counts that decide."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Sequence

from detect.rows import AS_ARGUED, CAUGHT, FALSE_ALARM, MISSED, QUIET, Row

WIDE = 66
_HEAD = ("run", "what", "expected", "result")
_WIDTHS = (18, 34, 40, 11)


def render(rows: Sequence[Row]) -> str:
    """Part by part; what was found stands under each row."""
    lines = []
    for part in dict.fromkeys(row.part for row in rows):
        lines += ["", part.upper(), _line(_HEAD), _line(tuple("-" * width for width in _WIDTHS))]
        for row in (row for row in rows if row.part == part):
            lines += [_line((row.run, row.what, row.expected, row.result)), f"    {_short(row.found)}"]
    return "\n".join(lines) + "\n"


def counts(rows: Sequence[Row]) -> dict[str, int]:
    """How many rows came out how."""
    found = Counter(row.result for row in rows)
    return {name: found[name] for name in (CAUGHT, MISSED, QUIET, FALSE_ALARM, AS_ARGUED)}


def verdict(rows: Sequence[Row]) -> str:
    """One line of counts, and every row that is wrong by its name."""
    said = ", ".join(f"{number} {name.lower()}" for name, number in counts(rows).items())
    wrong = [f"  {row.result}: {row.part}, {row.run}, {row.what}: {row.found}" for row in rows if row.wrong]
    return "\n".join([said, *wrong])


def _line(cells: Sequence[str]) -> str:
    padded = [_cut(cell, width).ljust(width) for cell, width in zip(cells, _WIDTHS, strict=True)]
    return "  ".join(padded).rstrip()


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 2] + ".."


def _short(text: str) -> str:
    return textwrap.shorten(text, width=2 * WIDE, placeholder=" ...")
