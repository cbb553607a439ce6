"""The verdicts of a run and `verdicts.json`, which holds them.

Exit codes: 0 pass (or measured, where nothing was to be judged), 1 fail, 3 inconclusive or no data,
4 invalid.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from slo.errors import RecordError
from slo.finding import FAIL, INCONCLUSIVE, INVALID, MEASURED, NO_DATA, PASS
from slo.kind import kinds

SCHEMA = 1
EXITS = {PASS: 0, MEASURED: 0, FAIL: 1, INCONCLUSIVE: 3, NO_DATA: 3, INVALID: 4}
FILE = "verdicts.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One objective, or one experiment's instance of it. Units and bounds as in `slo.finding.Finding`."""

    id: str
    instance: str | None
    phase: str
    sli: str
    operations: tuple[str, ...]
    expr: str
    verdict: str
    reason: str
    measured: float | None
    measured_text: str
    unit: str
    k: int | None
    n: int | None
    n_eff: float | None
    deff: float | None
    interval: tuple[float, float] | None
    budget: float | None
    margin: float | None
    minutes_needed: float | None
    blocks: int | None
    between: tuple[float, float] | None
    baseline: Mapping[str, Any] | None
    basis: str
    decides: bool
    warned: bool
    source: Mapping[str, str]

    @property
    def name(self) -> str:
        """`failover (aurora-failover)`, or the bare id."""
        return f"{self.id} ({self.instance})" if self.instance else self.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdicts:
    """What a run showed. `recovery`, `ledger`, `validity` and `steadiness` are its evidence.

    `sound` says whether later runs may be judged by it: it passed, missing baselines aside.
    """

    run_id: str
    judged_at: float | None
    verdict: str
    reason: str
    state: str
    policy: str
    model: str
    objectives: tuple[Verdict, ...]
    not_driven: tuple[Mapping[str, str], ...]
    recovery: tuple[Mapping[str, Any], ...]
    ledger: tuple[Mapping[str, Any], ...]
    validity: Mapping[str, Any]
    steadiness: Mapping[str, Any]
    sound: bool

    @property
    def exit(self) -> int:
        """The process exit code that says the same."""
        return EXITS[self.verdict]

    def to_json(self) -> dict[str, Any]:
        """The document of `verdicts.json`, as plain lists and dicts; numbers that JSON lacks are null."""
        document = {"schema": SCHEMA, **asdict(self), "exit": self.exit}
        plain: dict[str, Any] = json.loads(json.dumps(document), parse_constant=lambda _: None)
        return plain


def stands(sli: str, verdict: str) -> bool:
    """Whether a verdict of this kind is a failure of integrity: it fails the run whatever else happened."""
    return verdict == FAIL and sli in kinds() and kinds()[sli].SHAPE.integrity


def write(folder: Path, verdicts: Verdicts) -> Path:
    """Write `verdicts.json` in one step and return its path."""
    path = folder / FILE
    draft = path.with_suffix(".tmp")
    try:
        draft.write_text(json.dumps(verdicts.to_json(), indent=2) + "\n", encoding="utf-8")
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
    return path


def read(folder: Path) -> Verdicts:
    """Read the verdicts of a run folder.

    Raises:
        RecordError: there are none, or they are of another schema.
    """
    path = folder / FILE
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if document["schema"] != SCHEMA:
            raise RecordError(
                f"{path}: schema {document['schema']!r} instead of {SCHEMA}; judge the run again"
            )
        missing = {"model": "arrivals", "sound": document["verdict"] == PASS}  # of earlier versions
        document = {**missing, **document}
        fields = {name: document[name] for name in Verdicts.__dataclass_fields__}
        for name in ("not_driven", "recovery", "ledger"):
            fields[name] = tuple(fields[name])
        fields["objectives"] = tuple(_verdict(one) for one in fields["objectives"])
        return _consistent(Verdicts(**fields), document["exit"])
    except FileNotFoundError:
        raise RecordError(f"{folder}: no {FILE}; judge the run first") from None
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise RecordError(f"{path}: not a file of verdicts ({error}); judge the run again") from error


def _consistent(found: Verdicts, code: object) -> Verdicts:
    """The verdicts as they are; ValueError where the whole is better than its parts."""
    if found.verdict not in EXITS or any(one.verdict not in EXITS for one in found.objectives):
        raise ValueError("a verdict that nobody knows")
    wrong = [one for one in found.objectives if one.verdict != PASS]
    missed = any(one.decides or stands(one.sli, one.verdict) for one in wrong)
    whole = found.state == "complete" and found.validity["valid"] is True and not missed
    if code != found.exit or (found.exit == 0 and not whole):
        raise ValueError(f"{found.verdict}, exit {code!r}, contradicts what stands below it")
    return found


def _verdict(document: Mapping[str, Any]) -> Verdict:
    return Verdict(
        **{
            **document,
            "operations": tuple(document["operations"]),
            "interval": _pair(document["interval"]),
            "between": _pair(document.get("between")),  # verdicts of earlier versions have neither
            "baseline": document.get("baseline"),
        }
    )


def _pair(value: Any) -> tuple[float, float] | None:
    return None if value is None else (float(value[0]), float(value[1]))
