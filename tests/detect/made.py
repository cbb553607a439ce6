"""Defects, groups and verdicts made up for tests."""

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from detect.runs import Run
from detect.setup import Group, Setup
from fixtures.region.defects.catalogue import Defect
from slo.verdict import Verdict, Verdicts

OBJECTIVES = {
    "lost-write": "no-lost-write",
    "slow-tail": "latency-p99",
    "errors": "error-rate",
    "suppressed-fault": "failover",
}
TWINS = ("slow-tail", "errors")
PLANS = ("defects", "failover", "steady")


def defect(name: str, *, catches: str = "", twin: Mapping[str, float] | None = None) -> Defect:
    """A defect of one size."""
    return Defect(
        name=name,
        sentence="Something is broken.",
        catches=catches or OBJECTIVES[name],
        into=("api",),
        sizes={"share": 0.02},
        twin=twin,
        path=Path(f"{name}.py"),
    )


def known() -> dict[str, Defect]:
    """Four defects, two with twins."""
    return {name: defect(name, twin={"share": 0.01} if name in TWINS else None) for name in OBJECTIVES}


def made(**change: object) -> Setup:
    """Groups that prove something: each defect and each twin once."""
    fields: dict[str, object] = {
        "defects": known(),
        "groups": (
            Group(name="one", part="defects", plan="defects", defects=("lost-write", "slow-tail")),
            Group(name="two", part="defects", plan="defects", defects=("errors",)),
            Group(name="three", part="defects", plan="failover", defects=("suppressed-fault",), unseen=True),
            Group(name="calm", part="twins", plan="steady", twins=TWINS),
        ),
        "explained": {"errors": {"uptime": "the same errors"}},
        "blind": {"lost-write": {}, "slow-tail": {"share": (0.02, 0.04), "after": (0.0, 20.0)}},
        "judged": {plan: {"uptime": True, "latency-p99": True, "mttr": False} for plan in PLANS},
        **change,
    }
    return Setup(**fields)  # type: ignore[arg-type]


def _filled(kind: type, **given: object) -> Any:
    """One of a kind with nothing in it but what is given; judges say more in every version."""
    return kind(**{**{one.name: None for one in fields(kind)}, **given})


def verdict(name: str, word: str, *, reason: str = "because", measured: str = "") -> Verdict:
    """One objective's verdict."""
    one: Verdict = _filled(Verdict, id=name, verdict=word, reason=reason, measured_text=measured)
    return one


def run(
    *,
    code: int = 0,
    state: str = "complete",
    valid: bool = True,
    why: str = "",
    effects: Mapping[str, int] | None = None,
    disturbed: str = "",
    **words: str | Verdict,
) -> Run:
    """A finished run: `no_lost_write="fail"` is the word on `no-lost-write`."""
    objectives = tuple(
        word if isinstance(word, Verdict) else verdict(name.replace("_", "-"), word)
        for name, word in words.items()
    )
    trust = {"valid": valid, "causes": () if valid else ("the generator was late",)}
    trust["disturbed"] = disturbed
    found = _filled(Verdicts, verdict="pass", state=state, objectives=objectives, validity=trust)
    return Run(code=code, folder=Path("r"), verdicts=found, why=why, effects=effects or {})
