"""The shapes that load comes in: level, rising, in steps, with a spike, or as it was once recorded.

Each is a Profile; ``then``, ``plus`` and ``scaled`` put several together. Times in seconds, rates per second.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from scenarios.load.profile import Point, Profile

Stage = Mapping[str, Any]


def constant(rate: float) -> Profile:
    """The same rate all the time."""
    return Profile(points=((0.0, rate),))


def ramp(rate: float, *, over_s: float, start: float = 0.0) -> Profile:
    """From ``start`` to ``rate`` within ``over_s``, then constant; no ramp at all for ``over_s`` 0."""
    return Profile(points=((0.0, start), (over_s, rate))) if over_s > 0 else constant(rate)


def steps(first: float, last: float, *, count: int, each_s: float) -> Profile:
    """``count`` levels from ``first`` to ``last``, evenly apart, each held for ``each_s``."""
    if count < 2 or each_s <= 0:
        raise ValueError(f"{count} steps of {each_s:g} s; expected at least 2 of more than 0 s")
    levels = [first + (last - first) * step / (count - 1) for step in range(count)]
    points: list[Point] = [(0.0, levels[0])]
    for step in range(1, count):
        points += [(step * each_s, levels[step - 1]), (step * each_s, levels[step])]
    return Profile(points=tuple(points))


def spike(rate: float, peak: float, *, at_s: float, hold_s: float, rise_s: float = 0.0) -> Profile:
    """``rate``, and from ``at_s`` on ``peak`` for ``hold_s``, reached and left within ``rise_s``."""
    if min(at_s, rise_s) < 0 or hold_s <= 0:
        raise ValueError(f"a spike at {at_s:g} s for {hold_s:g} s; expected 0 s or later and more than 0 s")
    top, fall = at_s + rise_s, at_s + rise_s + hold_s
    return Profile(points=((0.0, rate), (at_s, rate), (top, peak), (fall, peak), (fall + rise_s, rate)))


def curve(points: Sequence[Sequence[float]]) -> Profile:
    """Straight lines through (seconds, rate)."""
    return Profile(points=tuple((float(time), float(rate)) for time, rate in points))


def recorded(rates: Sequence[float], *, every_s: float) -> Profile:
    """Rates that were recorded, each for ``every_s``; nothing after the last."""
    if every_s <= 0:
        raise ValueError(f"a rate every {every_s:g} s; expected more than 0 s")
    points: list[Point] = []
    for number, rate in enumerate(rates):
        points += [(number * every_s, float(rate)), ((number + 1) * every_s, float(rate))]
    return Profile(points=(*points, (len(rates) * every_s, 0.0)))


def profile(stages: Sequence[Stage], *, rate: float, ramp_s: float = 0.0) -> Profile:
    """The stages of a manifest one after the other; without any, ``rate`` after a ramp of ``ramp_s``.

    The last stage's rate stays. A rising stage starts where the one before it ended, unless it says
    otherwise. LookupError, TypeError or ValueError for stages that cannot be meant.
    """
    if not stages:
        return ramp(rate, over_s=ramp_s)
    whole: Profile | None = None
    end = 0.0
    for stage in stages:
        reached = 0.0 if whole is None else whole.rate(end)
        piece = _KINDS[stage["kind"]](stage, reached)
        whole = piece if whole is None else whole.then(piece, at=end)
        end += float(stage["for_s"])
    assert whole is not None
    return whole


def _ramp(stage: Stage, reached: float) -> Profile:
    return ramp(stage["to"], over_s=stage["for_s"], start=stage.get("from", reached))


def _steps(stage: Stage, _reached: float) -> Profile:
    count = stage["steps"]
    return steps(stage["from"], stage["to"], count=count, each_s=stage["for_s"] / count)


def _spike(stage: Stage, _reached: float) -> Profile:
    hold = stage.get("hold_s", stage["for_s"] / 3)
    return spike(stage["rate"], stage["peak"], at_s=(stage["for_s"] - hold) / 2, hold_s=hold)


_KINDS: dict[str, Callable[[Stage, float], Profile]] = {
    "constant": lambda stage, _: constant(stage["rate"]),
    "ramp": _ramp,
    "steps": _steps,
    "spike": _spike,
    "curve": lambda stage, _: curve(stage["points"]).scaled(stage.get("scale", 1.0)),
}
