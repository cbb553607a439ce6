"""Are the judge's own tests able to fail? Mutants of `slo/`, each tried with the tests of its module.

Works on copies of the checkout, two mutants at a time, for as long as it is given. Drawn by a seed, one
module after the other, the modules that decide verdicts three times as often. A mutant is killed when its
tests fail or do not end in time; one that survives is tried again with all tests that reach its module.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from queue import SimpleQueue

from detect import runs
from detect.errors import DetectError, SetupError
from detect.mutants import Mutant, count, make
from detect.nearest import Nearest, tests_of
from detect.setup import HERE, ROOT

FIRST = ("statistics", "recovery", "ledger", "judge", "validity")
WEIGHT = 3
AT_ONCE = 2
LEAST_S = 60.0
PATIENCE = 4.0  # times as long as all tests take alone
SOUND_S = 600.0
COPIED = ("slo", "fixtures", "chaos", "scenarios", "reports", "gameday", "detect", "tests")
SURVIVORS = HERE / "survivors.toml"
KILLED, SURVIVED, ARGUED = "killed", "survived", "argued"
# plugins cost five times as much as a small test file; compiled files could outlive their mutant
_ENVIRONMENT = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONDONTWRITEBYTECODE": "1"}
Passes = Callable[[Path, Sequence[str]], bool]
_CONFIG = "[pytest]\npythonpath = .\naddopts = -q -x\nfilterwarnings = error\nmarkers =\n    region: unused\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What became of a mutant; `reason` argues for a survivor."""

    mutant: Mutant
    fate: str
    reason: str = ""

    @property
    def place(self) -> str:
        """`file:line function: change`."""
        one = self.mutant
        return f"{one.file}:{one.line} {one.function or 'module'}: {one.change}"


def explore(seconds: float, *, seed: int, say: Callable[[str], None]) -> list[Trial]:
    """Try mutants for this long.

    Raises:
        DetectError: the tests fail without any change.
        SetupError: survivors.toml argues without a reason.
    """
    argued = arguments(SURVIVORS)
    ends = time.monotonic() + seconds
    with workspaces(AT_ONCE) as rooms:
        tests = tests_of(rooms[0])
        limit_s = _sound(rooms[0], tests)
        left = sampled(rooms[0], seed=seed)
        say(f"the unchanged tests pass; mutants are tried for {max(ends - time.monotonic(), 0) / 60:.1f} min")
        return [judged(one, argued) for one in _all(rooms, left, tests, ends, limit_s)]


def arguments(path: Path) -> dict[tuple[str, str, str], str]:
    """Why mutants cannot be told from the original, by (file, function, change)."""
    found = {}
    for table in tomllib.loads(path.read_text("utf-8")).get("survivor", ()):
        if not table.get("reason", "").strip():
            raise SetupError(f"{path}: a survivor without a reason: {table}; expected one")
        found[str(table["file"]), str(table["function"]), str(table["change"])] = str(table["reason"])
    return found


def judged(trial: Trial, argued: Mapping[tuple[str, str, str], str]) -> Trial:
    """The same, with the argument for it if there is one."""
    one = trial.mutant
    reason = argued.get((one.file, one.function, one.change), "")
    return Trial(mutant=one, fate=ARGUED, reason=reason) if reason and trial.fate == SURVIVED else trial


@contextmanager
def workspaces(number: int) -> Iterator[list[Path]]:
    """Copies of the checkout, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="gameday-mutants-") as folder:
        rooms = [Path(folder) / str(one) for one in range(number)]
        for room in rooms:
            for name in COPIED:
                shutil.copytree(ROOT / name, room / name, ignore=shutil.ignore_patterns("__pycache__"))
            (room / "pytest.ini").write_text(_CONFIG, "utf-8")
        yield rooms


def sampled(room: Path, *, seed: int) -> Iterator[tuple[str, int]]:
    """(file, number of the mutant) without end in sight: module after module, the first ones more often."""
    rng = random.Random(seed)
    left = {}
    for path in sorted((room / "slo").rglob("*.py")):
        name = str(path.relative_to(room))
        left[name] = list(range(count(path.read_text("utf-8"))))
        rng.shuffle(left[name])
    while any(left.values()):
        for name, numbers in left.items():
            first = set(FIRST) & set(Path(name).with_suffix("").parts)
            for _ in range(min(WEIGHT if first else 1, len(numbers))):
                yield name, numbers.pop()


def _all(
    rooms: Sequence[Path], left: Iterator[tuple[str, int]], tests: Nearest, ends: float, limit_s: float
) -> Iterator[Trial]:
    free: SimpleQueue[Path] = SimpleQueue()
    for room in rooms:
        free.put(room)
    stop = threading.Event()
    pool = ThreadPoolExecutor(len(rooms))
    busy: set[Future[Trial]] = set()
    try:
        while time.monotonic() < ends or busy:
            while len(busy) < len(rooms) and time.monotonic() < ends and (one := next(left, None)):
                busy.add(
                    pool.submit(_borrowed, free, one, partial(_passes, stop=stop, limit_s=limit_s), tests)
                )
            if not busy:
                return
            done, busy = wait(busy, return_when=FIRST_COMPLETED)
            yield from (future.result() for future in done)
    finally:
        stop.set()
        pool.shutdown()


def _borrowed(free: SimpleQueue[Path], one: tuple[str, int], passes: Passes, tests: Nearest) -> Trial:
    room = free.get()
    try:
        return attempt(room, one[0], one[1], tests, passes)
    finally:
        free.put(room)


def attempt(room: Path, file: str, number: int, tests: Nearest, passes: Passes) -> Trial:
    """Try one mutant in a workspace, which is left as it was."""
    path = room / file
    source = path.read_text("utf-8")
    mutant = make(source, number, file=file)
    try:
        path.write_text(mutant.text, "utf-8")
        survived = all(passes(room, files) for files in tests.of(file))
    finally:
        path.write_text(source, "utf-8")
    return Trial(mutant=mutant, fate=SURVIVED if survived else KILLED)


def _sound(room: Path, tests: Nearest) -> float:
    """How long a mutant's tests may take, by how long all of them take without a change."""
    begun = time.monotonic()
    log = room / "tests.log"
    if not _passes(room, tests.every, stop=threading.Event(), limit_s=SOUND_S, log=log):
        said = log.read_text("utf-8", "replace").strip().splitlines()[-3:]
        raise DetectError(f"the judge's tests fail without any change: {' | '.join(said)}; mend them first")
    return max(LEAST_S, PATIENCE * (time.monotonic() - begun))


def _passes(
    room: Path,
    files: Sequence[str],
    *,
    stop: threading.Event,
    limit_s: float,
    log: Path | None = None,
) -> bool:
    """Whether these tests pass in time; a child that is still there when asked to stop is ended."""
    words = [sys.executable, "-B", "-m", "pytest", "-p", "no:cacheprovider", *files]
    env = {**os.environ, "PYTHONPATH": str(room), **_ENVIRONMENT}
    with (log or Path(os.devnull)).open("wb") as sink:
        process = subprocess.Popen(
            words,
            cwd=room,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            start_new_session=True,
        )
        ends = time.monotonic() + limit_s
        try:
            while process.poll() is None and time.monotonic() < ends and not stop.is_set():
                try:
                    process.wait(0.2)
                except subprocess.TimeoutExpired:
                    continue
            return process.returncode == 0
        finally:
            runs.end(process, 2.0)
