"""Blind runs: a defect, its size and its moment, drawn by a seed, reach the region in a sealed envelope.

Nothing in the run folder names what was planted; the judge runs as always, and only then the envelope is
opened.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass

from detect.setup import AFTER, Group, Setup

RUNS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """What was drawn: the defect, its sizes, and the seconds until it begins."""

    defect: str
    sizes: Mapping[str, float]

    @property
    def text(self) -> str:
        """As the environment variable carries it."""
        return f"{self.defect}:" + ",".join(f"{key}={value:g}" for key, value in self.sizes.items())


def draw(setup: Setup, seed: int, runs: int = RUNS) -> list[Envelope]:
    """As many different defects as there are runs, each with a size and a moment of its own."""
    rng = random.Random(seed)
    names = rng.sample(sorted(setup.blind), runs)
    return [Envelope(defect=name, sizes=_sizes(rng, setup, name)) for name in names]


def _sizes(rng: random.Random, setup: Setup, name: str) -> dict[str, float]:
    spans = {AFTER: (0.0, 0.0), **setup.blind[name]}
    return {key: float(f"{rng.uniform(low, high):.4g}") for key, (low, high) in spans.items()}


def group_of(setup: Setup, envelope: Envelope, number: int) -> Group:
    """The run that the envelope is opened in: by the plan that drives its objective."""
    known = setup.group_of(envelope.defect)
    return Group(
        name=f"blind-{number}",
        part="blind",
        plan=known.plan,
        defects=(envelope.defect,),
        unseen=known.unseen,
    )
