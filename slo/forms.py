"""Lines of JSON that differ in their numbers only, read as columns.

The counters of an hour are a hundred thousand lines of a few dozen forms. Each form is decoded once, with its
numbers counted through; the numbers of all lines are then read together. What is anything but plain (an
escape, a sign, an exponent, no object) is left to the decoder: then `block` is None.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slo import jsonl

_QUOTE, _POINT, _ZERO, _BREAK = b'".0\n'
_EXACT = 15  # as many digits a float holds, and a power of ten up to the 22nd
_TENS = np.array([10.0**power for power in range(_EXACT + 1)])

Whole = NDArray[np.int64]
Floats = NDArray[np.float64]
Places = NDArray[np.intp]


class Place(int):
    """In a form, instead of a number: which number of its line it is."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Lines: the form of each and its first number; numbers: where each stands, its digits, its decimals."""

    content: bytes
    forms: Sequence[Mapping[str, Any]]
    form: Places
    first: Places
    begins: Places
    ends: Places
    digits: Whole
    decimals: Whole

    def places(self, table: Sequence[int], lines: Places | slice = slice(None)) -> Places:
        """Which numbers those are that stand at these places of the forms, in these lines."""
        found: Places = self.first[lines] + np.array(table, dtype=np.intp)[self.form[lines]]
        return found

    def wholes(self, places: Places) -> Whole | None:
        """Whole numbers; None if one is none, or too long."""
        if (self.decimals[places] > 0).any() or (self.ends[places] - self.begins[places] > _EXACT).any():
            return None
        return self.digits[places]

    def floats(self, places: Places) -> Floats:
        """Numbers, as exact as Python reads them: a quotient of exact numbers is rounded once."""
        begins, ends, decimals = self.begins[places], self.ends[places], self.decimals[places]
        values: Floats = self.digits[places] / _TENS[np.minimum(decimals, _EXACT)]
        for long in np.flatnonzero(ends - begins > _EXACT).tolist():
            values[long] = float(self.content[begins[long] : ends[long]])
        return values


def block(content: bytes) -> Block | None:
    """Whole lines, without the last one's line break."""
    if not content or b"\\" in content or b"\0" in content:
        return None
    chars = np.frombuffer(content, dtype=np.uint8)
    bare = ~np.logical_xor.accumulate(chars == _QUOTE)
    points = np.flatnonzero((chars == _POINT) & bare)
    number = (chars - np.uint8(_ZERO) < 10) & bare
    number[points] = True
    if number[0] or number[-1]:
        return None
    changes = np.flatnonzero(number[1:] != number[:-1]) + 1
    begins, ends = changes[::2], changes[1::2]
    read = _numbers(chars, begins, ends, points)
    known = _forms(chars, number, begins)
    if read is None or known is None:
        return None
    firsts = np.concatenate(([0], np.flatnonzero(chars == _BREAK) + 1))
    return Block(
        content=content,
        forms=known[0],
        form=known[1],
        first=np.searchsorted(begins, firsts),
        begins=begins,
        ends=ends,
        digits=read[0],
        decimals=read[1],
    )


def _numbers(
    chars: NDArray[np.uint8], begins: Places, ends: Places, points: Places
) -> tuple[Whole, Whole] | None:
    """Digits without the point, and how many stand behind it; None for what JSON would not read."""
    lengths = ends - begins
    owners = np.searchsorted(begins, points, side="right") - 1
    decimals = np.zeros(begins.size, dtype=np.int64)
    decimals[owners] = ends[owners] - points - 1
    before = np.where(decimals > 0, lengths - decimals - 1, lengths)
    odd = (np.diff(owners) == 0).any() or (points == begins[owners]).any() or (decimals[owners] == 0).any()
    if odd or ((chars[begins] == _ZERO) & (before > 1)).any():
        return None
    digits = np.zeros(begins.size, dtype=np.int64)
    chosen = np.arange(begins.size)
    for place in range(min(int(lengths.max(initial=0)), _EXACT)):
        chosen = chosen[lengths[chosen] > place]
        char = chars[begins[chosen] + place]
        value = digits[chosen]
        digits[chosen] = np.where(char == _POINT, value, value * 10 + char - _ZERO)
    return digits, decimals


def _forms(
    chars: NDArray[np.uint8], number: NDArray[np.bool_], begins: Places
) -> tuple[list[Mapping[str, Any]], Places] | None:
    """The forms in the order of their first lines, and that of each line."""
    kept, marked = ~number, chars.copy()
    kept[begins] = True
    marked[begins] = 0
    lines = marked[kept].tobytes().split(b"\n")
    known: dict[bytes, int] = {}
    of_line = np.array([known.setdefault(line, len(known)) for line in lines], dtype=np.intp)
    forms = []
    for text in known:
        form = _form(text)
        if form is None:
            return None
        forms.append(form)
    return forms, of_line


@lru_cache(maxsize=1024)
def _form(text: bytes) -> Mapping[str, Any] | None:
    """The object of a line in which each number is a NUL; None if it is none, or numbers are odd."""
    first, *others = text.split(b"\0")
    numbered = first + b"".join(b"%d%b" % pair for pair in enumerate(others))
    seen: list[str] = []

    def place(found: str) -> Place:
        seen.append(found)
        return Place(found)

    try:
        form = jsonl.document(
            numbered, json.JSONDecoder(parse_int=place, parse_float=_refuse, parse_constant=_refuse)
        )
    except ValueError:
        return None
    return form if type(form) is dict and seen == [str(n) for n in range(len(others))] else None


def _refuse(text: str) -> float:
    raise ValueError(text)
