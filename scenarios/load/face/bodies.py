"""The arguments of a request in Locust's (and requests') manner as a URL, header fields and bytes."""

import json as jsons
import mimetypes
import secrets
from base64 import b64encode
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote, urlencode

Data = str | bytes | Mapping[str, Any] | Iterable[tuple[str, Any]] | Any
FORM = "application/x-www-form-urlencoded"


def with_params(url: str, params: Any) -> str:
    """The URL with more query parameters: a mapping, pairs or a ready string; None values are left out."""
    query = params if isinstance(params, str) else urlencode(_pairs(params), doseq=True)
    if not query:
        return url
    head, mark, fragment = url.partition("#")
    return f"{head}{'&' if '?' in head else '?'}{query}{mark}{fragment}"


def body(data: Data, json: Any, files: Any) -> tuple[bytes, str]:
    """Bytes and content type ("" for none that follows from the arguments)."""
    if files:
        return multipart(_pairs(files), _pairs(data))
    if data:
        return _plain(data)
    if json is not None:
        return jsons.dumps(json).encode(), "application/json"
    return b"", ""


def basic(user: str | bytes, password: str | bytes) -> str:
    """The Authorization field of these credentials."""
    parts = [part.encode("latin-1") if isinstance(part, str) else part for part in (user, password)]
    return "Basic " + b64encode(b":".join(parts)).decode()


def multipart(files: Iterable[tuple[str, Any]], fields: Iterable[tuple[str, Any]]) -> tuple[bytes, str]:
    """A multipart/form-data body (RFC 7578) and its content type.

    A file is bytes, text, something to read, or a tuple (name, content[, content type[, header fields]]).
    """
    parts: list[tuple[str, Mapping[str, str], bytes]] = [
        (f'name="{_quoted(name)}"', {}, _bytes(value)) for name, value in fields
    ]
    for name, file in files:
        told = file if isinstance(file, tuple) else (_file_name(file) or name, file)
        file_name, content, kind, more = (*told, None, None)[:4]
        kind = kind or mimetypes.guess_type(file_name or "")[0] or "application/octet-stream"
        names = f'name="{_quoted(name)}"; filename="{_quoted(file_name or name)}"'
        parts.append((names, {"Content-Type": kind, **(more or {})}, _bytes(content)))
    boundary = secrets.token_hex(16)
    whole = b"".join(_part(boundary, *part) for part in parts) + f"--{boundary}--\r\n".encode()
    return whole, f"multipart/form-data; boundary={boundary}"


def _part(boundary: str, names: str, fields: Mapping[str, str], content: bytes) -> bytes:
    lines = [f"--{boundary}", f"Content-Disposition: form-data; {names}"]
    lines += [f"{name}: {value}" for name, value in fields.items()]
    return "\r\n".join([*lines, "", ""]).encode() + content + b"\r\n"


def _quoted(text: str) -> str:
    """As browsers escape names (HTML, multipart/form-data encoding algorithm)."""
    return text.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")


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
    return quote(name.rpartition("/")[2], safe=" ()[]!$&'+,;=@^`{}~.-_") if isinstance(name, str) else ""


def _pairs(values: Any) -> list[tuple[str, Any]]:
    if values is None:
        return []
    pairs = values.items() if isinstance(values, Mapping) else values
    return [(name, value) for name, value in pairs if value is not None]
