"""What to drive, read from a run folder's manifest.json (schema 1)."""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from scenarios.errors import ManifestError
from scenarios.load import shapes
from scenarios.load.profile import Profile

SCHEMA = 1
DEFAULT_TIMEOUT_S = 10.0
LONGEST_RAMP_S = 10.0
DEFAULT_STAY = 0.8
ARRIVALS, SESSIONS, USERS, PARTLY_OPEN = "arrivals", "sessions", "users", "partly-open"
MODELS = (ARRIVALS, SESSIONS, USERS, PARTLY_OPEN)
CLOSED = (USERS, PARTLY_OPEN)
_POOL_KEY = {ARRIVALS: "max_in_flight", SESSIONS: "sessions", USERS: "users", PARTLY_OPEN: "max_in_flight"}
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainRequest:
    """The one request of a load without a scenario."""

    url: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """A recorded workload to repeat, ``speed`` times as fast."""

    file: str
    speed: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadPlan:
    """One run's load: ``rate`` in requests/s, times in seconds, ``mix`` weights that replace the scenario's.

    ``model``: "arrivals" on a pool of ``sessions``; "sessions", of which that many are held open; "users",
    that many who wait for their answers and think for ``think_s``; "partly-open", visits that arrive and go
    on with probability ``stay`` after each flow. ``shape`` is the rate over the whole run in requests/s.
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
    model: str = ARRIVALS
    warmup_s: float = 0.0
    ramp_s: float = 0.0
    sessions: int = 100
    think_s: float = 0.0
    stay: float = DEFAULT_STAY
    seed: int = 1
    poisson: bool = False
    stages: tuple[Mapping[str, Any], ...] = ()
    only: tuple[str, ...] = ()
    mix: Mapping[str, float] = field(default_factory=dict)
    timeout_s: float = DEFAULT_TIMEOUT_S
    thresholds: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    documents: int = 20_000
    request: PlainRequest | None = None
    replay: Replay | None = None
    workers: int = 1

    @property
    def base_url(self) -> str:
        """Where the system's own API answers."""
        return self.urls["api"]

    @property
    def closed(self) -> bool:
        """Whether a slow system slows the load down: such a run hides part of an outage."""
        return self.model in CLOSED

    @property
    def shape(self) -> Profile:
        """Requests per second over the run; ValueError for stages that make no profile."""
        return shapes.profile(self.stages, rate=self.rate, ramp_s=self.ramp_s)

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
    load = {key: value for key, value in _need(manifest, "load", dict, path).items() if value is not None}
    environment = _need(manifest, "environment", dict, path)
    phases = _need(manifest, "phases", list, path)
    urls = _need(environment, "urls", dict, path)
    for_s = sum(_number(phase, "for_s", path) for phase in phases)
    if "api" not in urls or not urlsplit(str(urls["api"])).hostname:
        raise ManifestError(f"{path}: environment.urls.api must be an http(s) URL; got {urls.get('api')!r}")
    warmup_s = sum(float(phase["for_s"]) for phase in phases if phase.get("name") == "warmup")
    plan = LoadPlan(
        run_id=_need(manifest, "run_id", str, path),
        system=_need(manifest, "system", str, path),
        urls={str(name): str(url).rstrip("/") for name, url in urls.items()},
        allow_hosts=tuple(_need(manifest, "allow_hosts", list, path)),
        for_s=for_s,
        warmup_s=warmup_s,
        ramp_s=float(load.get("ramp_s", min(LONGEST_RAMP_S, warmup_s / 2))),
        seed=int(load.get("seed", 1)),
        poisson=load.get("spacing", "even") == "poisson",
        only=tuple(load.get("only", ())),
        mix={str(flow): float(weight) for flow, weight in load.get("mix", {}).items()},
        timeout_s=float(load.get("timeout_s", DEFAULT_TIMEOUT_S)),
        thresholds={slug: tuple(values) for slug, values in manifest.get("thresholds", {}).items()},
        documents=int(environment.get("documents") or 20_000),
        request=_request(load, path),
        replay=_replay(load, path),
        workers=int(manifest.get("workers", 1)),
        **_traffic(load, path),
    )
    return _meaningful(plan, path)


def _traffic(load: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """What the model makes of rate, sessions and users."""
    model = load.get("model", ARRIVALS)
    if model not in MODELS:
        raise ManifestError(f"{path}: load.model is {model!r}; expected one of {', '.join(MODELS)}")
    needs_rate = model != USERS and not load.get("stages") and not load.get("replay")
    return {
        "model": model,
        "rate": _number(load, "rate", path) if needs_rate else float(load.get("rate", 0.0)),
        "sessions": int(_number(load, _POOL_KEY[model], path)),
        "think_s": float(load.get("think_s", 0.0)),
        "stay": float(load.get("stay", DEFAULT_STAY)),
        "stages": tuple(load.get("stages", ())),
    }


def _meaningful(plan: LoadPlan, path: Path) -> LoadPlan:
    if plan.for_s <= 0 or plan.sessions <= 0:
        raise ManifestError(f"{path}: load.{_POOL_KEY[plan.model]} and the phases' for_s must be above 0")
    if plan.model != USERS and plan.replay is None:
        try:
            _ = plan.shape
        except (ValueError, LookupError, TypeError) as error:
            raise ManifestError(f"{path}: load.rate and load.stages make no profile: {error}") from error
    if plan.think_s < 0 or not 0 <= plan.stay < 1:
        raise ManifestError(f"{path}: load.think_s must not be negative and load.stay be in [0, 1)")
    return plan


def _request(load: Mapping[str, Any], path: Path) -> PlainRequest | None:
    if "request" not in load:
        return None
    asked = _need(load, "request", dict, path)
    try:
        encoded = asked.get("body_base64")
        body = str(asked.get("body", "")).encode() if encoded is None else base64.b64decode(encoded)
    except (binascii.Error, TypeError) as error:
        raise ManifestError(f"{path}: load.request.body_base64 is not base64: {error}") from error
    return PlainRequest(
        url=_need(asked, "url", str, path),
        method=str(asked.get("method", "GET")),
        headers={str(name): str(value) for name, value in asked.get("headers", {}).items()},
        body=body,
    )


def _replay(load: Mapping[str, Any], path: Path) -> Replay | None:
    if "replay" not in load:
        return None
    asked = _need(load, "replay", dict, path)
    return Replay(file=_need(asked, "file", str, path), speed=float(asked.get("speed", 1.0)))


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
