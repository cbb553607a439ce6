"""The arguments of a request in Locust's (and requests') manner as a URL, header fields and bytes."""

import json as jsons
import mimetypes
from base64 import b64encode
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from scenarios.load.http import multipart
from scenarios.load.http.head import Body
from scenarios.load.http.multipart import Part

Data = str | bytes | Mapping[str, Any] | Iterable[tuple[str, Any]] | Any
FORM = "application/x-www-form-urlencoded"


def with_params(url: str, params: Any) -> str:
    """The URL with more query parameters: a mapping, pairs or a ready string; None values are left out."""
    query = params if isinstance(params, str) else urlencode(_pairs(params), doseq=True)
    if not query:
        return url
    head, mark, fragment = url.partition("#")
    return f"{head}{'&' if '?' in head else '?'}{query}{mark}{fragment}"


def body(data: Data, json: Any, files: Any) -> tuple[Body, str]:
    """Body and content type ("" for none that follows from the arguments)."""
    if files:
        return _form(data, files)
    if data:
        return _plain(data)
    if json is not None:
        return jsons.dumps(json).encode(), "application/json"
    return b"", ""


def basic(user: str | bytes, password: str | bytes) -> str:
    """The Authorization field of these credentials."""
    parts = [part.encode("latin-1") if isinstance(part, str) else part for part in (user, password)]
    return "Basic " + b64encode(b":".join(parts)).decode()


def _form(data: Any, files: Any) -> tuple[Body, str]:
    """multipart/form-data of fields and files.

    A file is bytes, text, a path, something to read, or a tuple (name, content[, content type]).
    """
    parts = [Part(name=name, content=_bytes(value)) for name, value in _pairs(data)]
    for name, file in _pairs(files):
        told = file if isinstance(file, tuple) else (_file_name(file) or name, file)
        file_name, content, kind = (*told, None)[:3]
        guessed = kind or mimetypes.guess_type(file_name)[0] or "application/octet-stream"
        held = content if isinstance(content, Path) else _bytes(content)
        parts.append(Part(name=name, content=held, filename=file_name, content_type=guessed))
    if any(isinstance(part.content, Path) for part in parts):
        content_type, upload = multipart.stream(parts)
        return upload, content_type
    content_type, whole = multipart.encode(parts)
    return whole, content_type


def _plain(data: Data) -> tuple[bytes, str]:
    if isinstance(data, str | bytes | bytearray) or hasattr(data, "read"):
        return _bytes(data), ""
    return urlencode(_pairs(data), doseq=True).encode(), FORM


def _bytes(value: Any) -> bytes:
    if hasattr(value, "read"):
        value = value.read()
    return bytes(value) if isinstance(value, bytes | bytearray | memoryview) else str(value).encode()


def _file_name(file: Any) -> str:
    name = getattr(file, "name", "")
    return name.rpartition("/")[2] if isinstance(name, str) else ""


def _pairs(values: Any) -> list[tuple[str, Any]]:
    if values is None:
        return []
    pairs = values.items() if isinstance(values, Mapping) else values
    return [(name, value) for name, value in pairs if value is not None]
