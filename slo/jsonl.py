"""JSON lines: the format of every file that grows during a run.

Several processes append to the same file. A line is written by one `write` to a descriptor opened with
O_APPEND, which POSIX keeps whole, so readers see whole lines except for a last one that a killed writer
left behind.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from slo.errors import RecordError


def append(path: Path, mapping: Mapping[str, Any]) -> None:
    """Append one object as one line.

    Raises:
        ValueError: a number is NaN or infinite, which JSON cannot say.
        RecordError: the disk took only part of the line.
    """
    append_all(path, (mapping,))


def append_all(path: Path, mappings: "list[Mapping[str, Any]] | tuple[Mapping[str, Any], ...]") -> None:
    """Append several objects with one write (a flush of a second's counters)."""
    line = "".join(_line(mapping) for mapping in mappings).encode()
    if not line:
        return
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        written = os.write(descriptor, line)
    finally:
        os.close(descriptor)
    if written != len(line):
        raise RecordError(f"{path}: only {written} of {len(line)} bytes were written; is the disk full?")


def read(path: Path, *, missing_ok: bool = False) -> list[dict[str, Any]]:
    """Every object of the file, in order.

    A last line without its newline is dropped when it does not parse: its writer was stopped in the middle
    of it.

    Raises:
        RecordError: any other line is not a JSON object; names file and line.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        if missing_ok:
            return []
        raise RecordError(f"{path}: no such file; is this a run folder?") from None
    except OSError as error:
        raise RecordError(f"{path}: cannot be read: {error.strerror}") from error
    lines = content.split(b"\n")
    objects: list[dict[str, Any]] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            objects.append(_object(line))
        except ValueError as error:
            if number == len(lines):
                break
            raise RecordError(
                f"{path}:{number}: not a JSON object ({error}); the file was damaged after it was written, "
                "remove the line or take the folder from where it was recorded"
            ) from error
    return objects


def _line(mapping: Mapping[str, Any]) -> str:
    return json.dumps(mapping, separators=(",", ":"), allow_nan=False) + "\n"


def _object(line: bytes) -> dict[str, Any]:
    value = _DECODER.decode(line.decode())
    if not isinstance(value, dict):
        raise ValueError(f"found {type(value).__name__}")  # noqa: TRY004 - one kind of error for the one caller
    return value


def _refuse(name: str) -> float:
    raise ValueError(f"{name} is not a number JSON knows")


_DECODER = json.JSONDecoder(parse_constant=_refuse)
