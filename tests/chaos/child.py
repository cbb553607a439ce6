"""`python -m tests.chaos.child ...`: a driver in a process of its own, to be interrupted or killed."""

from __future__ import annotations

import signal
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

from chaos import driver, experiment
from chaos.journal import Journal
from fixtures.region import info
from tests.chaos.stage import QUICK, local


def main(name: str, region_file: str, folder: str, journal: str) -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a background shell hands it down ignored
    endpoints = info.read(Path(region_file)).endpoints
    aws_port, writer_port = (int(endpoints[key].rsplit(":", 1)[1]) for key in ("aws", "edge"))
    outcome = driver.run(
        experiment.load(experiment.FOLDER / "lexohub" / f"{name}.json"),
        replace(local(aws_port, writer_port), region_file=Path(region_file)),
        Path(folder),
        stop=threading.Event(),
        deadline=time.time() + 60,
        run_id="child",
        commit="abc",
        log=Journal(path=Path(journal)),
        patience=QUICK,
    )
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a late second one is not what is tested
    sys.stdout.write(f"{outcome.state} {outcome.cut} {outcome.verified}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
