"""Where a run's growing files are written: into a folder, over a wire, or nowhere."""

import json
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol


class Sink(Protocol):
    """Takes whole lines for the files of a run folder."""

    def append(self, name: str, text: str) -> None:
        """Append ``text``, complete lines, to the file ``name``; OSError when they could not be kept."""


class NullSink:
    """Keeps nothing (plain Locust runs)."""

    def append(self, name: str, text: str) -> None:
        """Drop the lines."""


@dataclass(frozen=True, slots=True)
class FolderSink:
    """Appends to the files of a run folder, each time with one write: a reader sees whole lines."""

    folder: Path

    def append(self, name: str, text: str) -> None:
        """Append at once; OSError names the file when the disk took only a part."""
        data = text.encode()
        if not data:
            return
        path = self.folder / name
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            written = os.write(descriptor, data)
        finally:
            os.close(descriptor)
        if written != len(data):
            raise OSError(f"{path}: only {written} of {len(data)} bytes were written; is the disk full?")


class GuardedSink:
    """Passes lines on until that fails once: ``told`` hears of the first OSError, the rest is dropped."""

    def __init__(self, sink: Sink, told: Callable[[], None]) -> None:
        self._sink, self._told = sink, told
        self.error: OSError | None = None

    def append(self, name: str, text: str) -> None:
        """Append, unless that has failed before; raises nothing."""
        if self.error is not None:
            return
        try:
            self._sink.append(name, text)
        except OSError as error:
            self.error = error
            self._told()


def lines(objects: Iterable[Mapping[str, Any]]) -> str:
    """Objects as JSON lines; ValueError for NaN and infinity, which JSON cannot say."""
    return "".join(json.dumps(each, separators=(",", ":"), allow_nan=False) + "\n" for each in objects)
