"""One request to one URL, as the command line says it: read, checked, and fit to be written down.

What looks like a credential never reaches the run folder: the manifest carries `env:NAME`, and the value
travels to the traffic process in its environment.
"""

from __future__ import annotations

import base64
import ipaddress
import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

from gameday.errors import ConfigError

REFERENCE = "env:"
MOST_BODY = 16 * 2**20
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_METHOD = re.compile(r"[A-Z]+(?:-[A-Z]+)*")
_SECRET = re.compile(
    r"auth|cookie|token|secret|passw|credential|signature|api[-_]?key|session", re.IGNORECASE
)
_OURS = frozenset(
    {"host", "content-length", "transfer-encoding", "connection", "user-agent", "x-gameday-run"}
)
_EXPECTED = "expected e.g. http://127.0.0.1:8080/path"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The request. `headers` hold `env:NAME` in place of secrets, whose values stand in `secrets` by NAME.

    `written` maps what stood on the command line to what may be written down of it.
    """

    method: str
    url: str
    host: str
    headers: Mapping[str, str]
    body: bytes = b""
    secrets: Mapping[str, str] = field(default_factory=dict)
    written: Mapping[str, str] = field(default_factory=dict)

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def path(self) -> str:
        """The path without its query, for names."""
        return urlsplit(self.url).path or "/"

    def document(self) -> dict[str, Any]:
        """The manifest's `load.request`: method, url, headers and body (`body_base64` if it is no text)."""
        try:
            body = {"body": self.body.decode("utf-8")}
        except UnicodeDecodeError:
            body = {"body_base64": base64.b64encode(self.body).decode("ascii")}
        return {"method": self.method, "url": self.url, "headers": dict(self.headers), **body}

    def redacted(self, words: Sequence[str]) -> list[str]:
        """Command line words without the secrets among them."""
        shown = []
        for word in words:
            for secret, safe in self.written.items():
                word = word.replace(secret, safe)  # noqa: PLW2901 - each secret in turn
            shown.append(word)
        return shown


def read(
    url: str,
    *,
    method: str | None = None,
    headers: Sequence[str] = (),
    body: str | None = None,
    allow: Sequence[str] = (),
) -> Target:
    """Read a target; `body` is the text itself or `@file`, `allow` the hosts besides loopback.

    Raises:
        ConfigError: any part cannot be meant, or the host is neither loopback nor allowed.
    """
    parts = _parts(url)
    host = parts.hostname or ""
    if not is_loopback(host) and host not in {name.lower() for name in allow}:
        raise ConfigError(
            f"{host} is not this machine and not allowed; expected a loopback address, or "
            f"--allow-host {host} if you may put load on it; nothing was sent"
        )
    content = _body(body)
    wanted, secrets, written = _headers(headers)
    if content and not any(name.lower() == "content-type" for name in wanted):
        wanted["Content-Type"] = _type_of(content)
    return Target(
        method=_method(method or ("POST" if body is not None else "GET")),
        url=parts._replace(fragment="").geturl(),
        host=host,
        headers=wanted,
        body=content,
        secrets=secrets,
        written=written,
    )


def is_loopback(host: str) -> bool:
    """Whether the host is this machine by its name alone: nothing is resolved."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _parts(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ConfigError(f"{url!r} is no URL: {error}; {_EXPECTED}") from error
    if parts.scheme not in ("http", "https"):
        raise ConfigError(f"{url!r} is no URL that can be loaded; {_EXPECTED} (http or https)")
    if not parts.hostname or port == 0:
        raise ConfigError(f"{url!r} names no {'port' if parts.hostname else 'host'}; {_EXPECTED}")
    if "@" in parts.netloc:
        raise ConfigError("the URL carries credentials; expected them in --header 'Authorization: ...'")
    if not url.isascii() or any(character.isspace() or not character.isprintable() for character in url):
        raise ConfigError(f"{url!r} has characters no URL may hold; expected them percent-encoded")
    return parts


def _method(text: str) -> str:
    method = text.upper()
    if not _METHOD.fullmatch(method) or method in ("CONNECT", "TRACE"):
        raise ConfigError(f"--method {text!r} cannot be sent; expected e.g. GET, POST or PUT")
    return method


def _body(text: str | None) -> bytes:
    if text is None or not text.startswith("@"):
        return (text or "").encode("utf-8", "surrogateescape")
    path = Path(text[1:])
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigError(
            f"--body {text}: {error.strerror or error}; expected the body itself or @file"
        ) from error
    if len(content) > MOST_BODY:
        raise ConfigError(f"--body {text}: {len(content):,} bytes; expected at most {MOST_BODY:,}")
    return content


def _type_of(content: bytes) -> str:
    try:
        json.loads(content)
    except ValueError:
        return "application/octet-stream"
    return "application/json"


def _headers(lines: Sequence[str]) -> tuple[dict[str, str], dict[str, str], dict[str, str]]:
    """Headers fit to be written down, the secrets by the name of their variable, and how lines are shown."""
    found: dict[str, str] = {}
    secrets: dict[str, str] = {}
    written: dict[str, str] = {}
    for line in lines:
        name, value = _header(line)
        if name.lower() in {other.lower() for other in found}:
            raise ConfigError(f"--header {name} is there twice; expected each name once")
        if _SECRET.search(name) and not value.startswith(REFERENCE):
            variable = f"GAMEDAY_HEADER_{len(secrets) + 1}"
            secrets[variable] = value
            value = REFERENCE + variable
            written[line] = f"{name}: {value}"
        elif value.startswith(REFERENCE) and value.removeprefix(REFERENCE) not in os.environ:
            variable = value.removeprefix(REFERENCE)
            raise ConfigError(f"--header {name} is {value}; expected an environment variable {variable}")
        found[name] = value
    return found, secrets, written


def _header(line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    name, value = name.strip(), value.strip()
    if not colon or not _TOKEN.fullmatch(name):
        raise ConfigError(f"--header {line!r} is no header; expected 'Name: value'")
    if name.lower() in _OURS:
        raise ConfigError(f"--header {name} is set by gameday itself; expected another header")
    try:
        value.encode("latin-1")
    except UnicodeEncodeError as error:
        raise ConfigError(f"--header {name}: a value that no header can hold; expected Latin-1") from error
    if any(not character.isprintable() and character != "\t" for character in value):
        raise ConfigError(f"--header {name}: a control character in its value; expected printable text")
    return name, value
