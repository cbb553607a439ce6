"""The cookies of one session, after RFC 6265: domain, path, secure, expiry.

There is no list of public suffixes here: a Domain without a dot, or one the host is not below, is refused.
What a browser decides by site (SameSite) or for scripts (HttpOnly) does not concern a client that sends what
it is told.
"""

import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

MOST = 256
_FOREVER = float("inf")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cookie:
    """One cookie; ``expires`` in epoch seconds; ``exact``: for this very host only."""

    name: str
    value: str
    domain: str
    path: str
    exact: bool
    secure: bool
    expires: float

    def suits(self, host: str, path: str, *, secure: bool, now: float) -> bool:
        """Whether it goes out with a request to there."""
        return (
            (host == self.domain or (not self.exact and host.endswith("." + self.domain)))
            and _path_matches(path, self.path)
            and (secure or not self.secure)
            and self.expires > now
        )


class Jar:
    """At most ``MOST`` cookies; the oldest goes first."""

    def __init__(self) -> None:
        self._cookies: dict[tuple[str, str, str], Cookie] = {}

    def __len__(self) -> int:
        return len(self._cookies)

    def store(self, line: str, *, host: str, path: str, now: float | None = None) -> None:
        """Obey one Set-Cookie header of an answer from there; what the RFC refuses is ignored."""
        now = time.time() if now is None else now
        cookie = parse(line, host=host, path=path, now=now)
        if cookie is None:
            return
        key = (cookie.domain, cookie.path, cookie.name)
        if cookie.expires <= now:
            self._cookies.pop(key, None)
            return
        self._cookies[key] = cookie
        if len(self._cookies) > MOST:
            del self._cookies[next(iter(self._cookies))]

    def set(self, name: str, value: str, *, host: str, path: str = "/") -> None:
        """Put a cookie in by hand, for this very host."""
        if any(sign in name + value for sign in ";\r\n\0") or not name:
            raise ValueError(f"{name!r}={value!r} cannot be a cookie")
        self._cookies[host, path, name] = Cookie(
            name=name, value=value, domain=host, path=path, exact=True, secure=False, expires=_FOREVER
        )

    def clear(self) -> None:
        """Forget all."""
        self._cookies.clear()

    def values(self, host: str) -> dict[str, str]:
        """Name to value of what this host would get at some path."""
        now = time.time()
        return {
            cookie.name: cookie.value
            for cookie in self._cookies.values()
            if cookie.suits(host, cookie.path, secure=True, now=now)
        }

    def header(self, host: str, path: str, *, secure: bool, now: float | None = None) -> str:
        """The Cookie header for a request to there, longest paths first; empty without any."""
        now = time.time() if now is None else now
        suiting = [each for each in self._cookies.values() if each.suits(host, path, secure=secure, now=now)]
        suiting.sort(key=lambda each: -len(each.path))
        return "; ".join(f"{each.name}={each.value}" for each in suiting)


def parse(line: str, *, host: str, path: str, now: float) -> Cookie | None:
    """One Set-Cookie header (RFC 6265, 5.2 and 5.3); None if it is to be ignored."""
    pair, *attributes = line.split(";")
    name, equals, value = pair.partition("=")
    name, value = name.strip(), value.strip()
    if not equals or not name:
        return None
    found: dict[str, str] = {}
    for attribute in attributes:
        key, _, given = attribute.partition("=")
        found[key.strip().lower()] = given.strip()
    domain = found.get("domain", "").lower().removeprefix(".")
    if (
        domain
        and domain != host
        and (not host.endswith("." + domain) or "." not in domain or _is_number(host))
    ):
        return None
    wanted = found.get("path", "")
    return Cookie(
        name=name,
        value=value,
        domain=domain or host,
        path=wanted if wanted.startswith("/") else path.rpartition("/")[0] or "/",
        exact=not domain or (domain == host and _is_number(host)),
        secure="secure" in found,
        expires=_expires(found, now),
    )


def _covers(domain: str, host: str) -> bool:
    return host.endswith("." + domain) and "." in domain and not _is_number(host)


def _expires(found: dict[str, str], now: float) -> float:
    age = found.get("max-age", "")
    if age.removeprefix("-").isdigit():
        return now + int(age) if int(age) > 0 else 0.0
    try:
        return parsedate_to_datetime(found["expires"].replace("-", " ")).timestamp()
    except (KeyError, ValueError, OverflowError):
        return _FOREVER


def _path_matches(path: str, cookie_path: str) -> bool:
    return path == cookie_path or (
        path.startswith(cookie_path) and (cookie_path.endswith("/") or path[len(cookie_path)] == "/")
    )


def _is_number(host: str) -> bool:
    return ":" in host or host.replace(".", "").isdigit()
