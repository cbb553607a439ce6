"""Whether tonight's value is out of line with what the last comparable nights measured.

The median of the last ten comparable passes is the baseline; a value is out of line when it is worse by more
than a tenth of it (or what the objective allows) and by more than four times their scatter (1.4826 x MAD
estimates a normal standard deviation: Rousseeuw and Croux, Alternatives to the median absolute deviation,
JASA 88, 1993). Fewer than five such nights are no baseline, and no baseline is not a pass.

`baseline.json` is written into a run folder before the run is judged and never again, so that judging it in
half a year finds the nights it was judged by first:

    {"schema": 1, "parts": {"system": "lexohub", ...}, "left_out": ["3 passes left out: ..."], "reason": "",
     "objectives": {"latency-regression": {"unit": "s", "nights": 6, "median": 0.021, "scatter": 0.0004,
     "runs": ["lexohub-local-...", ...], "values": [0.0214, ...]}}}
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from slo import jsonl
from slo.errors import RecordError

FILE, SCHEMA = "baseline.json", 1
NIGHTS, LEAST_NIGHTS = 10, 5
SHARE = 0.1
SCATTERS = 4 * 1.4826

NO_BASELINE, IN_LINE, OUT_OF_LINE = "no-baseline", "in-line", "out-of-line"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a value stands; `limit` is the value beyond which it would be out of line, in its own unit.

    `scatter` is the median absolute deviation, not yet scaled.
    """

    state: str
    nights: int
    median: float | None = None
    scatter: float | None = None
    limit: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Nights:
    """What one objective measured in earlier runs, the latest last, all in `unit`."""

    unit: str
    runs: tuple[str, ...]
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """The nights by objective. `parts` is what their runs had in common; `reason` says why there are none."""

    parts: Mapping[str, Any] = field(default_factory=dict)
    objectives: Mapping[str, Nights] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()
    reason: str = ""


def stand(value: float, earlier: Sequence[float], *, below: bool, share: float = SHARE) -> Standing:
    """Set a value beside earlier ones, the latest last; `below`: less is better."""
    kept = list(earlier[-NIGHTS:])
    if len(kept) < LEAST_NIGHTS:
        return Standing(state=NO_BASELINE, nights=len(kept))
    middle = median(kept)
    scatter = _scatter(kept)
    reach = max(share * abs(middle), SCATTERS * scatter)
    limit = middle + reach if below else middle - reach
    worse = value > limit if below else value < limit
    return Standing(
        state=OUT_OF_LINE if worse else IN_LINE,
        nights=len(kept),
        median=middle,
        scatter=scatter,
        limit=limit,
    )


def write(folder: Path, found: Baseline) -> None:
    """Write `baseline.json` in one step."""
    document = {
        "schema": SCHEMA,
        "parts": dict(found.parts),
        "left_out": list(found.left_out),
        "reason": found.reason,
        "objectives": {name: _told(nights) for name, nights in found.objectives.items()},
    }
    draft = folder / f".{FILE}"
    draft.write_text(json.dumps(document, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    draft.replace(folder / FILE)


def read(folder: Path) -> Baseline:
    """Read the baseline that a run was judged by first; without the file, one without nights.

    Raises:
        RecordError: it is damaged, of another schema, or contradicts itself.
    """
    path = folder / FILE
    try:
        document = jsonl.document(path.read_bytes())
        if document["schema"] != SCHEMA:
            raise RecordError(f"{path}: schema {document['schema']!r} instead of {SCHEMA}")
        return Baseline(
            parts=dict(document["parts"]),
            objectives={name: _nights(name, one) for name, one in document["objectives"].items()},
            left_out=tuple(str(one) for one in document["left_out"]),
            reason=str(document["reason"]),
        )
    except FileNotFoundError:
        return Baseline(reason=f"the run folder has no {FILE}")
    except OSError as error:
        raise RecordError(f"{path}: cannot be read: {error.strerror}") from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise RecordError(f"{path}: not a baseline ({type(error).__name__}: {error})") from error


def _scatter(values: Sequence[float]) -> float:
    middle = median(values)
    return median(abs(one - middle) for one in values)


def _told(nights: Nights) -> dict[str, Any]:
    known = bool(nights.values)
    return {
        "unit": nights.unit,
        "nights": len(nights.values),
        "median": median(nights.values) if known else None,
        "scatter": _scatter(nights.values) if known else None,
        "runs": list(nights.runs),
        "values": list(nights.values),
    }


def _nights(name: str, one: Mapping[str, Any]) -> Nights:
    nights = Nights(
        unit=str(one["unit"]),
        runs=tuple(str(run) for run in one["runs"]),
        values=tuple(jsonl.number(value) for value in one["values"]),
    )
    told = _told(nights)
    if len(set(nights.runs)) != len(nights.values) or any(
        told[key] != one[key] for key in ("nights", "median", "scatter")
    ):
        raise ValueError(f"the nights of {name!r} contradict their median, scatter or number")
    return nights
