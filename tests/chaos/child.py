"""`python -m tests.chaos.child NAME REGION_FILE FOLDER JOURNAL [HOW [ENV]]`: drivers as processes.

HOW is empty (one driver, which nobody shields from signals), `handled` (one whose SIGINT and SIGTERM set its
stop, as in a run), or `walk`: for each step read from standard input a driver that kills itself there, with
SIGKILL; the answer is one line each, the signal that ended it.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from chaos import driver, experiment
from chaos.fis import Fis
from chaos.journal import Journal
from fixtures import aws
from fixtures.environment import Environment
from fixtures.region import info
from gameday.interrupts import interrupts
from tests.chaos.stage import QUICK, local

# From the journal entry to its end, in the order in which a driver passes them.
STEPS: dict[str, tuple[Any, str, str]] = {
    "journalled": (Journal, "open", "after"),
    "template made": (Fis, "create_template", "after"),
    "started, nobody told": (Fis, "start", "after"),
    "running": (Journal, "note", "after"),
    "stopping": (Fis, "stop", "after"),
    "over": (Fis, "delete_template", "before"),
    "template gone": (Fis, "delete_template", "after"),
    "proven": (Journal, "close", "before"),
}


def main(*words: str) -> None:
    how, environment = (*words[4:], *("", "local")[len(words) - 4 :])
    arguments = (*words[:4], environment)
    if how == "walk":
        walk(*arguments)
    elif how == "handled":
        with interrupts() as stop:
            drive(*arguments, stop=stop)
    else:
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a background shell hands it down ignored
        drive(*arguments, stop=threading.Event())


def drive(
    name: str, region_file: str, folder: str, journal: str, environment: str, *, stop: threading.Event
) -> None:
    outcome = driver.run(
        experiment.load(experiment.FOLDER / "lexohub" / f"{name}.json"),
        place(region_file, environment),
        Path(folder),
        stop=stop,
        deadline=time.time() + 60,
        run_id="child",
        commit="abc",
        log=Journal(path=Path(journal)),
        patience=QUICK,
    )
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a late second one is not what is tested
    sys.stdout.write(f"{outcome.state} {outcome.cut} {outcome.verified}\n")


def place(region_file: str, environment: str) -> Environment:
    endpoints = info.read(Path(region_file)).endpoints
    aws_port, writer_port = (int(endpoints[key].rsplit(":", 1)[1]) for key in ("aws", "edge"))
    return replace(local(aws_port, writer_port), name=environment, region_file=Path(region_file))


def walk(*arguments: str) -> None:
    # Forked, as imports and clients take longer than all else; nothing is connected and no thread runs yet.
    env = place(arguments[1], arguments[4])
    made = {service: aws.client(env, service) for service in ("sts", "fis", "cloudwatch")}
    aws.client = lambda env, service, *, hasty=False: made[service]
    for line in sys.stdin:
        child = os.fork()
        if not child:
            stop = threading.Event()
            wrap(Journal, "note", "after", stop.set)
            wrap(*STEPS[line.strip()], die)
            drive(*arguments, stop=stop)
            os._exit(0)  # it did not die
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.WTERMSIG(status) if os.WIFSIGNALED(status) else 'lived'}\n")
        sys.stdout.flush()


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def wrap(owner: Any, name: str, when: str, act: Callable[[], None]) -> None:
    """Let `act` be called before or after each call of `owner.name`."""
    original: Callable[..., Any] = getattr(owner, name)

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        if when == "before":
            act()
        answer = original(*args, **kwargs)
        if when == "after":
            act()
        return answer

    setattr(owner, name, wrapped)


if __name__ == "__main__":
    main(*sys.argv[1:])
