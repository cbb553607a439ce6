"""Following redirects for those who ask: capped, checked against the allow-list, careful with secrets."""

from typing import Protocol
from urllib.parse import urljoin

from scenarios.errors import TransportError
from scenarios.load.answer import Answer
from scenarios.load.http.head import Body, Prepared

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_SECRETS = frozenset({"authorization", "cookie", "proxy-authorization"})
_OF_BODY = "content-"


class Performer(Protocol):
    """What following needs of a session."""

    def prepare(self, method: str, url: str, headers: dict[str, str], body: Body = b"") -> Prepared:
        """Check the allow-list and encode."""

    def perform(self, prepared: Prepared, *, timeout_s: float | None = None) -> Answer:
        """One exchange."""


def follow(session: Performer, prepared: Prepared, *, cap: int, timeout_s: float | None = None) -> Answer:
    """The first answer that is no redirect. Each hop has the whole time-out.

    TransportError (protocol) after ``cap`` hops, ContentError for a hop to a host that is not allowed.
    A redirect without a Location is the answer.
    """
    answer = session.perform(prepared, timeout_s=timeout_s)
    for _ in range(cap):
        location = answer.headers.get("location") if answer.status in _REDIRECTS else None
        if location is None:
            return answer
        prepared = _next(session, prepared, answer.status, location)
        answer = session.perform(prepared, timeout_s=timeout_s)
    if answer.status in _REDIRECTS and "location" in answer.headers:
        says = f"{prepared.place.name}: more than {cap} redirects, the last to {answer.headers['location']}"
        raise TransportError(says, kind="protocol")
    return answer


def _next(session: Performer, prepared: Prepared, status: int, location: str) -> Prepared:
    """RFC 9110, 15.4: 303 asks for a GET, 301 and 302 of a POST in practice too, 307 and 308 repeat."""
    method, body, headers = prepared.method, prepared.body, dict(prepared.headers)
    if (status == 303 and method != "HEAD") or (status in (301, 302) and method == "POST"):
        method, body = "GET", b""
        headers = {name: value for name, value in headers.items() if not name.lower().startswith(_OF_BODY)}
    try:
        url = urljoin(prepared.url, location)
        made = session.prepare(method, url, headers, body)
    except ValueError as error:
        says = f"{prepared.place.name}: redirected to {location!r}: {error}"
        raise TransportError(says, kind="protocol") from error
    if made.place is prepared.place:
        return made
    headers = {name: value for name, value in headers.items() if name.lower() not in _SECRETS | {"host"}}
    return session.prepare(method, url, headers, body)
