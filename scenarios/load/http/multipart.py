"""multipart/form-data (RFC 7578): whole, or piece by piece from files."""

import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from scenarios.load.http.head import Upload

_PIECE = 65_536
File = bytes | Path | tuple[str, bytes | Path] | tuple[str, bytes | Path, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One field: text without a ``filename``, a file with one. A Path is read when it is sent."""

    name: str
    content: bytes | Path
    filename: str = ""
    content_type: str = ""


def parts(data: Mapping[str, str | Sequence[str]], files: Mapping[str, File]) -> list[Part]:
    """Fields and files as they are usually written down.

    A file is its content (bytes or Path), or (filename, content), or (filename, content, content type).
    """
    found = []
    for name, value in data.items():
        values = [value] if isinstance(value, str) else value
        found += [Part(name=name, content=each.encode()) for each in values]
    for name, file in files.items():
        filename, content, *rest = file if isinstance(file, tuple) else (_filename(name, file), file)
        content_type = rest[0] if rest else "application/octet-stream"
        found.append(Part(name=name, content=content, filename=filename, content_type=content_type))
    return found


def encode(parts: Sequence[Part], boundary: str = "") -> tuple[str, bytes]:
    """The Content-Type and the whole body."""
    content_type, body = stream(parts, boundary)
    return content_type, b"".join(body.chunks())


def stream(parts: Sequence[Part], boundary: str = "") -> tuple[str, Upload]:
    """The Content-Type and a body that reads its files as it is sent, with its length known before."""
    boundary = boundary or secrets.token_hex(16)
    heads = [_head(part, boundary) for part in parts]
    end = f"--{boundary}--\r\n".encode()

    def chunks() -> Iterator[bytes]:
        for head, part in zip(heads, parts, strict=True):
            yield head
            yield from _pieces(part.content)
            yield b"\r\n"
        yield end

    sizes = (len(head) + _size(part.content) + 2 for head, part in zip(heads, parts, strict=True))
    return f"multipart/form-data; boundary={boundary}", Upload(chunks=chunks, length=sum(sizes) + len(end))


def _filename(name: str, file: bytes | Path) -> str:
    return file.name if isinstance(file, Path) else name


def _head(part: Part, boundary: str) -> bytes:
    lines = [f"--{boundary}", f'Content-Disposition: form-data; name="{_quoted(part.name)}"']
    if part.filename:
        lines[1] += f'; filename="{_quoted(part.filename)}"'
    if part.content_type:
        if "\r" in part.content_type or "\n" in part.content_type:
            raise ValueError(f"a line break in the content type of the part {part.name!r}")
        lines.append(f"Content-Type: {part.content_type}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def _quoted(text: str) -> str:
    """As browsers do (WHATWG HTML, multipart/form-data encoding algorithm)."""
    return text.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")


def _size(content: bytes | Path) -> int:
    return len(content) if isinstance(content, bytes) else content.stat().st_size


def _pieces(content: bytes | Path) -> Iterator[bytes]:
    if isinstance(content, bytes):
        yield content
        return
    with content.open("rb") as file:
        while piece := file.read(_PIECE):
            yield piece
