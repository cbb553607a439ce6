"""``self.client`` of HttpUser: the call style of Locust's FastHttpUser on this project's HTTP client."""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

from locust.exception import StopUser

from scenarios.errors import CallError, LoadEndedError, UnboundedNamesError
from scenarios.load.answer import Answer
from scenarios.load.books import UNANSWERED
from scenarios.load.engine import Engine
from scenarios.load.face import asks, bodies
from scenarios.load.face.entries import enter
from scenarios.load.face.response import Response
from scenarios.load.face.trial import Trial
from scenarios.load.http import coding
from scenarios.load.http.head import Prepared
from scenarios.load.http.session import Session

MOST_REDIRECTS = 30
MOST_CONSTANTS = 64
_ABSOLUTE = re.compile(r"https?://", re.IGNORECASE)
Seconds = float | tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Attempt:
    """A request on its way: ``at`` its intended start, ``begun`` the send, both monotonic."""

    slug: str
    at: float
    begun: float


@dataclass(slots=True, kw_only=True)
class HttpClient:
    """Requests of one user, recorded as they end.

    While arrivals drive the user, a task's first request is intended for its arrival's moment (shifted by
    what the task does before it); every other request for the moment it is made.
    """

    user: Any
    trial: Trial
    engine: Engine
    session: Session
    base_url: str
    default_headers: dict[str, str] = field(default_factory=dict)
    request_name: str | None = None
    first_slug: str = ""
    _late: float = 0.0
    _last: Response | None = None
    _shown: dict[str, str] = field(default_factory=dict)
    _constants: dict[tuple[str, str], Prepared] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Take credentials out of the base URL, as Locust does."""
        parts = urlsplit(self.base_url)
        headers = {
            "X-Gameday-Run": self.trial.run_id,
            "User-Agent": f"gameday/1 ({self.trial.run_id})",
            "Accept-Encoding": coding.ACCEPTED,
        }
        if parts.username and parts.password:
            self.base_url = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
            headers["Authorization"] = bodies.basic(unquote(parts.username), unquote(parts.password))
        self.default_headers = headers | self.default_headers

    def request(
        self,
        method: str,
        url: str,
        name: str | None = None,
        data: Any = None,
        catch_response: bool = False,
        *,
        stream: bool = False,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str | bytes, str | bytes] | None = None,
        json: Any = None,
        allow_redirects: bool = False,
        context: Mapping[str, Any] | None = None,
        params: Any = None,
        files: Any = None,
        timeout: Seconds | None = None,
    ) -> Response:
        """One request and its answer, never an exception for a bad one.

        Unlike stock, redirects are not followed unless asked for, and a request after the load's end is not
        made: it ends the task. With ``stream`` the body is read in pieces, by whoever asks for it; the answer
        counts when its head is there, or in a with-block when its last piece has been read. ``timeout`` is in
        seconds, for connecting and answering. UnboundedNamesError when there are too many names.
        """
        self.settle()
        self._refuse_after_end()
        label = name or self.request_name or url
        slug = self._slug(method, label)
        full = url if _ABSOLUTE.match(url) else f"{self.base_url}{url}"
        timeout_s = sum(timeout) if isinstance(timeout, tuple) else timeout
        varies = bool(data or json is not None or headers or auth or params or files)
        begun = time.monotonic()
        attempt = _Attempt(slug=slug, at=begun - self._late, begun=begun)
        self._late = 0.0
        if not (varies or stream or allow_redirects):
            found, error = self._exchange(attempt, lambda: self._repeat(method, full, timeout_s))
        else:
            ask = asks.compose(
                method, full, always=self.default_headers, headers=headers, auth=auth, params=params,
                data=data, json=json, files=files,
            )  # fmt: skip
            hops = MOST_REDIRECTS if allow_redirects else 0
            found, error = self._exchange(attempt, lambda: self._send(ask, timeout_s, hops, stream))
        done = time.monotonic()
        pieces = found if stream else None
        answer: Answer | None = found.answer if pieces is not None else found
        meta: dict[str, Any] = {
            "request_type": method,
            "name": label,
            "context": {**self.user.context(), **(context or {})},
            "exception": None,
            "start_time": self.engine.clock.epoch(attempt.at),
            "url": full,
            "response_length": len(answer.body) if answer is not None else 0,
            "response_time": (done - attempt.at) * 1e3,
        }
        response = meta["response"] = Response(
            answer=answer, error=error, pieces=pieces, request_meta=meta, elapsed=done - begun,
            caught=catch_response, settle=self._enter,
        )  # fmt: skip
        self._last = response
        if not catch_response:
            response.settle()
        return response

    def get(self, url: str, **arguments: Any) -> Response:
        """GET; the arguments are those of ``request``."""
        return self.request("GET", url, **arguments)

    def post(self, url: str, data: Any = None, json: Any = None, **arguments: Any) -> Response:
        """POST."""
        return self.request("POST", url, data=data, json=json, **arguments)

    def put(self, url: str, data: Any = None, **arguments: Any) -> Response:
        """PUT."""
        return self.request("PUT", url, data=data, **arguments)

    def patch(self, url: str, data: Any = None, **arguments: Any) -> Response:
        """PATCH."""
        return self.request("PATCH", url, data=data, **arguments)

    def delete(self, url: str, **arguments: Any) -> Response:
        """DELETE."""
        return self.request("DELETE", url, **arguments)

    def head(self, url: str, **arguments: Any) -> Response:
        """HEAD."""
        return self.request("HEAD", url, **arguments)

    def options(self, url: str, **arguments: Any) -> Response:
        """OPTIONS."""
        return self.request("OPTIONS", url, **arguments)

    def iter_lines(self, url: str, method: str = "GET", **arguments: Any) -> Iterator[str]:
        """The lines of an answer as they come; CallError for a bad answer."""
        response = self.request(method, url, stream=True, **arguments)
        response.raise_for_status()
        yield from response.iter_lines()

    @contextmanager
    def rename_request(self, name: str) -> Iterator[None]:
        """Requests in the block without a name of their own go by this one."""
        self.request_name = name
        try:
            yield
        finally:
            self.request_name = None

    def arrive(self, late: float) -> None:
        """A task begins ``late`` seconds after it was due; its first request carries that."""
        self._late, self.first_slug = late, ""

    def settle(self) -> None:
        """Be done with the last answer: enter it by its status if nobody opened its with-block."""
        last, self._last = self._last, None
        if last is not None and not last.entered:
            last.settle()
            last.close()

    def close(self) -> None:
        """Close every connection."""
        self.session.close()

    def _refuse_after_end(self) -> None:
        if self.engine.ended:
            raise LoadEndedError
        if self.trial.ending:
            raise StopUser

    def _slug(self, method: str, label: str) -> str:
        try:
            slug = self.trial.operation(self.engine, method, label).slug
        except UnboundedNamesError as error:
            self.trial.give_up(error)
            raise
        self.first_slug = self.first_slug or slug
        return slug

    def _send(self, ask: asks.Ask, timeout_s: float | None, redirects: int, stream: bool) -> Any:
        if stream:
            return self.session.stream(ask.method, ask.url, ask.headers, ask.body, timeout_s=timeout_s)
        return self.session.send(
            ask.method, ask.url, ask.headers, ask.body, redirects=redirects, timeout_s=timeout_s
        )

    def _repeat(self, method: str, url: str, timeout_s: float | None) -> Answer:
        """A request without anything of its own is encoded once."""
        if self._shown != self.default_headers:
            self._shown = dict(self.default_headers)
            self._constants.clear()
        prepared = self._constants.get((method, url))
        if prepared is None:
            prepared = self.session.prepare(method, url, self.default_headers, b"")
            if len(self._constants) < MOST_CONSTANTS:
                self._constants[method, url] = prepared
        return self.session.perform(prepared, timeout_s=timeout_s)

    def _exchange(self, attempt: _Attempt, perform: Callable[[], Any]) -> tuple[Any, CallError | None]:
        """What came of it; what is neither (a killed user, an impossible request) is entered too."""
        self.engine.waits[attempt] = attempt.begun
        try:
            return perform(), None
        except CallError as error:
            return None, error
        except Exception as error:
            self._lost(attempt, "protocol", f"{type(error).__name__}: {error}")
            raise
        except BaseException:
            if self.engine is not self.trial.desk:  # a closed user is withdrawn with its request, as in stock
                self._lost(attempt, "timeout", UNANSWERED)
            raise
        finally:
            self.engine.waits.pop(attempt, None)
            if self.session.retries:
                self.engine.retried += self.session.take_retries()

    def _lost(self, attempt: _Attempt, kind: str, detail: str) -> None:
        now, at = time.monotonic(), self.engine.clock.epoch(attempt.at)
        latency, service = now - attempt.at, now - attempt.begun
        enter(self.engine, attempt.slug, kind, at=at, latency=latency, service=service, detail=detail)

    def _enter(self, response: Response, failure: Exception | None) -> None:
        """An answer's fate is known: enter it in the books and tell Locust."""
        meta = response.request_meta
        meta["exception"] = failure
        enter(
            self.engine,
            self._slug(meta["request_type"], meta["name"]),
            "ok" if failure is None else kind_of(failure, response),
            at=meta["start_time"],
            latency=meta["response_time"] / 1e3,
            service=response.elapsed.total_seconds(),
            detail="" if failure is None else str(failure) or type(failure).__name__,
            answer=response.answer,
        )
        self.user.environment.events.request.fire(**meta)


def kind_of(failure: Exception, response: Response) -> str:
    """The class of a bad answer: the exception's own, else what is wrong with it by itself, else content."""
    if isinstance(failure, CallError):
        return failure.kind
    wrong = response.failed()
    return wrong.kind if wrong else "content"
