"""The `[load]` table of a plan: a model, how much of it, and the shape of its rate over the run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from fixtures import quantity
from fixtures.errors import ConfigError as QuantityError

MODELS = ("arrivals", "sessions", "users", "partly-open")
SPACINGS = ("even", "poisson")
KINDS = ("constant", "ramp", "steps", "spike", "curve")

Keys = tuple[str | int, ...]
_COMMON = {"model", "seed", "timeout", "only", "mix", "spacing", "ramp", "stages"}
_OF_MODEL = {
    "arrivals": {"rate", "max_in_flight"},
    "sessions": {"rate", "sessions"},
    "users": {"users", "think"},
    "partly-open": {"rate", "max_in_flight", "think", "stay"},
}
_OF_KIND = {
    "constant": {"rate"},
    "ramp": {"from", "to"},
    "steps": {"from", "to", "steps"},
    "spike": {"rate", "peak", "hold"},
    "curve": {"points", "scale"},
}
_NEEDED = {
    "constant": ("rate",),
    "ramp": ("to",),
    "steps": ("from", "to", "steps"),
    "spike": ("rate", "peak"),
    "curve": ("points",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """The traffic: `rate` in requests per second (the highest, where `stages` shape it), times in seconds.

    `max_in_flight` caps the models "arrivals" and "partly-open"; `sessions` are held open, `users` wait for
    their answers and think for `think_s`; visits go on with probability `stay`.
    """

    model: str = "arrivals"
    rate: float = 0.0
    seed: int = 1
    max_in_flight: int = 600
    sessions: int = 0
    users: int = 0
    think_s: float = 0.0
    stay: float = 0.8
    spacing: str = "even"
    ramp_s: float | None = None
    stages: tuple[Mapping[str, Any], ...] = ()
    timeout_s: float = 10.0
    only: tuple[str, ...] = ()
    mix: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Reads one `[load]` table; `refuse` makes the error that names file and line of a key."""

    table: Mapping[str, Any]
    refuse: Callable[[Keys, str], Exception]

    def load(self) -> Load:
        """The load; whatever `refuse` makes is raised for what cannot be meant."""
        model = self._choice("model", MODELS, "arrivals")
        self._known(model)
        stages = self._stages()
        rate = 0.0
        if stages:
            rate = max(_peak(stage) for stage in stages)
        elif model != "users":
            rate = self._quantity(("load", "rate"), self.table.get("rate"), quantity.rate)
        return Load(
            model=model,
            rate=rate,
            seed=self._whole("seed", 1, 0),
            max_in_flight=self._whole("max_in_flight", 600, 1),
            sessions=self._whole("sessions", None if model == "sessions" else 0, 1),
            users=self._whole("users", None if model == "users" else 0, 1),
            think_s=self._seconds("think", "0s"),
            stay=self._share("stay", 0.8),
            spacing=self._choice("spacing", SPACINGS, "even"),
            ramp_s=self._seconds("ramp", "0s") if "ramp" in self.table else None,
            stages=stages,
            timeout_s=self._quantity(
                ("load", "timeout"), self.table.get("timeout", "10s"), quantity.duration
            ),
            only=self._only(),
            mix=self._mix(),
        )

    def _known(self, model: str) -> None:
        known = _COMMON | _OF_MODEL[model]
        for key in self.table:
            if key in known:
                continue
            others = sorted(other for other, keys in _OF_MODEL.items() if key in keys)
            if others:
                raise self.refuse(
                    ("load", key),
                    f"{key} is for model {' or '.join(others)}; this one is {model!r}, "
                    f"expected {sorted(_OF_MODEL[model])}",
                )
            raise self.refuse(("load", key), f"unknown key {key!r}; expected one of {sorted(known)}")
        if "stages" not in self.table:
            return
        if model == "users":
            raise self.refuse(("load", "stages"), "users have no rate of their own; expected another model")
        if "rate" in self.table or "ramp" in self.table:
            key = "rate" if "rate" in self.table else "ramp"
            raise self.refuse(("load", key), f"both {key} and stages; expected the rate in the stages alone")

    def _stages(self) -> tuple[Mapping[str, Any], ...]:
        tables = self.table.get("stages", [])
        if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
            raise self.refuse(("load", "stages"), f"stages is {tables!r}; expected [[load.stages]] tables")
        stages = tuple(self._stage(("load", "stages", number), table) for number, table in enumerate(tables))
        if stages and max(_peak(stage) for stage in stages) <= 0:
            raise self.refuse(("load", "stages"), "no stage has a rate; expected one above 0/s")
        return stages

    def _stage(self, where: Keys, table: Mapping[str, Any]) -> Mapping[str, Any]:
        kind = table.get("kind")
        if kind not in KINDS:
            raise self.refuse((*where, "kind"), f"kind is {kind!r}; expected one of {list(KINDS)}")
        known = {"kind", "for"} | _OF_KIND[kind]
        for key in table:
            if key not in known:
                raise self.refuse((*where, key), f"unknown key {key!r}; expected one of {sorted(known)}")
        for key in _NEEDED[kind]:
            if key not in table:
                raise self.refuse(where, f"a {kind} stage without {key!r}; expected {list(_NEEDED[kind])}")
        stage: dict[str, Any] = {"kind": kind}
        for key in sorted(table.keys() & {"rate", "from", "to", "peak"}):
            stage[key] = self._rate((*where, key), table[key])
        if "steps" in table:
            stage["steps"] = self._count((*where, "steps"), table["steps"])
        if kind == "curve":
            stage |= self._curve(where, table)
        if kind != "curve" or "for" in table:
            stage["for_s"] = self._quantity((*where, "for"), table.get("for"), quantity.duration)
        if "hold" in table:
            stage["hold_s"] = self._hold((*where, "hold"), table["hold"], stage["for_s"])
        return stage

    def _curve(self, where: Keys, table: Mapping[str, Any]) -> dict[str, Any]:
        points, scale = table["points"], table.get("scale", 1.0)
        if not isinstance(scale, int | float) or isinstance(scale, bool) or scale <= 0:
            raise self.refuse((*where, "scale"), f"scale is {scale!r}; expected a number above 0")
        usable = isinstance(points, list) and len(points) > 1 and all(map(_is_point, points))
        if not usable or points[0][0] != 0 or any(a[0] > b[0] for a, b in pairwise(points)):
            raise self.refuse(
                (*where, "points"),
                "points are not usable; expected at least two pairs [seconds, requests/s] from second 0 on, "
                "in order of time, e.g. [[0, 100], [60, 300]]",
            )
        found = [[float(time), float(rate)] for time, rate in points]
        return {"points": found, "scale": float(scale), "for_s": max(found[-1][0], 1e-9)}

    def _hold(self, keys: Keys, value: object, within_s: float) -> float:
        hold = self._quantity(keys, value, quantity.duration)
        if hold > within_s:
            raise self.refuse(keys, f"hold is {hold:g} s of a stage of {within_s:g} s; expected no more")
        return hold

    def _rate(self, keys: Keys, value: object) -> float:
        return 0.0 if value in ("0/s", "0/m", "0/h") else self._quantity(keys, value, quantity.rate)

    def _count(self, keys: Keys, value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or value < 2:
            raise self.refuse(keys, f"{keys[-1]} is {value!r}; expected a whole number from 2 up")
        return value

    def _only(self) -> tuple[str, ...]:
        value = self.table.get("only", [])
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self.refuse(("load", "only"), f"only is {value!r}; expected a list of flows or tags")
        return tuple(value)

    def _mix(self) -> dict[str, float]:
        value = self.table.get("mix", {})
        for flow, weight in value.items() if isinstance(value, dict) else [("mix", None)]:
            if isinstance(weight, bool) or not isinstance(weight, int | float) or weight < 0:
                raise self.refuse(
                    ("load", "mix", flow), f"{flow} is {weight!r}; expected a weight of 0 or more"
                )
        return dict(value)

    def _choice(self, key: str, allowed: tuple[str, ...], default: str) -> str:
        value = self.table.get(key, default)
        if value not in allowed:
            raise self.refuse(("load", key), f"{key} is {value!r}; expected one of {list(allowed)}")
        return str(value)

    def _whole(self, key: str, default: int | None, least: int) -> int:
        if key not in self.table and default is not None:
            return default
        value = self.table.get(key)
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise self.refuse(("load", key), f"{key} is {value!r}; expected a whole number from {least} up")
        return value

    def _share(self, key: str, default: float) -> float:
        value = self.table.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1:
            raise self.refuse(("load", key), f"{key} is {value!r}; expected a probability from 0 to below 1")
        return float(value)

    def _seconds(self, key: str, default: str) -> float:
        value = self.table.get(key, default)
        return 0.0 if value == "0s" else self._quantity(("load", key), value, quantity.duration)

    def _quantity(self, keys: Keys, value: object, parse: Callable[[object], float]) -> float:
        try:
            return float(parse(value))
        except QuantityError as error:
            raise self.refuse(keys, f"{keys[-1]}: {error.problem}") from error


def _peak(stage: Mapping[str, Any]) -> float:
    if stage["kind"] == "curve":
        return float(stage["scale"]) * max(float(rate) for _, rate in stage["points"])
    return max(float(stage.get(key, 0.0)) for key in ("rate", "from", "to", "peak"))


def _is_point(value: object) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 2
        and all(isinstance(part, int | float) and not isinstance(part, bool) and part >= 0 for part in value)
    )
