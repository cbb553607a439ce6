"""What a run of a plan is judged by, and whether that could fail in the time that the run has."""

from __future__ import annotations

from pathlib import Path

from chaos import experiment
from chaos.errors import ChaosError
from detect.errors import SetupError
from gameday import plan
from gameday.errors import GamedayError
from gameday.plan import Plan
from slo import objective
from slo.errors import SloError
from slo.objective import Objective

TARGETS = Path(objective.__file__).parent / "targets"
SECONDS = "s"


def judged(path: Path) -> dict[str, bool]:
    """The objectives of a plan, in fault phases those that the experiment names; whether each could fail.

    Raises:
        SetupError: the plan, or something that it names, cannot be used.
    """
    try:
        chosen = plan.load(path)
        known = {one.id: one for one in objective.load(TARGETS / f"{chosen.system}.toml")}
        folder = experiment.FOLDER / chosen.system
        found = [experiment.load(folder / f"{name}.json") for name in chosen.experiments]
        wanted = {id_ for one in found for id_ in one.judge}
        wanted |= {id_ for id_ in chosen.objectives if known[id_].phase != "fault"}
        return {id_: _could_fail(known[id_], chosen) for id_ in sorted(wanted)}
    except (GamedayError, ChaosError, SloError, KeyError) as error:
        raise SetupError(f"{path}: what it is judged by cannot be told: {error}") from error


def _could_fail(one: Objective, chosen: Plan) -> bool:
    """What takes longer than the run by its limit is at worst not over when the run is."""
    return one.expr.unit != SECONDS or one.expr.limit < chosen.seconds
