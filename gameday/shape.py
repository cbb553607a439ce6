"""How arrivals change over the measured time: `ramp:400/s`, `steps:5:400/s` or `spike:400/s`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fixtures import quantity
from fixtures.errors import ConfigError as QuantityError
from gameday.errors import ConfigError

EXPECTED = (
    "expected ramp:400/s (from --arrivals to 400/s), steps:5:400/s (in five steps) or spike:400/s (400/s in "
    "the middle third)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """Stages as the manifest has them, the highest rate and the mean of the measured time, arrivals/s."""

    stages: tuple[Mapping[str, object], ...]
    peak: float
    mean: float


def read(text: str, *, rate: float, warmup_s: float, for_s: float) -> Shape:
    """The shape that `--shape` asks for; the warm-up before it rises to `rate` in its first half.

    Raises:
        ConfigError: it does not parse.
    """
    kind, _, rest = text.partition(":")
    count = 0
    if kind == "steps":
        number, _, rest = rest.partition(":")
        if not number.isascii() or not number.isdigit() or not 2 <= int(number) <= 1000:
            raise ConfigError(f"--shape {text!r}: no number of steps from 2 to 1000; {EXPECTED}")
        count = int(number)
    try:
        other = quantity.rate(rest)
    except QuantityError as error:
        raise ConfigError(f"--shape {text!r}: {error.problem}; {EXPECTED}") from error
    stages: dict[str, tuple[dict[str, object], float]] = {
        "ramp": ({"kind": "ramp", "from": rate, "to": other}, (rate + other) / 2),
        "steps": ({"kind": "steps", "from": rate, "to": other, "steps": count}, (rate + other) / 2),
        "spike": ({"kind": "spike", "rate": rate, "peak": other}, (2 * rate + other) / 3),
    }
    if kind not in stages:
        raise ConfigError(f"--shape {text!r}: no shape {kind!r}; {EXPECTED}")
    stage, mean = stages[kind]
    return Shape(
        stages=(*_warmup(rate, warmup_s), {**stage, "for_s": for_s}), peak=max(rate, other), mean=mean
    )


def _warmup(rate: float, seconds: float) -> tuple[Mapping[str, object], ...]:
    if not seconds:
        return ()
    return (
        {"kind": "ramp", "from": 0.0, "to": rate, "for_s": seconds / 2},
        {"kind": "constant", "rate": rate, "for_s": seconds / 2},
    )
