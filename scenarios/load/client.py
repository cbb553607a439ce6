"""Operations over a session: names to URLs, the run's marks on every request, answers to outcomes."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import quote, urlencode

from scenarios.errors import CallError, ContentError, StatusError
from scenarios.load.answer import Answer, Sender
from scenarios.load.operation import Operation

Check = Callable[[Answer], None]
_REQUEST_IDS = ("x-request-id", "x-amzn-requestid", "x-amz-request-id", "x-amz-cf-id")
_NO_HEADERS: Mapping[str, str] = {}


Constant = tuple["Request", Any]


class Transport(Sender, Protocol):
    """A sender that can also encode a request once and perform it often."""

    def prepare(self, method: str, url: str, headers: Mapping[str, str], body: bytes = b"") -> Any:
        """The request, checked and encoded; ContentError for a forbidden host."""

    def perform(self, prepared: Any) -> Answer:
        """One exchange; TransportError unless the answer is complete."""


@dataclass(slots=True, kw_only=True)  # not frozen: one is made for most requests, at twice the cost
class Request:
    """What a flow asks for: ``ids`` fill the path's template, ``url`` replaces it (a presigned address)."""

    operation: Operation
    ids: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str | int] = field(default_factory=dict)
    payload: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    url: str = ""


class Client:
    """One user's client; ``token`` is sent as a bearer to the system itself, never to another address.

    A request that never varies is encoded once: by each client, or, while there is no token, once for all
    clients that are given the same ``shared``.
    """

    __slots__ = ("_known", "_shared", "_token", "base_url", "run_id", "sender")

    def __init__(
        self,
        *,
        sender: Transport,
        base_url: str,
        run_id: str,
        token: str = "",
        shared: dict[str, Constant] | None = None,
    ) -> None:
        self.sender = sender
        self.base_url = base_url
        self.run_id = run_id
        self._shared: dict[str, Constant] = {} if shared is None else shared
        self.token = token

    @property
    def token(self) -> str:
        """The bearer token; empty for none."""
        return self._token

    @token.setter
    def token(self, token: str) -> None:
        self._token = token
        self._known: dict[str, Constant] = {} if token else self._shared

    def constant(self, operation: Operation) -> Constant:
        """The operation's request without anything that varies, encoded the first time."""
        try:
            return self._known[operation.slug]
        except KeyError:
            request = Request(operation=operation)
            made = self._known[operation.slug] = (request, self.prepare(request))
            return made

    def exchange(self, request: Request) -> Answer:
        """The complete answer, whatever its status; TransportError, or ContentError for a forbidden host."""
        method, url, headers, body = self._parts(request)
        return self.sender.send(method, url, headers, body)

    def prepare(self, request: Request) -> Any:
        """The request checked and encoded, to be performed as often as wanted; ContentError as above."""
        method, url, headers, body = self._parts(request)
        return self.sender.prepare(method, url, headers, body)

    def ask(self, request: Request, check: Check | None = None) -> Answer:
        """A good answer; CallError otherwise. For what is not measured: log in, read-back."""
        answer = self.exchange(request)
        judge(request.operation, answer, check)
        return answer

    def _parts(self, request: Request) -> tuple[str, str, dict[str, str], bytes]:
        headers = {"X-Gameday-Run": self.run_id, "User-Agent": f"gameday/1 ({self.run_id})"}
        body = b""
        if request.payload is not None:
            body = json.dumps(request.payload, separators=(",", ":")).encode()
            headers["Content-Type"] = "application/json"
        if self._token and not request.url:
            headers["Authorization"] = f"Bearer {self._token}"
        headers.update(request.headers)
        return request.operation.method, self._url(request), headers, body

    def _url(self, request: Request) -> str:
        if request.url:
            return request.url
        path = request.operation.path
        if request.ids:
            path = path.format_map({name: quote(value, safe="") for name, value in request.ids.items()})
        return f"{self.base_url}{path}" + (f"?{urlencode(request.query)}" if request.query else "")


def judge(operation: Operation, answer: Answer, check: Check | None) -> None:
    """Raise what is wrong with a complete answer: StatusError first, then whatever ``check`` finds.

    A check that stumbles over a missing or misshapen field has found wrong content.
    """
    if answer.status not in operation.expect:
        kind = {4: "http_4xx", 5: "http_5xx"}.get(answer.status // 100, "status")
        raise StatusError(f"{answer.status}: {answer.body[:200].decode('utf-8', 'replace')}", kind=kind)
    if check is None:
        return
    try:
        check(answer)
    except CallError:
        raise
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise ContentError(f"the answer is misshapen: {type(error).__name__}: {error}") from error


def request_id(answer: Answer | None) -> str:
    """The id the system or AWS gave the request, for finding it in their logs; empty without one."""
    headers = answer.headers if answer else _NO_HEADERS
    return next((headers[name] for name in _REQUEST_IDS if name in headers), "")
