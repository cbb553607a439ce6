"""Whether what was planted had an effect: what twins note of themselves, in the phase that is judged.

A twin must pass, and so would a system in which it was never planted, or planted where nothing comes by.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from slo import jsonl

PHASE = "steady"


def counted(noted: Path, folder: Path) -> Mapping[str, int]:
    """How often each defect did what it does in the steady phase of this run; nothing where none noted it.

    Raises:
        RecordError: a file is damaged.
    """
    start, end = _steady(folder)
    lines = jsonl.read(noted, missing_ok=True)
    return dict(Counter(str(line["defect"]) for line in lines if start <= float(line["t"]) < end))


def _steady(folder: Path) -> tuple[float, float]:
    """From its first start to its last end; nothing lies in between where one is missing."""
    edges: dict[str, list[float]] = {"start": [], "end": []}
    for event in jsonl.read(folder / "events.jsonl", missing_ok=True):
        if (event.get("kind"), event.get("name")) == ("phase", PHASE):
            edges.setdefault(str(event.get("edge")), []).append(float(event["t"]))
    return min(edges["start"], default=math.inf), max(edges["end"], default=-math.inf)
