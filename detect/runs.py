"""One `gameday run` as a child process, and what its run folder says.

Interrupted, the child undoes its faults and takes its region down before we go on.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from detect import effects
from detect.errors import DetectError
from detect.setup import ROOT
from fixtures.region.defects.effects import VARIABLE as NOTED
from fixtures.region.defects.planting import VARIABLE
from slo import verdict
from slo.errors import SloError
from slo.finding import INCONCLUSIVE
from slo.verdict import Verdicts

PROGRAM = (str(Path(sys.executable).with_name("gameday")),)
PATIENCE_S = 90.0  # undoing a fault and taking the region down
SPARE_S = 240.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """How a run ended; `verdicts` is None when it could not be judged, `why` says what it printed then.

    `effects`: how often each planted defect noted that it did what it does. `earlier`: attempts at the same
    run before this one, which proved nothing.
    """

    code: int
    folder: Path | None
    verdicts: Verdicts | None
    why: str = ""
    effects: Mapping[str, int] = field(default_factory=dict)
    earlier: tuple[Run, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether the judge saw a complete run with a generator that can be believed."""
        found = self.verdicts
        return found is not None and found.state == "complete" and bool(found.validity.get("valid", True))

    @property
    def flaw(self) -> str:
        """Why it is worth another attempt; empty if it is not.

        On a disturbed machine that is what could not be decided; what could stands in spite of it.
        """
        if self.whole:
            return self._disturbed()
        if self.verdicts is None:
            return self.why
        if self.verdicts.state != "complete":
            return f"the run is {self.verdicts.state}: {self.verdicts.reason}"
        return f"the run is invalid: {'; '.join(map(str, self.verdicts.validity.get('causes', ())))}"

    def _disturbed(self) -> str:
        found = self.verdicts
        if found is None or not (disturbed := found.validity.get("disturbed")):
            return ""
        open_ = [one.name for one in found.objectives if one.verdict == INCONCLUSIVE]
        return f"the machine was disturbed ({disturbed}), undecided: {', '.join(open_)}" if open_ else ""


def run(
    plan: Path,
    *,
    out: Path,
    minutes: float,
    defects: Sequence[str] = (),
    sealed: str = "",
    program: Sequence[str] = PROGRAM,
) -> Run:
    """Run a plan with these defects named, or with one sealed in the environment; wait until it is over.

    Raises:
        DetectError: it did not end in time.
    """
    out.mkdir(parents=True, exist_ok=True)
    before = set(out.iterdir())
    words = [*program, "run", str(plan), "--env", "local", "--out", str(out)]
    words += [word for name in defects for word in ("--defect", name)]
    noted = out / "last-effects.jsonl"
    noted.unlink(missing_ok=True)
    env = {name: value for name, value in os.environ.items() if name not in (VARIABLE, NOTED)}
    if sealed:
        env[VARIABLE] = sealed
    else:  # whoever tries a sealed defect is told nothing by it
        env[NOTED] = str(noted.absolute())
    log = out / "last-run.log"
    with log.open("wb") as sink:
        code = waited(words, env=env, sink=sink.fileno(), limit_s=minutes * 60 + SPARE_S)
    if code is None:
        raise DetectError(f"the run of {plan.name} did not end in {minutes * 60 + SPARE_S:.0f} s; see {log}")
    fresh = sorted(path for path in set(out.iterdir()) - before if (path / "manifest.json").is_file())
    if not fresh:
        return Run(code=code, folder=None, verdicts=None, why=_tail(log))
    found = Run(code=code, folder=fresh[-1], verdicts=None)
    try:
        if noted.exists():
            noted = noted.replace(out / f"{fresh[-1].name}.effects.jsonl")
        acted = effects.counted(noted, fresh[-1])
        return replace(found, verdicts=verdict.read(fresh[-1]), effects=acted)
    except SloError as error:
        return replace(found, why=f"{error}; {_tail(log)}")


def waited(
    words: Sequence[str],
    *,
    env: dict[str, str],
    sink: int,
    limit_s: float,
    cwd: Path = ROOT,
    patience_s: float = PATIENCE_S,
) -> int | None:
    """The exit code of a child in a session of its own; None when it had to be ended.

    Whatever happens meanwhile, Ctrl-C above all, the child has ended when this returns or raises.
    """
    process = subprocess.Popen(
        words, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, start_new_session=True
    )
    try:
        return process.wait(limit_s)
    except subprocess.TimeoutExpired:
        return None
    finally:
        end(process, patience_s)


def end(process: subprocess.Popen[bytes], patience_s: float) -> None:
    """SIGTERM, and SIGKILL to its whole session once patience is over; also when asked to hurry."""
    deadline = time.monotonic() + patience_s
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    while process.poll() is None:
        try:
            process.wait(max(deadline - time.monotonic(), 0.0))
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
        except KeyboardInterrupt:
            continue  # a second Ctrl-C does not leave a fault behind


def _tail(log: Path) -> str:
    lines = log.read_text("utf-8", "replace").strip().splitlines()
    return lines[-1][-200:] if lines else f"nothing was printed to {log}"
