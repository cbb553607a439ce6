"""`python -m detect [--only PART] [--resume] [--quick] [--dry] [--out FOLDER]`: is the judge blind, or jumpy?

Exit 0 with no miss and no false alarm, 1 otherwise, 2 when nothing could be started, 130 when interrupted;
whatever had been started has been ended then. Needs two cores with nothing else on them.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

from detect import rows, session, setup, steps, table
from detect.errors import DetectError, SetupError
from detect.rows import MISSED, Done, Row
from detect.setup import HERE, ROOT
from detect.steps import PARTS, Bench, Step
from slo.errors import SloError

RESULTS = HERE / "results.json"
OUT = ROOT / "runs" / "detect"
EXIT_QUIET, EXIT_WRONG, EXIT_USAGE, EXIT_INTERRUPTED = 0, 1, 2, 130


def main(arguments: Sequence[str]) -> int:
    """Do what is asked for; the exit code."""
    chosen = _parse(arguments)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        found = setup.load()
        planned = steps.schedule(found, quick=chosen.quick)
        if chosen.dry:
            sys.stdout.write(_dry(planned))
            return EXIT_QUIET
        fresh = not (chosen.only or chosen.resume)
        held = session.opened(chosen.out.absolute(), quick=chosen.quick, fresh=fresh, seed=chosen.seed)
        bench = Bench(setup=found, out=held.folder, quick=chosen.quick, seed=held.seed, say=_say)
        wanted = [step for step in planned if not chosen.only or step.part in chosen.only]
        _walk(wanted, bench, resume=chosen.resume)
    except SetupError as error:
        _say(f"nothing was started: {error}")
        return EXIT_USAGE
    except KeyboardInterrupt:
        _say("interrupted; everything that was started has been ended. Go on with --resume")
        return EXIT_INTERRUPTED
    said = _keep(planned, bench)
    sys.stdout.write(f"{table.render(said)}\n{table.verdict(said)}\n")
    return EXIT_WRONG if rows.wrong(said) else EXIT_QUIET


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m detect", description="Put the judge to the proof.")
    parser.add_argument("--only", action="append", choices=PARTS, help="this part; repeatable")
    parser.add_argument(
        "--resume", action="store_true", help="leave out steps that an earlier command finished"
    )
    parser.add_argument("--quick", action="store_true", help="a smoke run: a run or two of each part")
    parser.add_argument("--dry", action="store_true", help="say what would be done, and how long it takes")
    parser.add_argument("--seed", type=int, help="of everything that is drawn; from the clock unless given")
    parser.add_argument("--out", type=Path, default=OUT, help="where runs and steps are kept (%(default)s)")
    return parser.parse_args(arguments)


def _dry(planned: Sequence[Step]) -> str:
    lines = [f"{step.minutes:6.1f} min  {step.part:12} {step.name:20} {step.about}" for step in planned]
    return "\n".join([*lines, f"{sum(step.minutes for step in planned):6.1f} min in all", ""])


def _walk(planned: Sequence[Step], bench: Bench, *, resume: bool) -> None:
    """Every step in turn, each kept as soon as it is over."""
    for number, step in enumerate(planned):
        left = sum(one.minutes for one in planned[number:])
        if resume and rows.read(bench.kept, step.name, quick=bench.quick) is not None:
            continue
        _say(f"{number + 1} of {len(planned)}, {left:.0f} min left: {step.part}, {step.name}: {step.about}")
        begun = time.monotonic()
        try:
            found, about = step.work(bench)
        except (DetectError, SloError, OSError) as error:
            found, about = [_broken(step, error)], {}
        one = Done(
            name=step.name,
            part=step.part,
            minutes=round((time.monotonic() - begun) / 60, 2),
            quick=bench.quick,
            commit=session.commit(),
            when=datetime.now(UTC).isoformat(timespec="seconds"),
            rows=tuple(found),
            about=about,
        )
        rows.write(bench.kept, one)
        _say(f"    {one.minutes:.1f} min: {_summary(found)}")


def _summary(found: Sequence[Row]) -> str:
    wrong = rows.wrong(found)
    if wrong:
        return "; ".join(f"{row.result}: {row.what}: {row.found}"[:300] for row in wrong)
    return (
        ", ".join(f"{number} {name}" for name, number in table.counts(found).items() if number) or "nothing"
    )


def _broken(step: Step, error: Exception) -> Row:
    return Row(
        part=step.part,
        run=step.name,
        what=step.about,
        expected="to be made",
        found=str(error),
        result=MISSED,
    )


def _keep(planned: Sequence[Step], bench: Bench) -> list[Row]:
    """Write results.json: every step of this session that is finished, now or earlier; its rows."""
    known = [rows.read(bench.kept, step.name, quick=bench.quick) for step in planned]
    there = [one for one in known if one is not None]
    said = [row for one in there for row in one.rows]
    missing = [step.name for step, one in zip(planned, known, strict=True) if one is None]
    document = {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "quick": bench.quick,
        "seed": bench.seed,
        "missing": missing,
        "minutes": round(sum(one.minutes for one in there), 1),
        "counts": table.counts(said),
        "steps": [one.to_json() for one in there],
    }
    path = bench.out / "results.json" if bench.quick else RESULTS
    text = json.dumps(document, indent=1, allow_nan=False).replace(f"{ROOT}/", "")  # no machine's paths
    path.write_text(f"{text}\n", "utf-8")
    if missing:
        _say(f"not done yet in this session: {', '.join(missing)}")
    _say(f"results in {path}")
    return said


def _say(text: str) -> None:
    sys.stderr.write(f"{datetime.now(UTC):%H:%M:%S}  {text}\n")
    sys.stderr.flush()


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
