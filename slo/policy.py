"""Policies: which objectives decide a run's verdict, and what else a run must show to pass.

            documented   derived with `blocks`   derived   baseline   crossed `warn`   documented passes
    local   decide       decide                  inform    inform     shown            -
    nightly decide       decide                  inform    decide     shown            -
    release decide       decide                  inform    decide     no pass          at least one

A failure of integrity (lost, doubled, leaked, wrong) decides under all of them, also where the objective only
informs. A policy chooses who else decides and adds conditions; what decides and is inconclusive, without data
or void never passes under any of them. `measure` is that of a run that asked for nothing; if it has
objectives, it is `local`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from slo.finding import PASS
from slo.objective import Objective
from slo.verdict import Verdict

MEASURE = "measure"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What one of them asks for."""

    name: str
    baselines: bool = False
    warnings: bool = False
    documented: int = 0
    known: bool = True

    def decides(self, one: Objective) -> bool:
        """Whether this objective can keep a run from passing."""
        return one.blocks or self.baselines if one.basis == "baseline" else one.decides

    def doubts(self, verdicts: Sequence[Verdict]) -> list[str]:
        """What keeps a run from passing though no objective that decides says so."""
        doubts = []
        if not self.known:
            doubts.append(f"policy {self.name!r} is none of {', '.join(POLICIES)}")
        warned = [one.name for one in verdicts if self.warnings and one.decides and one.warned]
        if warned:
            doubts.append(f"beyond their warnings, which a {self.name} may not be: {', '.join(warned)}")
        passed = sum(one.verdict == PASS for one in verdicts if one.basis == "documented")
        if passed < self.documented:
            doubts.append(f"no documented objective passed, and a {self.name} asks for {self.documented}")
        return doubts


POLICIES = {
    MEASURE: Policy(name=MEASURE),
    "local": Policy(name="local"),
    "nightly": Policy(name="nightly", baselines=True),
    "release": Policy(name="release", baselines=True, warnings=True, documented=1),
}


def of(name: str) -> Policy:
    """The policy of that name; one that nobody knows lets everything decide and nothing pass."""
    return POLICIES.get(name) or Policy(name=name, baselines=True, warnings=True, documented=1, known=False)
