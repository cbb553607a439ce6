"""Lines of counters in which nothing is out of the way, taken as columns.

Whatever is refused, or might be, is left to those who look at a line as an object and say what is wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slo import forms

Counts = NDArray[np.int64]
Floats = NDArray[np.float64]

MOST = 2**40
NAMES = ("planned", "intended", "sent", "ok")
Table = dict[str, tuple[NDArray[np.intp], Counts]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plain:
    """The columns of lines in which nothing is out of the way; `bad` and `slower` are (lines, counts)."""

    form: NDArray[np.intp]
    slugs: Sequence[str]
    whole: Mapping[str, Counts]
    times: Mapping[str, Floats]
    bad: Table
    slower: Table

    @classmethod
    def of(cls, block: forms.Block, thresholds: Iterable[str]) -> Plain | None:
        """None where a line is refused, or might be, so that it is looked at as an object."""
        slugs = [form.get("op") for form in block.forms]
        whole = {name: _column(block, [form.get(name) for form in block.forms]) for name in ("t", *NAMES)}
        times = {name: _times(block, [form.get(name) for form in block.forms]) for name in ("p50", "p99")}
        bad, slower = _table(block, "bad"), _table(block, "slower")
        known = {name: values for name, values in whole.items() if values is not None}
        timed = {name: values for name, values in times.items() if values is not None}
        plain = len(known) == len(whole) and len(timed) == len(times) and bad is not None
        texts = [slug for slug in slugs if type(slug) is str]
        if not plain or bad is None or slower is None or len(texts) < len(slugs):
            return None
        if any((counts > known["ok"][lines]).any() for lines, counts in slower.values()):
            return None
        if not _apart([*thresholds, *(text for text in slower if text not in thresholds)]):
            return None
        return cls(form=block.form, slugs=texts, whole=known, times=timed, bad=bad, slower=slower)


def _column(block: forms.Block, table: Sequence[Any]) -> Counts | None:
    if any(type(place) is not forms.Place for place in table):
        return None
    return _counted(block.wholes(block.places(table)))


def _counted(values: Counts | None) -> Counts | None:
    return None if values is None or (values > MOST).any() else values


def _times(block: forms.Block, table: Sequence[Any]) -> Floats | None:
    if any(place is not None and type(place) is not forms.Place for place in table):
        return None
    values = np.full(block.form.size, np.nan)
    lines = np.flatnonzero(np.array([place is not None for place in table])[block.form])
    values[lines] = block.floats(block.places([place or 0 for place in table], lines))
    return None if np.isinf(values).any() else values


def _table(block: forms.Block, key: str) -> Table | None:
    inner = [{} if form.get(key) is None else form[key] for form in block.forms]
    if any(type(one) is not dict or any(type(p) is not forms.Place for p in one.values()) for one in inner):
        return None
    found: Table = {}
    for name in dict.fromkeys(name for one in inner for name in one):
        lines = np.flatnonzero(np.array([name in one for one in inner])[block.form])
        counts = _counted(block.wholes(block.places([one.get(name, 0) for one in inner], lines)))
        if counts is None:
            return None
        found[name] = (lines, counts)
    return found


def _apart(thresholds: Sequence[str]) -> bool:
    """Whether all are latencies, each written in one way."""
    try:
        return len({limit(text) for text in thresholds}) == len(thresholds)
    except ValueError:
        return False


def limit(text: str) -> float:
    """A threshold in seconds; ValueError where it is none."""
    found = float(text)
    if not 0 < found < inf:
        raise ValueError(f"{text!r} is not a latency in seconds")
    return found
