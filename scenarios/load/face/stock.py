"""Locust's own users (FastHttpUser, HttpUser, and whatever fires its request event), recorded as ours are.

They are a closed model: Locust paces them. A request counts from its ``start_time``, or from
``context={"intended_start": ...}`` (epoch seconds) where a script keeps a schedule of its own.
"""

import json
import logging
import time
from collections.abc import Iterator, Mapping
from typing import Any

from scenarios.errors import CallError, UnboundedNamesError
from scenarios.load.face.entries import enter
from scenarios.load.face.response import Response
from scenarios.load.face.trial import Trial

REST = "(further names)"
_DEEPEST = 12
_FIRST_BAD = 400
# By class name, most derived first, since a script may use any client: builtins, requests, urllib3,
# geventhttpclient and Locust spell the same accidents differently.
KINDS = {
    "connect": (
        "ConnectionRefusedError", "gaierror", "NewConnectionError", "NameResolutionError", "ConnectTimeout",
        "ConnectTimeoutError", "SSLError", "ProxyError", "InvalidURL",
    ),
    "timeout": ("TimeoutError", "Timeout", "ReadTimeout", "ReadTimeoutError"),
    "reset": (
        "ConnectionResetError", "ConnectionAbortedError", "BrokenPipeError", "HTTPConnectionClosed",
        "RemoteDisconnected", "IncompleteRead", "EmptyResponse",
    ),
    "protocol": (
        "HTTPParseError", "BadStatusLine", "InvalidChunkLength", "HTTPException", "DecodeError",
        "ContentDecodingError", "TooManyRedirects",
    ),
    "content": (
        "CatchResponseError", "ResponseError", "AssertionError", "JSONDecodeError", "LookupError",
        "TypeError", "ValueError",
    ),
}  # fmt: skip
_KIND_OF = {name: kind for kind, names in KINDS.items() for name in names}
_ACCIDENTS = frozenset({"connect", "timeout", "reset", "protocol"})
logger = logging.getLogger("gameday")


def record(
    trial: Trial,
    *,
    request_type: str,
    name: str,
    response_time: float | None,
    exception: Exception | None = None,
    start_time: float | None = None,
    context: Mapping[str, Any] | None = None,
    response: Any = None,
    **_: Any,
) -> None:
    """Enter one of Locust's request events; milliseconds and epoch seconds, as Locust has them."""
    service = max(0.0, (response_time or 0.0) / 1e3)
    begun = start_time if start_time is not None else time.time() - service
    at = min(begun, float((context or {}).get("intended_start") or begun))
    enter(
        trial.desk,
        _slug(trial, request_type, name),
        "ok" if exception is None else kind_of(exception, response),
        at=at,
        latency=begun + service - at,
        service=service,
        detail="" if exception is None else f"{type(exception).__name__}: {exception}",
    )


def is_ours(response: Any, context: Any) -> bool:
    """Whether our own client fired the event: it has entered the request itself."""
    return isinstance(response, Response) or context is OURS


OURS: dict[str, Any] = {}  # the context, itself, of events fired for the engine's own operations


def kind_of(error: Exception, response: Any = None) -> str:
    """The class of a failure: an accident of transport, else the answer's status, else its content."""
    if isinstance(error, CallError):
        return error.kind
    found = [kind for each in _chain(error) if (kind := _by_name(each))]
    accident = next((kind for kind in found if kind in _ACCIDENTS), None)
    if accident:
        return accident
    status = _status(error, response)
    if status >= _FIRST_BAD:
        return {4: "http_4xx", 5: "http_5xx"}.get(status // 100, "status")
    return found[0] if found else "connect" if isinstance(error, OSError) else "content"


def _by_name(error: BaseException) -> str | None:
    if isinstance(error, json.JSONDecodeError):
        return "content"
    return next((_KIND_OF[each.__name__] for each in type(error).__mro__ if each.__name__ in _KIND_OF), None)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The exception and what lies behind it: arguments, reasons, causes."""
    waiting: list[BaseException] = [error]
    for _ in range(_DEEPEST):
        if not waiting:
            return
        each = waiting.pop(0)
        yield each
        behind = (*each.args, getattr(each, "reason", None), each.__cause__, each.__context__)
        waiting += [one for one in behind if isinstance(one, BaseException)]


def _status(error: Exception, response: Any) -> int:
    told = (
        getattr(error, "code", None),
        getattr(getattr(error, "response", None), "status_code", None),
        getattr(response, "status_code", None),
    )
    return next((status for status in told if isinstance(status, int) and status > 0), 0)


def _slug(trial: Trial, request_type: str, name: str) -> str:
    """The operation's slug; names beyond the bound share one, since the request has been made already."""
    try:
        return trial.operation(trial.desk, str(request_type), str(name)).slug
    except UnboundedNamesError as error:
        known = len(trial.closed)
        slug = trial.overflow(REST)
        if len(trial.closed) > known:
            logger.warning("%s; further names go by %r from now on", error, REST)
        return slug
