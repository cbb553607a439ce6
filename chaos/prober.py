"""A probe at work: armed before the fault, looking from its own thread, its first and last sight recorded."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self

from chaos.errors import ProbeError
from chaos.probes import Probe, Reading
from chaos.sight import ENDS, Edge, Phase, Sample, Sight

Record = Callable[[Edge, Sample], None]


@dataclass(slots=True, kw_only=True)
class Prober:
    """Looks every `every_s` seconds inside its `with` block, in which it is armed.

    `armed` given: the state armed by an earlier process (from the journal); then nothing is armed anew.
    """

    probe: Probe
    every_s: float = 0.1
    record: Record = lambda _edge, _sample: None
    arm_s: float = 10.0
    armed: Reading | None = None
    _sight: Sight = field(default_factory=Sight)
    _since: float = float("inf")
    _failure: str = ""
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _done: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        """Arm and begin to look.

        Raises:
            ProbeError: what is looked at is not healthy for three looks in a row within `arm_s`.
        """
        if self.armed is None:
            self.armed = self._arm()
        self._thread = threading.Thread(
            target=self._look, args=(self.armed,), name="gameday-probe", daemon=True
        )
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        if self._thread:
            self._thread.join()

    def begin(self) -> None:
        """From now on what is seen counts: call it right before the fault is started."""
        self._since = time.time()

    @property
    def first(self) -> Sample | None:
        """The fault's first sight."""
        with self._changed:
            return self._sight.first

    @property
    def last(self) -> Sample | None:
        """The fault's last sight: the first moment of its being gone."""
        with self._changed:
            return self._sight.last

    @property
    def latest(self) -> str:
        """What the newest look saw, in words."""
        with self._changed:
            seen = self._sight.latest
            return self._failure or (f"{seen.phase.value}: {seen.detail}" if seen else "nothing seen yet")

    def await_first(self, timeout_s: float) -> bool:
        """Wait for the fault's first sight."""
        return self._await(lambda: self._sight.first is not None, timeout_s)

    def await_gone(self, timeout_s: float, *, calm: int = ENDS) -> bool:
        """Wait until the fault is gone: its last sight, or quiet looks in a row.

        `calm` quiet looks stand in for a last sight where the armed state came back by itself.
        """

        def gone() -> bool:
            if self._sight.first is not None and self._sight.last is None:
                as_armed = self._sight.latest is not None and self._sight.latest.phase is Phase.ARMED
                return as_armed and self._sight.calm >= calm
            return self._sight.calm >= ENDS

        return self._await(gone, timeout_s)

    def _await(self, condition: Callable[[], bool], timeout_s: float) -> bool:
        with self._changed:
            self._changed.wait_for(lambda: condition() or bool(self._failure), timeout_s)
            return condition() and not self._failure

    def _arm(self) -> Reading:
        deadline = time.monotonic() + self.arm_s
        row: list[Reading] = []
        why = "not asked"
        while time.monotonic() < deadline:
            reading = self.probe.read()
            why = self.probe.refusal(reading)
            same = bool(row) and self.probe.compare(row[-1], reading)[0] is Phase.ARMED
            row = [] if why else [*row, reading] if same else [reading]
            if len(row) >= ENDS:
                return row[-1]
            time.sleep(max(self.every_s, self.probe.slowest_s))
        raise ProbeError(
            f"the probe cannot be armed within {self.arm_s:g} s: {why or 'what it reads keeps changing'}; "
            "the system must be healthy before it is broken"
        )

    def _look(self, armed: Reading) -> None:
        pace = max(self.every_s, self.probe.slowest_s)
        due = time.monotonic()
        while not self._done.wait(max(0.0, due - time.monotonic())):
            due = max(due + pace, time.monotonic())
            asked = time.time()
            try:
                phase, detail = self.probe.compare(armed, self.probe.read())
            except ProbeError as error:
                with self._changed:
                    self._failure = str(error)
                    self._changed.notify_all()
                return
            if asked >= self._since:
                self._take(Sample(t=asked, phase=phase, detail=detail))

    def _take(self, sample: Sample) -> None:
        with self._changed:
            edges = self._sight.feed(sample)
        for edge, at in edges:
            self.record(edge, at)
        with self._changed:
            self._changed.notify_all()
