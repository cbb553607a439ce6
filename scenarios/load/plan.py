"""What to drive, read from a run folder's manifest.json (schema 1)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from scenarios.errors import ManifestError

SCHEMA = 1
DEFAULT_TIMEOUT_S = 10.0
LONGEST_RAMP_S = 10.0
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadPlan:
    """One run's load: ``rate`` in requests/s, times in seconds, ``mix`` weights that replace the scenario's.

    ``thresholds`` are the latencies (seconds) an answer is compared with when it is recorded, per operation;
    "*" stands for the operations not named. ``urls`` are base URLs; ``allow_hosts`` every host that may be
    connected to.
    """

    run_id: str
    system: str
    urls: Mapping[str, str]
    allow_hosts: tuple[str, ...]
    rate: float
    for_s: float
    ramp_s: float = 0.0
    sessions: int = 100
    seed: int = 1
    poisson: bool = False
    only: tuple[str, ...] = ()
    mix: Mapping[str, float] = field(default_factory=dict)
    timeout_s: float = DEFAULT_TIMEOUT_S
    thresholds: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    documents: int = 20_000

    @property
    def base_url(self) -> str:
        """Where the system's own API answers."""
        return self.urls["api"]

    def thresholds_of(self, slug: str) -> tuple[float, ...]:
        """Latencies to count exactly for this operation."""
        return tuple(self.thresholds.get(slug, self.thresholds.get("*", ())))


def read(folder: Path) -> LoadPlan:
    """The plan in this run folder; ManifestError says which key is missing or meaningless."""
    path = folder / "manifest.json"
    try:
        manifest = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ManifestError(f"{path}: {error}; expected a run folder with a manifest.json") from error
    if not isinstance(manifest, dict) or manifest.get("schema") != SCHEMA:
        raise ManifestError(f"{path}: expected a JSON object with schema {SCHEMA}")
    return from_manifest(manifest, path=path)


def from_manifest(manifest: Mapping[str, Any], *, path: Path) -> LoadPlan:
    """The plan a manifest describes; ``path`` is for messages only."""
    load = _need(manifest, "load", dict, path)
    environment = _need(manifest, "environment", dict, path)
    phases = _need(manifest, "phases", list, path)
    urls = _need(environment, "urls", dict, path)
    for_s = sum(_number(phase, "for_s", path) for phase in phases)
    sessions, rate = int(_number(load, "max_in_flight", path)), _number(load, "rate", path)
    if "api" not in urls or not urlsplit(str(urls["api"])).hostname:
        raise ManifestError(f"{path}: environment.urls.api must be an http(s) URL; got {urls.get('api')!r}")
    if min(for_s, rate, sessions) <= 0:
        raise ManifestError(f"{path}: load.rate, load.max_in_flight and the phases' for_s must be above 0")
    warmup_s = sum(float(phase["for_s"]) for phase in phases if phase.get("name") == "warmup")
    return LoadPlan(
        run_id=_need(manifest, "run_id", str, path),
        system=_need(manifest, "system", str, path),
        urls={str(name): str(url).rstrip("/") for name, url in urls.items()},
        allow_hosts=tuple(_need(manifest, "allow_hosts", list, path)),
        rate=rate,
        for_s=for_s,
        ramp_s=float(load.get("ramp_s", min(LONGEST_RAMP_S, warmup_s / 2))),
        sessions=sessions,
        seed=int(load.get("seed", 1)),
        poisson=load.get("spacing", "even") == "poisson",
        only=tuple(load.get("only", ())),
        mix={str(flow): float(weight) for flow, weight in load.get("mix", {}).items()},
        timeout_s=float(load.get("timeout_s", DEFAULT_TIMEOUT_S)),
        thresholds={slug: tuple(values) for slug, values in manifest.get("thresholds", {}).items()},
        documents=int(environment.get("documents", 20_000)),
    )


def _need(mapping: Mapping[str, Any], key: str, kind: type[Value], path: Path) -> Value:
    value = mapping.get(key)
    if not isinstance(value, kind):
        raise ManifestError(f"{path}: {key!r} must be a {kind.__name__}; got {value!r}")
    return value


def _number(mapping: Mapping[str, Any], key: str, path: Path) -> float:
    value = mapping.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ManifestError(f"{path}: {key!r} must be a number; got {value!r}")
    return float(value)
