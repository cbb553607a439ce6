"""result.json: the whole result for machines, in one document whose shape does not depend on the run.

`result.schema.json` beside this file describes it. Whatever is missing or of another type in the run folder
is null, empty or "no-data" here, so that a reader needs no case for it; numbers that JSON does not know are
null.
"""

from __future__ import annotations

import json
import math

from reports import judged, recovery
from reports.fields import Json, flag, mapping, number, pair, rows, text, texts
from reports.folder import Folder
from reports.run import Run

SCHEMA = 1
EXITS = {"pass": 0, "measured": 0, "fail": 1, "inconclusive": 3, "no-data": 3, "invalid": 4}
NUMBERS = ("measured", "n_eff", "deff", "budget", "margin", "minutes_needed")
COUNTS = ("k", "n", "blocks")
PAIRS = ("interval", "between")
MOST_DEPTH = 20


def write(run: Run) -> bytes:
    """The document, ASCII."""
    return json.dumps(compose(run), indent=1, allow_nan=False).encode() + b"\n"


def compose(run: Run) -> dict[str, object]:
    """The document as plain lists and dicts."""
    folder = run.folder
    head, verdicts = judged.headline(folder), folder.verdicts
    return {
        "schema": SCHEMA,
        "verdict": head.verdict,
        "exit": EXITS[head.verdict],
        "reason": head.reason,
        "cautions": list(head.cautions),
        "judged_at": number(verdicts, "judged_at"),
        "run": _run(folder),
        "phases": [
            {"name": one.name, "experiment": one.experiment or None, "start": one.start, "end": one.end}
            for one in run.phases
        ],
        "objectives": [_objective(row) for row in rows(verdicts, "objectives")],
        "not_driven": [
            {"id": text(row, "id"), "reason": text(row, "reason")} for row in rows(verdicts, "not_driven")
        ],
        "recovery": [_recovery(row) for row in recovery.repeats(folder)],
        "ledger": [{**_object(row), "set": text(row, "set")} for row in rows(verdicts, "ledger")],
        "validity": _validity(mapping(verdicts, "validity")),
        "steadiness": _object(mapping(verdicts, "steadiness")),
        "operations": [_operation(run, slug, name) for slug, name in run.operations.items()],
        "trouble": list(folder.trouble),
    }


def _run(folder: Folder) -> dict[str, object]:
    manifest = folder.manifest
    git = mapping(manifest, "git")
    return {
        "id": text(manifest, "run_id", folder.path.name),
        "system": text(manifest, "system"),
        "plan": text(manifest, "plan"),
        "policy": text(manifest, "policy"),
        "state": text(manifest, "state") or "unknown",
        "reason": text(manifest, "reason"),
        "started": number(manifest, "started"),
        "ended": number(manifest, "ended"),
        "command": text(manifest, "command"),
        "seed": number(manifest, "seed"),
        "commit": text(git, "commit") or None,
        "dirty": flag(git, "dirty"),
        "defects": texts(manifest, "defects"),
        "environment": _object(mapping(manifest, "environment")),
        "load": _object(mapping(manifest, "load")),
        "versions": {name: str(one) for name, one in mapping(manifest, "versions").items()},
    }


def _objective(row: Json) -> dict[str, object]:
    found = judged.judged(row)
    source = mapping(row, "source")
    return {
        "id": found.id,
        "instance": found.instance or None,
        "phase": found.phase,
        "sli": found.sli,
        "operations": texts(row, "operations"),
        "expr": found.expr,
        "basis": found.basis,
        "decides": found.decides,
        "warned": found.warned,
        "verdict": found.verdict,
        "reason": text(row, "reason"),
        "measured_text": text(row, "measured_text"),
        "unit": text(row, "unit"),
        **{name: number(row, name) for name in NUMBERS},
        **{name: _count(row, name) for name in COUNTS},
        **{name: _pair(row, name) for name in PAIRS},
        "baseline": _baseline(mapping(row, "baseline")),
        "source": {name: text(source, name) for name in ("file", "heading", "quote")},
    }


def _baseline(standing: Json) -> dict[str, object] | None:
    if not standing:
        return None
    values = {name: number(standing, name) for name in ("median", "scatter", "limit")}
    return {"state": text(standing, "state"), "nights": _count(standing, "nights") or 0, **values}


def _recovery(row: Json) -> dict[str, object]:
    relapses = row.get("relapses")
    return {
        "experiment": text(row, "experiment"),
        "state": text(row, "state"),
        **{name: number(row, name) for name in ("t0", "t_end", "t1", "t2", "api_start", "budget_share")},
        **{name: _count(row, name) for name in ("arrivals", "bad")},
        "absorption": _pair(row, "absorption"),
        "after_removal": _pair(row, "after_removal"),
        "relapses": [one for one in relapses if _is_number(one)] if isinstance(relapses, list) else [],
    }


def _validity(found: Json) -> dict[str, object]:
    return {
        "valid": flag(found, "valid"),
        "causes": texts(found, "causes"),
        **{name: number(found, name) for name in ("start_lag_p99", "cpu_max", "stolen_max", "attainment")},
        "disturbed": text(found, "disturbed"),
        "misses_generator": _count(found, "misses_generator"),
    }


def _operation(run: Run, slug: str, name: str) -> dict[str, object]:
    """What was counted over the whole run."""
    found = run.counted.get(slug)
    return {
        "slug": slug,
        "name": name,
        "intended": found.intended if found else 0,
        "ok": found.ok if found else 0,
        "bad": dict(sorted(found.bad.items())) if found else {},
    }


def _count(row: Json, name: str) -> int | None:
    value = number(row, name)
    return None if value is None or value < 0 else round(value)


def _pair(row: Json, name: str) -> list[float] | None:
    value = pair(row, name)
    return None if value is None else list(value)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _object(value: Json) -> dict[str, object]:
    return {name: _plain(one) for name, one in value.items()}


def _plain(value: object, depth: int = 0) -> object:
    """As JSON can say it; what is nested beyond reason is left out."""
    if depth > MOST_DEPTH or (isinstance(value, float) and not math.isfinite(value)):
        return None
    if isinstance(value, dict):
        return {str(name): _plain(one, depth + 1) for name, one in value.items()}
    return [_plain(one, depth + 1) for one in value] if isinstance(value, list) else value
