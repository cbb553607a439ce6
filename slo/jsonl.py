"""JSON lines: the format of every file that grows during a run.

Several processes append to the same file. A line is written by one `write` to a descriptor opened with
O_APPEND, which POSIX keeps whole, so readers see whole lines except for a last one that a killed writer
left behind.
"""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

from slo.errors import RecordError

CHUNK = 1000
PIECE = 8 * CHUNK
_MOST = 1e300  # also keeps whole numbers out that no float can hold


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
    return [one for _, part in parts(path, missing_ok=missing_ok) for one in part]


def parts(
    path: Path, *, missing_ok: bool = False, finite: bool = True
) -> Iterator[tuple[list[int], list[dict[str, Any]]]]:
    """The same, a thousand lines at a time, so that a long file need not be held as objects.

    Each part is (line numbers, objects). Without `finite`, which costs a third of the time, a number such as
    1e999 is not refused: the caller sees to it.
    """
    for piece in pieces(path, missing_ok=missing_ok):
        yield from piece.parts(finite=finite)


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Some whole lines of a file as they stand there, from line `first` on, without the last line break.

    `last` is the number of the file's last line if it is among them, else 0.
    """

    path: Path
    first: int
    content: bytes
    last: int

    def parts(self, *, finite: bool = True) -> Iterator[tuple[list[int], list[dict[str, Any]]]]:
        """Line numbers and objects, as of `parts`."""
        lines = self.content.split(b"\n")
        for begun in range(0, len(lines), CHUNK):
            chunk = lines[begun : begun + CHUNK]
            numbers = [n for n, line in enumerate(chunk, start=self.first + begun) if line.strip()]
            part = [lines[number - self.first] for number in numbers]
            objects = _together(part, _DECODER if finite else _QUICK)
            if objects is None:
                objects = _one_by_one(self.path, numbers, part, self.last)
            yield numbers[: len(objects)], objects


def pieces(path: Path, *, missing_ok: bool = False) -> Iterator[Piece]:
    """The file, some thousand lines at a time."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        if missing_ok:
            return
        raise RecordError(f"{path}: no such file; is this a run folder?") from None
    except OSError as error:
        raise RecordError(f"{path}: cannot be read: {error.strerror}") from error
    begun, first = 0, 1
    while True:
        ended = begun
        for _ in range(PIECE):
            ended = content.find(b"\n", ended) + 1
            if not ended:
                last = first + content.count(b"\n", begun)
                yield Piece(path=path, first=first, content=content[begun:], last=last)
                return
        yield Piece(path=path, first=first, content=content[begun : ended - 1], last=0)
        begun, first = ended, first + PIECE


def document(content: str | bytes, decoder: "json.JSONDecoder | None" = None) -> Any:
    """One JSON value, without the numbers that JSON does not know.

    Raises:
        ValueError: it is not JSON, or nested without end.
    """
    try:
        return (decoder or _DECODER).decode(content if isinstance(content, str) else content.decode())
    except RecursionError:
        raise ValueError("nested too deeply") from None


def number(value: object) -> float:
    """A finite number; true and false are none.

    Raises:
        TypeError: it is something else.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= _MOST:
        raise TypeError(f"{value!r:.60} is not a number")
    return float(value)


def _together(lines: Sequence[bytes], decoder: json.JSONDecoder) -> list[dict[str, Any]] | None:
    """All lines decoded as one list, which is much faster; None where that does not do."""
    if not all(line.startswith(b"{") and line.endswith(b"}") for line in lines):
        return None
    try:
        found = document(b"[" + b",".join(lines) + b"]", decoder)
    except ValueError:
        return None
    whole = len(found) == len(lines) and all(type(one) is dict for one in found)
    return found if whole else None


def _one_by_one(
    path: Path, numbers: Sequence[int], lines: Sequence[bytes], last: int
) -> list[dict[str, Any]]:
    objects: list[dict[str, Any]] = []
    for number, line in zip(numbers, lines, strict=True):
        try:
            objects.append(_object(line))
        except ValueError as error:
            if number == last:
                break
            raise RecordError(
                f"{path}:{number}: not a JSON object ({error}); the file was damaged after it was written, "
                "remove the line or take the folder from where it was recorded"
            ) from error
    return objects


def _line(mapping: Mapping[str, Any]) -> str:
    return json.dumps(mapping, separators=(",", ":"), allow_nan=False) + "\n"


def _object(line: bytes) -> dict[str, Any]:
    value = document(line)
    if not isinstance(value, dict):
        raise ValueError(f"found {type(value).__name__}")  # noqa: TRY004 - one kind of error for the one caller
    return value


def _refuse(name: str) -> float:
    raise ValueError(f"{name} is not a number JSON knows")


def _finite(text: str) -> float:
    value = float(text)
    if not isfinite(value):
        raise ValueError(f"{text} is beyond every number")
    return value


_DECODER = json.JSONDecoder(parse_constant=_refuse, parse_float=_finite)
_QUICK = json.JSONDecoder(parse_constant=_refuse)
