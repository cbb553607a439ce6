"""A request in full, put together from a client's arguments, and where its answer sends it on to."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urljoin, urlsplit

from scenarios.load.answer import Answer
from scenarios.load.face import bodies

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_KEEP_METHOD = frozenset({307, 308})
_PRIVATE = frozenset({"authorization", "cookie"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """Method, absolute URL, header fields and body."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes

    def after(self, answer: Answer) -> "Ask | None":
        """The request a redirect asks for; None when the answer is none.

        As browsers and requests do: 307 and 308 keep the method, the others turn it into GET; credentials
        stay with the host they were meant for.
        """
        if answer.status not in _REDIRECTS or "location" not in answer.headers:
            return None
        url = urljoin(self.url, answer.headers["location"])
        leave_out: frozenset[str] = frozenset()
        if urlsplit(self.url).netloc != urlsplit(url).netloc:
            leave_out = _PRIVATE
        if answer.status in _KEEP_METHOD or self.method in ("GET", "HEAD"):
            return replace(self, url=url, headers=_without(self.headers, leave_out))
        headers = _without(self.headers, leave_out | {"content-type"})
        return Ask(method="GET", url=url, headers=headers, body=b"")


def compose(
    method: str,
    url: str,
    *,
    always: Mapping[str, str],
    headers: Mapping[str, str] | None,
    auth: tuple[str | bytes, str | bytes] | None,
    params: Any,
    data: Any,
    json: Any,
    files: Any,
) -> Ask:
    """``always`` are header fields of every request; ``headers`` go before them."""
    body, kind = bodies.body(data, json, files)
    given = dict(headers or {})
    own = {name.lower() for name in given}
    fields = _without(always, own)
    if kind and "content-type" not in own:
        fields["Content-Type"] = kind
    if kind == "application/json" and "accept" not in own:
        fields["Accept"] = kind
    fields |= given
    if auth:
        fields["Authorization"] = bodies.basic(*auth)
    full = bodies.with_params(url, params) if params else url
    return Ask(method=method, url=full, headers=fields, body=body)


def _without(headers: Mapping[str, str], names: frozenset[str] | set[str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() not in names}
