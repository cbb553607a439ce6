"""``python -m bench [--only SECTION] [--quick] [--out FILE]``: measure, print a table, write results.json.

With ``--only`` the file keeps the other sections' figures, if they are of this machine and these versions.

Exit 0 when every target holds, 1 when one does not, 2 when something is missing, 130 when interrupted;
whatever had been started is ended in every case. Needs Linux and two cores, and nothing else running on them.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from types import FrameType
from typing import Any

from bench import cores, machine, table
from bench.errors import BenchError, MissingError
from bench.figures import Figure, at_least
from bench.peers import k6
from bench.stage import Stage

SECTIONS = ("cost", "arrivals", "sessions", "freeze", "workers", "memory", "replay", "judging")
RESULTS = Path(__file__).parent / "results.json"
EXIT_HOLDS, EXIT_MISSED, EXIT_MISSING, EXIT_INTERRUPTED = 0, 1, 2, 130


def main(arguments: Sequence[str]) -> int:
    """Measure what is asked for; the exit code."""
    chosen = _parse(arguments)
    signal.signal(signal.SIGTERM, _interrupt)
    about: dict[str, Any] = {"when": datetime.now(UTC).isoformat(timespec="seconds"), "quick": chosen.quick}
    try:
        k6.program()
        cores.two()
        about |= {"machine": machine.description(), "versions": machine.versions()}
        with tempfile.TemporaryDirectory(prefix="gameday-bench-") as folder:
            figures, rounds = _measure(chosen.only or SECTIONS, quick=chosen.quick, folder=Path(folder))
    except MissingError as error:
        sys.stderr.write(f"the bench cannot run: {error}\n")
        return EXIT_MISSING
    except KeyboardInterrupt:
        sys.stderr.write("interrupted; everything that was started has been ended\n")
        return EXIT_INTERRUPTED
    sys.stdout.write(f"\n{table.render(figures)}\n{table.verdict(figures)}\n")
    out: Path = chosen.out
    measured = [{**figure.to_json(), "when": about["when"]} for figure in figures]
    about["figures"] = [*_kept(out, chosen.only, about, "figures"), *measured]
    about["rounds"] = [*_kept(out, chosen.only, about, "rounds"), *rounds]
    out.write_text(json.dumps(about, indent=1, allow_nan=False) + "\n")
    sys.stdout.write(f"results in {out}\n")
    return EXIT_MISSED if any(figure.holds is False for figure in figures) else EXIT_HOLDS


def _kept(
    out: Path, measured: Sequence[str] | None, about: dict[str, Any], what: str
) -> list[dict[str, Any]]:
    """Other sections' figures or rounds in the file, if they are of this machine and these versions."""
    if not measured or not out.is_file():
        return []
    before = json.loads(out.read_text())
    if any(_place(before.get(name)) != _place(about[name]) for name in ("machine", "versions", "quick")):
        return []
    kept = [one for one in before.get(what, ()) if one["section"] not in measured]
    return [{"when": before["when"], **one} for one in kept]


def _place(value: object) -> object:
    """A machine without how busy it was."""
    if not isinstance(value, dict):
        return value
    return {name: each for name, each in value.items() if name != "load_average_before"}


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure the load engine.")
    parser.add_argument("--only", action="append", choices=SECTIONS, help="this section; repeatable")
    parser.add_argument("--quick", action="store_true", help="a smoke run: short windows, one repeat")
    parser.add_argument("--out", type=Path, default=RESULTS, help="where the results go (%(default)s)")
    return parser.parse_args(arguments)


def _measure(
    sections: Sequence[str], *, quick: bool, folder: Path
) -> tuple[list[Figure], list[dict[str, Any]]]:
    """All figures, and all rounds; a section that could not be measured is a figure that does not hold."""
    figures: list[Figure] = []
    rounds: list[dict[str, Any]] = []
    begun = time.monotonic()

    def say(text: str) -> None:
        sys.stderr.write(f"{time.monotonic() - begun:6.0f} s  {text}\n")
        sys.stderr.flush()

    for section in sections:
        room = folder / section
        room.mkdir()
        stage = Stage(quick=quick, folder=room, say=say)
        try:
            figures += import_module(f"bench.{section}").measure(stage)
        except BenchError as error:
            say(f"{section} could not be measured: {error}")
            figures.append(_unmeasured(section, error))
        rounds += [{"section": section, **one} for one in stage.rounds]
    return figures, rounds


def _unmeasured(section: str, error: BenchError) -> Figure:
    words = " | ".join(str(error).splitlines())[:300]
    return Figure(
        section=section, name=f"{section}: not measured", unit="", measured={}, target=at_least(1), note=words
    )


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
