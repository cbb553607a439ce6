"""The baseline of a run: what its objectives measured in the last ten comparable runs that passed."""

from collections import Counter
from collections.abc import Sequence

from slo import fingerprint
from slo.baseline import NIGHTS, Baseline, Nights
from slo.expression import parse
from slo.history import Entry, History, Value
from slo.manifest import Manifest

SAID = 3


def before(manifest: Manifest, history: History) -> Baseline:
    """The baseline that a run of this manifest is judged by.

    Runs of the same system and plan that are not comparable are left out, with the reason.
    """
    kept = history.comparable(fingerprint.of(manifest), run_id=manifest.run_id, started=manifest.started)
    names = dict.fromkeys(name for one in kept[-NIGHTS:] for name in one.values)
    return Baseline(
        parts=fingerprint.parts(manifest),
        objectives={name: found for name in names if (found := _of(kept[-NIGHTS:], name)) is not None},
        left_out=tuple(_left_out(manifest, history)),
        reason="" if kept else "no earlier run of this kind passed",
    )


def _of(entries: Sequence[Entry], name: str) -> Nights | None:
    """Values that mean what the latest of them means: the same metric in the same unit."""
    values = [(one.run_id, one.values[name]) for one in entries if name in one.values]
    meant = _meaning(values[-1][1])
    alike = [
        (run, found.value) for run, found in values if found.value is not None and _meaning(found) == meant
    ]
    if not alike:
        return None
    return Nights(
        unit=values[-1][1].unit, runs=tuple(run for run, _ in alike), values=tuple(one for _, one in alike)
    )


def _meaning(found: Value) -> tuple[object, ...]:
    try:
        parsed = parse(found.expr)
    except ValueError:  # of another version
        return found.unit, found.expr
    return found.unit, parsed.metric, parsed.quantile


def _left_out(manifest: Manifest, history: History) -> list[str]:
    """Passes of the same plan on another machine, at another load and so on, the commonest reasons first."""
    own, mark = fingerprint.parts(manifest), fingerprint.of(manifest)
    reasons = Counter(
        "; ".join(fingerprint.between(one.parts, own)) if one.parts else "its circumstances were not kept"
        for one in history.entries
        if (one.system, one.plan) == (manifest.system, manifest.plan)
        and one.passed
        and one.fingerprint != mark
    )
    return [f"{count} passes left out: {reason}" for reason, count in reasons.most_common(SAID)]
