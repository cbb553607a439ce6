"""What makes two runs comparable: the same system, plan, load and place, on the same kind of machine.

Ports, seeds and commits are left out: they may differ between two nights, and the commit is what a comparison
is about. So are planted defects: a run that has one is to be found out by the nights that had none.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from slo.manifest import Manifest

_PLACE = (
    "name",
    "kind",
    "size",
    "time_scale",
    "detection_s",
    "max_connections",
    "documents",
    "replication",
)
_MACHINE = ("cores", "os", "python")


def parts(manifest: Manifest) -> dict[str, Any]:
    """Everything that must be equal, by dotted name."""
    raw = manifest.raw
    versions = raw.get("versions", {})
    named = {
        "system": manifest.system,
        "plan": manifest.plan,
        "workers": raw.get("workers", 1),
        "phases": [[one.name, one.for_s, one.experiment] for one in manifest.phases],
        **{f"load.{name}": value for name, value in sorted(manifest.load.items()) if name != "seed"},
        **{f"environment.{name}": manifest.environment.get(name) for name in _PLACE},
        **{f"machine.{name}": versions.get(name) for name in _MACHINE},
    }
    return {name: value for name, value in named.items() if value is not None}


def of(manifest: Manifest) -> str:
    """Twelve hexadecimal digits that are equal for comparable runs."""
    text = json.dumps(parts(manifest), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def differences(before: Manifest, after: Manifest) -> list[str]:
    """What keeps two runs from being comparable, a sentence each; none if they are."""
    return between(parts(before), parts(after))


def between(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """The same of two runs' parts."""
    return [
        f"{name} is {_said(new, name)}, was {_said(old, name)}"
        for name in sorted(old.keys() | new.keys())
        if old.get(name) != new.get(name)
    ]


def _said(values: Mapping[str, Any], name: str) -> str:
    return json.dumps(values[name]) if name in values else "not given"
