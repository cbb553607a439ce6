"""Operations over a session: names to URLs, the run's marks on every request, answers to outcomes."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from scenarios.errors import CallError, ContentError, StatusError
from scenarios.load.answer import Answer, Sender
from scenarios.load.operation import Operation

Check = Callable[[Answer], None]
_REQUEST_IDS = ("x-request-id", "x-amzn-requestid", "x-amz-request-id", "x-amz-cf-id")
_NO_HEADERS: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a flow asks for: ``ids`` fill the path's template, ``url`` replaces it (a presigned address)."""

    operation: Operation
    ids: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str | int] = field(default_factory=dict)
    payload: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    url: str = ""


@dataclass(slots=True, kw_only=True)
class Client:
    """One user's client; ``token`` is sent as a bearer to the system itself, never to another address."""

    sender: Sender
    base_url: str
    run_id: str
    token: str = ""

    def exchange(self, request: Request) -> Answer:
        """The complete answer, whatever its status; TransportError, or ContentError for a forbidden host."""
        headers = {"X-Gameday-Run": self.run_id, "User-Agent": f"gameday/1 ({self.run_id})"}
        body = b""
        if request.payload is not None:
            body = json.dumps(request.payload, separators=(",", ":")).encode()
            headers["Content-Type"] = "application/json"
        if self.token and not request.url:
            headers["Authorization"] = f"Bearer {self.token}"
        headers.update(request.headers)
        return self.sender.send(request.operation.method, self._url(request), headers, body)

    def ask(self, request: Request, check: Check | None = None) -> Answer:
        """A good answer; CallError otherwise. For what is not measured: log in, read-back."""
        answer = self.exchange(request)
        judge(request.operation, answer, check)
        return answer

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
