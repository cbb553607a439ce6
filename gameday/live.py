"""What the traffic sees while it runs: read from the run folder, shown, published for the stop alarm."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

WINDOW_S = 5
LAG_S = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """The last `WINDOW_S` whole seconds: rates per second, p99 in seconds (None: nothing answered)."""

    intended: float
    good: float
    bad: float
    p99: float | None

    @property
    def ratio(self) -> float | None:
        """Good answers among arrivals; None when nothing arrived."""
        return min(1.0, self.good / self.intended) if self.intended else None


class Tail:
    """Reads counters.jsonl as it grows; holds one minute."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "counters.jsonl"
        self._offset = 0
        self._rest = b""
        self._seconds: dict[int, list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0, 0.0])

    def view(self, now: float) -> View:
        """The window that ended `LAG_S` before `now` (epoch seconds)."""
        self._read()
        end = int(now) - LAG_S
        for second in [s for s in self._seconds if s < end - 60]:
            del self._seconds[second]
        rows = [self._seconds[s] for s in range(end - WINDOW_S, end) if s in self._seconds]
        sums = [sum(column) / WINDOW_S for column in zip(*rows, strict=True)] if rows else [0.0] * 4
        return View(
            intended=sums[0], good=sums[1], bad=sums[2], p99=max((row[3] for row in rows), default=0) or None
        )

    def _read(self) -> None:
        if not self._path.is_file():
            return
        with self._path.open("rb") as file:
            file.seek(self._offset)
            data = self._rest + file.read()
            self._offset = file.tell()
        *lines, self._rest = data.split(b"\n")
        for line in lines:
            self._add(json.loads(line))

    def _add(self, row: dict[str, Any]) -> None:
        sums = self._seconds[int(row["t"])]
        sums[0] += row.get("intended", 0)
        sums[1] += row.get("ok", 0)
        sums[2] += sum(row.get("bad", {}).values())
        sums[3] = max(sums[3], row.get("p99") or 0.0)


@contextmanager
def watch(folder: Path, phase: Callable[[], str], publish: Callable[[float], None] | None) -> Iterator[None]:
    """Show progress and publish the good ratio (to whom there is) every few seconds until the block ends.

    A terminal gets a line that is rewritten each second, a log one line per 10 s. A failing `publish` is
    said once and ends only the publishing: the stop alarm treats missing data as breaching.
    """
    done = threading.Event()
    thread = threading.Thread(target=_loop, args=(Tail(folder), phase, publish, done), daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join(10.0)


def _loop(
    tail: Tail, phase: Callable[[], str], publish: Callable[[float], None] | None, done: threading.Event
) -> None:
    terminal = sys.stderr.isatty()
    ticks = 0
    while not done.wait(1.0):
        ticks += 1
        view = tail.view(time.time())
        if publish and ticks % 3 == 0 and view.ratio is not None and not _published(publish, view.ratio):
            publish = None
        if terminal:
            click.echo(f"\r\x1b[2K{_line(phase(), view)}", nl=False, err=True)
        elif ticks % 10 == 0:
            click.echo(_line(phase(), view), err=True)
    if terminal:
        click.echo("\r\x1b[2K", nl=False, err=True)


def _published(publish: Callable[[float], None], ratio: float) -> bool:
    try:
        publish(ratio)
    except Exception as error:  # noqa: BLE001 - said, and the alarm then breaches on missing data
        click.echo(f"good ratio no longer published: {error}", err=True)
        return False
    return True


def _line(phase: str, view: View) -> str:
    p99 = f"{view.p99 * 1000:.0f} ms" if view.p99 else "-"
    return f"{phase:<34} {view.intended:7.1f}/s  good {view.good:7.1f}/s  bad {view.bad:6.1f}/s  p99 {p99}"
