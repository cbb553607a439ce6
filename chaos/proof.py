"""Proof that a fault is gone: by the probe's own eyes, then by the facts of each action."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass

from chaos import facts
from chaos.facts import Context
from chaos.prober import Prober
from fixtures.environment import Environment


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long each wait may last, in seconds; every one of them ends.

    `alarm_s` stop alarm to become OK; `preview_s` targets to resolve; `poll_s` between two looks at FIS;
    `silence_s` FIS may leave unanswered; `end_s` a stopped experiment to end; `onset_s` a fault to show after
    its action; `gone_s` a fault to be gone after its experiment; `calm` quiet looks that stand in for a last
    sight.
    """

    alarm_s: float
    preview_s: float
    poll_s: float
    silence_s: float
    end_s: float
    onset_s: float
    gone_s: float
    calm: int = 30
    arm_s: float = 10.0

    @property
    def recovery_s(self) -> float:
        """How long it may take, at most, until a fault that was stopped is proven gone."""
        return self.end_s + self.onset_s + self.gone_s

    @classmethod
    def of(cls, env: Environment) -> Patience:
        """Short on the local region; on AWS faults begin and end up to minutes late."""
        if env.kind == "region":
            gone = 60.0 + 2 * env.detection_s
            return cls(
                alarm_s=90.0, preview_s=30.0, poll_s=0.2, silence_s=10.0, end_s=60.0, onset_s=5.0, gone_s=gone
            )
        return cls(
            alarm_s=300.0,
            preview_s=300.0,
            poll_s=2.0,
            silence_s=60.0,
            end_s=600.0,
            onset_s=180.0,
            gone_s=1800.0,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """Whether the fault is gone, and why that is or is not known."""

    gone: bool
    detail: str


def prove(
    prober: Prober, actions: Iterable[str], context: Context, patience: Patience, *, touched: bool
) -> Proof:
    """Wait until the fault is proven gone, or patience ends.

    `touched`: some action got so far that it may have changed something; then its effect may still be to
    come.
    """
    if touched:
        prober.await_first(patience.onset_s)
    deadline = time.monotonic() + patience.gone_s
    while True:
        left = max(0.0, deadline - time.monotonic())
        if not prober.await_gone(left, calm=patience.calm):
            return Proof(
                gone=False, detail=f"after {patience.gone_s:g} s the probe still says {prober.latest}"
            )
        amiss = facts.problem(actions, context) if touched else ""
        if not amiss and prober.await_gone(0.0, calm=patience.calm):
            return Proof(gone=True, detail=prober.latest)
        if time.monotonic() >= deadline:
            return Proof(gone=False, detail=f"after {patience.gone_s:g} s: {amiss or prober.latest}")
        time.sleep(patience.poll_s)
