"""Requests, made ready once: address, allow-list and head are settled before the first use."""

import re
from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import SplitResult, quote, urlsplit

from scenarios.load.http.address import Place
from scenarios.load.http.limits import Limits
from scenarios.load.operation import SAFE_METHODS

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_PLAIN = re.compile(r"[!-~]*")  # visible ASCII: nothing to quote
_FORBIDDEN = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_FRAMING = frozenset({"content-length", "transfer-encoding"})


class Prepared:
    """A request that may be performed any number of times, by any session with the same allow-list.

    ``wire`` is everything that is sent; its first ``cut`` bytes are the head without the empty line, where
    cookies go unless the request has its own. Plain slots: read for every request.
    """

    __slots__ = ("bodiless", "cookies", "cut", "headers", "method", "parts", "place", "safe", "wire")

    def __init__(
        self, *, method: str, parts: SplitResult, headers: Mapping[str, str], body: bytes, place: Place
    ) -> None:
        self.method = method
        self.parts = parts
        self.headers = headers
        self.place = place
        head = encode(
            method, parts, headers, length=len(body) if body or method not in SAFE_METHODS else None
        )
        self.cut = len(head)
        self.wire = head + b"\r\n" + body
        self.safe = method in SAFE_METHODS
        self.bodiless = method == "HEAD"
        self.cookies = all(name.lower() != "cookie" for name in headers)

    @property
    def body(self) -> bytes:
        """What follows the head."""
        return self.wire[self.cut + 2 :]

    @property
    def url(self) -> str:
        """Where it goes."""
        return self.parts.geturl()

    def with_cookies(self, cookies: str) -> bytes:
        """Everything that is sent, with this Cookie header."""
        return b"%bCookie: %b\r\n%b" % (
            self.wire[: self.cut],
            cookies.encode("latin-1"),
            self.wire[self.cut :],
        )


def encode(
    method: str,
    url: SplitResult,
    headers: Mapping[str, str],
    *,
    length: int | None = None,
    chunked: bool = False,
) -> bytes:
    """The head without the empty line that ends it.

    ValueError for what would not arrive as it was meant: line breaks and control characters, a name that is
    no token, a framing header (the client frames the body itself).
    """
    if not _TOKEN.fullmatch(method):
        raise ValueError(f"{method!r} is not an HTTP method")
    lines = [f"{method} {target(url)} HTTP/1.1"]
    own_host = False
    for name, value in headers.items():
        if (lower := _name(name)) in _FRAMING:
            raise ValueError(f"the header {name} is set by the client; leave it out")
        own_host = own_host or lower == "host"
        lines.append(f"{name}: {value}")
    if not own_host:
        lines.insert(1, f"Host: {host(url)}")
    if chunked:
        lines.append("Transfer-Encoding: chunked")
    elif length is not None:
        lines.append(f"Content-Length: {length}")
    text = "".join(lines)
    if _FORBIDDEN.search(text):
        raise ValueError(f"a line break or control character in a header of {method} {url.geturl()!r}")
    return ("\r\n".join(lines) + "\r\n").encode("latin-1")


def host(url: SplitResult) -> str:
    """The Host header: no user, an international name in its ASCII form."""
    found = url.netloc.rpartition("@")[2]
    return found if found.isascii() else found.encode("idna").decode()


def target(url: SplitResult) -> str:
    """Path and query as they go over the wire; what may not stand there is percent-encoded."""
    found = (url.path or "/") + (f"?{url.query}" if url.query else "")
    if _PLAIN.fullmatch(found):
        return found
    if _FORBIDDEN.search(found):
        raise ValueError(f"a line break or control character in the address {url.geturl()!r}")
    return quote(found, safe="%/?:@!$&'()*+,;=-._~[]")


def split(url: str) -> SplitResult:
    """The parts of an absolute URL; ValueError with the URL if it has none, or with a port out of range."""
    if "\r" in url or "\n" in url or "\t" in url:
        raise ValueError(f"a line break or tab in the address {url!r}")
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - says whether it is a number
    except ValueError as error:
        raise ValueError(f"{url!r} is not an address: {error}") from error
    return parts


def fits(prepared: Prepared, limits: Limits) -> None:
    """ValueError for a head that is larger than answers may have."""
    if prepared.cut > limits.head_bytes:
        raise ValueError(f"the head of {prepared.method} {prepared.url!r} has {prepared.cut} bytes")


@lru_cache(maxsize=1024)
def _name(name: str) -> str:
    if not _TOKEN.fullmatch(name):
        raise ValueError(f"{name!r} is not a header name")
    return name.lower()
