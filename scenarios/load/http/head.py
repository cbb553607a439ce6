"""Requests, made ready once: address, allow-list and head are settled before the first use."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import SplitResult, quote, urlsplit

from scenarios.load.http.address import Place
from scenarios.load.operation import SAFE_METHODS

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_PLAIN = re.compile(r"[!-~]*")  # visible ASCII: nothing to quote
_FORBIDDEN = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_FRAMING = frozenset({"content-length", "transfer-encoding"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A body that is sent piece by piece: ``chunks`` begins it anew; chunked without a ``length``."""

    chunks: Callable[[], Iterable[bytes]]
    length: int | None = None


Body = bytes | Upload


class Prepared:
    """A request that may be performed any number of times, by any session with the same allow-list.

    ``wire`` is what is sent at once: the head and a body of bytes. Its first ``cut`` bytes are the head
    without the empty line, where cookies go (``takes_cookies``) unless the request brings its own. Plain
    slots: read for every request.
    """

    __slots__ = (
        "bodiless",
        "cut",
        "headers",
        "method",
        "parts",
        "place",
        "safe",
        "takes_cookies",
        "upload",
        "wire",
    )

    def __init__(
        self, *, method: str, parts: SplitResult, headers: Mapping[str, str], body: Body, place: Place
    ) -> None:
        self.method = method
        self.parts = parts
        self.headers = headers
        self.place = place
        self.upload = body if isinstance(body, Upload) else None
        self.safe = method in SAFE_METHODS
        self.bodiless = method == "HEAD"
        head = encode(method, parts, headers, length=_length(body, always=not self.safe))
        self.cut = len(head)
        self.wire = head + b"\r\n" + (b"" if isinstance(body, Upload) else body)
        self.takes_cookies = all(name.lower() != "cookie" for name in headers)

    @property
    def body(self) -> Body:
        """What follows the head."""
        return self.upload or self.wire[self.cut + 2 :]

    @property
    def url(self) -> str:
        """Where it goes."""
        return self.parts.geturl()

    def with_cookies(self, cookies: str) -> bytes:
        """What is sent, with this Cookie header."""
        head, rest = self.wire[: self.cut], self.wire[self.cut :]
        return b"%bCookie: %b\r\n%b" % (head, cookies.encode("latin-1"), rest)


CHUNKED = -1


def _length(body: Body, *, always: bool) -> int | None:
    if isinstance(body, Upload):
        return CHUNKED if body.length is None else body.length
    return len(body) if body or always else None


def encode(
    method: str,
    url: SplitResult,
    headers: Mapping[str, str],
    *,
    length: int | None = None,
) -> bytes:
    """The head without the empty line that ends it; ``length`` of the body, CHUNKED, or None without one.

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
    if length == CHUNKED:
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


@lru_cache(maxsize=1024)
def _name(name: str) -> str:
    if not _TOKEN.fullmatch(name):
        raise ValueError(f"{name!r} is not a header name")
    return name.lower()
