"""The look before each fault: the last time of calm, whatever faults came before."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any, cast

import pytest

from chaos import experiment
from fixtures import environment
from gameday import plan, timeline
from gameday.plan import Phase
from gameday.timeline import Timeline
from slo.judge import Gate

FAILOVER = experiment.load(experiment.FOLDER / "lexohub" / "aurora-failover.json")


@pytest.mark.parametrize(
    ("bounds", "looked"),
    [
        ([("warmup", 0, 15), ("steady", 15, 145)], (15, 145)),
        ([("steady", 15, 145), ("fault", 145, 205)], (15, 145)),
        ([("steady", 15, 145), ("fault", 145, 205), ("recovered", 205, 280)], (250, 280)),
        ([("steady", 15, 145), ("recovered", 205, 220)], (205, 220)),
    ],
)
def test_the_steady_state_is_asked_of_the_last_calm(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    bounds: list[tuple[str, float, float]],
    looked: tuple[float, float],
) -> None:
    """A recovered phase counts by its end: the trouble of the fault before may reach into its beginning."""
    asked: list[tuple[float, float]] = []

    def holds(_record: Any, _wanted: Any, *, start: float, end: float) -> Gate:
        asked.append((start, end))
        return Gate(holds=True, reason="")

    monkeypatch.setattr(timeline.record, "read", lambda _: None)
    monkeypatch.setattr(timeline.judge, "holds", holds)
    walked = Timeline(
        plan=plan.load("lexohub-gameday"),
        env=environment.load("local"),
        folder=tmp_path,
        commit="",
        objectives=(),
        experiments={},
        traffic=cast(Any, None),
        stop=threading.Event(),
        say=lambda _: None,
        bounds=[(Phase(name=name, for_s=end - start), start, end) for name, start, end in bounds],
    )
    assert walked._gate(FAILOVER).holds
    assert asked == [looked]
