"""``python -m scenarios.load.drive RUN``: drive the load a run folder's manifest describes, then read back.

Writes counters.jsonl, latency.hlog, ledger.jsonl and its events into the folder and nothing on stdout; a
progress line every 10 s goes to stderr unless GAMEDAY_QUIET is set. A manifest with a ``distribution`` is
driven by workers, which this process leads. With GAMEDAY_TIED set, the load ends when the process that
started it is gone. SIGINT or SIGTERM end the arrivals, let what is in flight finish and skip the read-back; a
second one does not wait. Exit 0, 5 with the cause on stderr, or 4 when every worker was lost.
"""

import json
import logging
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import gevent

from scenarios.errors import AllLostError, ManifestError, ScenarioError, UnrecordedError
from scenarios.load import assembly, floor, readback
from scenarios.load import plan as plans
from scenarios.load.assembly import Parts
from scenarios.load.distributed.master import Crew, Master
from scenarios.load.ledger import Ledger
from scenarios.load.sink import FolderSink

EXIT_OK, EXIT_ALL_LOST, EXIT_BROKEN = 0, 4, 5
PARENT_LOOK_S = 0.5


def drive(folder: Path) -> None:
    """Drive the whole load; ScenarioError when it could not be."""
    parts = assembly.parts(plans.read(folder), str(folder))
    manifest = json.loads((folder / "manifest.json").read_bytes())
    floor.measure(parts.plan, FolderSink(folder))
    if manifest.get("distribution"):
        interrupted, broken, ledger = _by_workers(folder, parts, manifest)
    else:
        interrupted, broken, ledger = _alone(folder, parts)
    if not interrupted:
        readback.read_back(parts.plan, parts.scenario.user, ledger)
    if broken:
        raise ScenarioError(f"{broken} flows of {parts.plan.system} broke; the first one is printed above")


def _alone(folder: Path, parts: Parts) -> tuple[bool, int, Ledger]:
    """In this process: whether it was interrupted, how many flows broke, and the writes."""
    plan = parts.plan
    engine = assembly.engine(parts, sink=FolderSink(folder), quiet=_quiet())
    assembly.make_room(plan.sessions)
    environment = assembly.environment(parts)
    environment.gameday = engine
    _obey(engine.stop)
    runner = environment.create_local_runner()
    runner.start(plan.sessions, spawn_rate=plan.sessions)
    interrupted = True
    try:
        engine.await_sessions(plan.sessions, within_s=assembly.open_within(plan.sessions))
        if not engine.stopped:
            assembly.settle_memory()
            engine.start()
            interrupted = engine.run_out()
    finally:
        runner.quit()
        engine.close()
    return interrupted, engine.broken_flows, engine.ledger


def _by_workers(folder: Path, parts: Parts, manifest: dict[str, Any]) -> tuple[bool, int, Ledger]:
    """The same, led from this process."""
    try:
        crew = Crew(**manifest["distribution"])
    except TypeError as error:
        raise ManifestError(f"{folder}/manifest.json: distribution: {error}") from error
    master = Master(parts=parts, manifest=manifest, crew=crew, sink=FolderSink(folder), quiet=_quiet())
    _obey(master.stop)
    interrupted = master.lead()
    return interrupted, master.broken_flows, master.ledger


def _quiet() -> bool:
    return bool(os.environ.get("GAMEDAY_QUIET"))


def _obey(stop: Callable[[], None]) -> None:
    """Stop at a signal, and when whoever started this load is gone."""
    for number in (signal.SIGINT, signal.SIGTERM):
        gevent.signal_handler(number, stop)
    if os.environ.get("GAMEDAY_TIED"):
        gevent.spawn(_leave_with, os.getppid(), stop)


def _leave_with(parent: int, stop: Callable[[], None]) -> None:
    """Stop, without waiting for answers, once the process that started this load is gone."""
    while os.getppid() == parent:
        gevent.sleep(PARENT_LOOK_S)
    stop()
    stop()


def main(arguments: Sequence[str]) -> int:
    """Drive and say what went wrong; the exit code."""
    logging.basicConfig(level=logging.ERROR, stream=sys.stderr, format="%(name)s: %(message)s")
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m scenarios.load.drive RUN_FOLDER\n")
        return EXIT_BROKEN
    try:
        drive(Path(arguments[0]))
    except AllLostError as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_ALL_LOST
    except UnrecordedError as error:  # the load was driven; what became of it is lost
        sys.stderr.write(f"{error}\n")
        return EXIT_BROKEN
    except (ScenarioError, OSError) as error:
        sys.stderr.write(f"the load could not be driven: {error}\n")
        return EXIT_BROKEN
    return EXIT_OK


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
