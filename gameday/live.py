"""Progress while a run goes on, and the good ratio published for the stop alarm."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Protocol

import click

from gameday.tail import Standing, Tail, View

TICK_S = 1.0
PLAIN_EVERY = 10
PUBLISH_EVERY = 3
STALE_S = 5.0
GAP = "  "
USUAL_WIDTH = 80


class Screen(Protocol):
    """Where progress is shown; `show` gets the parts of the line, the most important ones first."""

    every: int

    def show(self, parts: list[str]) -> None:
        """Show it, as far as it fits."""

    def close(self) -> None:
        """Leave the terminal as it was."""


@dataclass(slots=True)
class Plain:
    """A log: whole lines, one per ten ticks."""

    stream: IO[str]
    every: int = PLAIN_EVERY

    def show(self, parts: list[str]) -> None:
        """One line."""
        self.stream.write(GAP.join(parts) + "\n")
        self.stream.flush()

    def close(self) -> None:
        """Nothing is left to do."""


@dataclass(slots=True)
class Terminal:
    """A terminal: one line below everything else, rewritten each tick, gone at the end.

    The cursor is never hidden and no mode is set, so nothing needs repair however the process ends.
    """

    stream: IO[str]
    every: int = 1
    _live: Any = field(init=False)
    _console: Any = field(init=False)

    def __post_init__(self) -> None:
        """Take the line."""
        from rich.console import Console  # noqa: PLC0415 - 10 MB that a log does not need
        from rich.live import Live  # noqa: PLC0415

        class Calm(Console):
            def show_cursor(self, show: bool = True) -> bool:  # noqa: ARG002 - rich's signature
                return False

            def on_broken_pipe(self) -> None:
                raise BrokenPipeError("nobody reads the terminal any more")

        self._console = Calm(file=self.stream, force_terminal=True, highlight=False, soft_wrap=False)
        self._live = Live(console=self._console, auto_refresh=False, transient=True, redirect_stdout=False)
        self._live.start()

    def show(self, parts: list[str]) -> None:
        """As many parts as the line has room for."""
        from rich.text import Text  # noqa: PLC0415

        self._console.width = max(2, os.get_terminal_size(self.stream.fileno()).columns or USUAL_WIDTH)
        width = self._console.width - 1
        line = parts[0]
        for part in parts[1:]:
            if len(line) + len(GAP) + len(part) > width:
                break
            line += GAP + part
        self._live.update(Text(line[:width], no_wrap=True, overflow="ellipsis"), refresh=True)

    def close(self) -> None:
        """Take the line away."""
        self._live.stop()


@contextmanager
def watch(
    folder: Path, phase: Callable[[], str], publish: Callable[[float], None] | None
) -> Iterator[Watcher]:
    """Show progress and publish the good ratio (to whom there is) every few seconds until the block ends.

    A terminal gets a line that is rewritten each second, a log one line per 10 s, a closed stderr nothing. A
    failing `publish` is said once and ends only the publishing: the stop alarm treats missing data as
    breaching.
    """
    done = threading.Event()
    watcher = Watcher(folder=folder, phase=phase, publish=publish)
    thread = threading.Thread(target=watcher.loop, args=(done,), daemon=True)
    thread.start()
    try:
        yield watcher
    finally:
        done.set()
        thread.join(10.0)


@dataclass(slots=True, kw_only=True)
class Watcher:
    """One run's progress; `tick` is one second of it."""

    folder: Path
    phase: Callable[[], str]
    publish: Callable[[float], None] | None
    screen: Screen | None = None
    _tail: Tail = field(init=False)
    _standing: Standing = field(init=False)
    _ticks: int = 0
    _seen: tuple[float, float | None] = (0.0, None)

    def __post_init__(self) -> None:
        """Look at the folder."""
        self._tail, self._standing = Tail(self.folder), Standing(self.folder)

    def loop(self, done: threading.Event) -> None:
        """Tick until done."""
        self.screen = self._tried(lambda: screen_of(sys.stderr))
        while not done.wait(TICK_S):
            self.tick(time.time())
        if self.screen is not None:
            self._tried(self.screen.close)

    def tick(self, now: float) -> None:
        """Read, publish, show."""
        self._ticks += 1
        view = self._tail.view(now)
        self._seen = now, view.ratio
        self._standing.read()
        if self.publish and self._ticks % PUBLISH_EVERY == 0 and view.ratio is not None:
            self._publish(view.ratio)
        screen = self.screen
        if screen is not None and self._ticks % screen.every == 0:
            self._tried(lambda: screen.show(parts(self.phase(), view, self._standing, now)))

    def good(self) -> float | None:
        """The share of good answers now; None when nothing arrived, or nobody has looked for a while."""
        at, ratio = self._seen
        return ratio if time.time() - at <= STALE_S else None

    def _publish(self, ratio: float) -> None:
        assert self.publish is not None, "asked only when there is somebody"
        try:
            self.publish(ratio)
        except Exception as error:  # noqa: BLE001 - said, and the alarm then breaches on missing data
            self.publish = None
            said = f"good ratio no longer published: {error}"
            self._tried(lambda: click.echo(said, err=True))

    def _tried(self, act: Callable[[], Any]) -> Any:
        """Do it; a stderr that is closed ends the showing (there is nobody to tell), never the run."""
        try:
            return act()
        except (OSError, ValueError):
            self.screen = None
            return None


def screen_of(stream: IO[str] | None) -> Screen | None:
    """What fits this stream; None when there is none."""
    if stream is None or stream.closed:
        return None
    return Terminal(stream) if stream.isatty() else Plain(stream)


def parts(phase: str, view: View, standing: Standing, now: float) -> list[str]:
    """The line's parts, the most important ones first."""
    if standing.begun is None:
        opened, of = standing.opened
        return [phase, f"{opened} of {of} sessions open"] if of else [phase]
    line = [_clock(standing, now), f"{phase:<14}"]
    line += [f"{view.intended:.1f}/s", f"good {view.good:.1f}", f"bad {view.bad:.1f}"]
    line.append(f"p50 {_ms(view.p50)} p99 {_ms(view.p99)}")
    line += [f"worker {name} lost" for name in sorted(standing.lost)]
    if dropped := standing.dropped(now):
        line.append(f"{dropped} dropped")
    line += [f"{name}: {state}" for name, state in standing.faults.items()]
    line.append(f"{standing.in_flight}" + (f"/{standing.most}" if standing.most else "") + " in flight")
    if standing.lag is not None:
        line += [f"start lag {_ms(standing.lag)}", f"cpu {standing.cpu:.0%}"]
    return line


def _clock(standing: Standing, now: float) -> str:
    """How long it has run, and how long it still will."""
    assert standing.begun is not None, "asked only once it has begun"
    left = standing.left(now)
    passed = _span(max(0.0, now - standing.begun))
    return passed if left is None or standing.ended else f"{passed} ({_span(left)} left)"


def _span(seconds: float) -> str:
    whole = round(seconds)
    hours, minutes = whole // 3600, whole // 60 % 60
    return f"{hours}:{minutes:02d}:{whole % 60:02d}" if hours else f"{minutes}:{whole % 60:02d}"


def _ms(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    return f"{seconds * 1e3:.1f} ms" if seconds < 0.01 else f"{seconds * 1e3:.0f} ms"
