"""What HttpUser's client gives back: an answer with the ways of Locust's FastHttpUser (and requests')."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from types import TracebackType
from typing import Any, Self

from locust.exception import (
    CatchResponseError,
    InterruptTaskSet,
    LocustError,
    RescheduleTask,
    RescheduleTaskImmediately,
    ResponseError,
    StopTest,
    StopUser,
)

from scenarios.errors import CallError, StatusError
from scenarios.load.answer import Answer
from scenarios.load.http.streaming import Stream

_CONTROL = (InterruptTaskSet, RescheduleTask, RescheduleTaskImmediately, StopTest, StopUser)
_FIRST_BAD = 400
_NOT_CAUGHT = (
    "pass catch_response=True and use the answer in a with-block to decide yourself whether it was good:"
    " with self.client.get(..., catch_response=True) as response: response.failure(...)"
)


class Headers(Mapping[str, str]):
    """Header fields; names compare without regard to case."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        self._fields = fields

    def __getitem__(self, name: str) -> str:
        return self._fields[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._fields


class Response:
    """An answer, or what came instead: then ``status_code`` is 0, ``content`` None and ``error`` says why.

    With ``catch_response=True`` it is entered in the books when its with-block ends: as what ``success`` or
    ``failure`` said, as a failure when an exception left the block, by its status otherwise. ``request_meta``
    is what Locust's request event is told; changing its name in the block renames the request.
    """

    js: Any = None

    def __init__(
        self,
        *,
        answer: Answer | None,
        error: CallError | None,
        pieces: Stream | None = None,
        request_meta: dict[str, Any],
        elapsed: float,
        caught: bool,
        settle: Callable[["Response", Exception | None], None],
    ) -> None:
        self.answer = answer
        self.error = error
        self._pieces = pieces
        self._begun = time.monotonic() - elapsed
        self.request_meta = request_meta
        self.elapsed = timedelta(seconds=elapsed)
        self.entered = self.settled = False
        self._caught = caught
        self._settle = settle
        self._said: Exception | bool | None = None

    @property
    def status_code(self) -> int:
        """0 without an answer."""
        return self.answer.status if self.answer else 0

    @property
    def ok(self) -> bool:
        """Whether there is an answer with a status below 400 (stock: also without any answer)."""
        return 0 < self.status_code < _FIRST_BAD

    @property
    def url(self) -> str:
        """What was asked for."""
        return str(self.request_meta["url"])

    @property
    def headers(self) -> Headers:
        """Empty without an answer."""
        return Headers(self.answer.headers if self.answer else {})

    @property
    def content(self) -> bytes | None:
        """The body, decoded from its content coding; TransportError if a stream breaks off."""
        if self.answer is not None and self._pieces is not None:
            self.answer.body = b"".join(self._read())
        return self.answer.body if self.answer is not None else None

    @property
    def text(self) -> str | None:
        """The body in its charset."""
        return self.answer.text if self.answer is not None and self.content is not None else None

    def json(self) -> Any:
        """The body as JSON; json.JSONDecodeError if it is none."""
        return json.loads(self.text or "")

    def iter_content(self, chunk_size: int = 1024, decode_content: bool = True) -> Iterator[bytes | str]:
        """The body in pieces, as text unless told otherwise or it is none; a stream's as they come."""
        if self._pieces is not None:
            pieces = self._read()
        else:
            body = self.content or b""
            pieces = (body[start : start + chunk_size] for start in range(0, len(body), chunk_size))
        for piece in pieces:
            try:
                yield piece.decode() if decode_content else piece
            except UnicodeDecodeError:
                yield piece

    def iter_lines(self) -> Iterator[str]:
        """The body's lines, a stream's as they come; what is not UTF-8 is replaced."""
        rest = b""
        for piece in self._read() if self._pieces is not None else (self.content or b"",):
            *whole, rest = (rest + piece).split(b"\n")
            yield from (line.decode("utf-8", "replace") for line in whole)
        if rest:
            yield rest.decode("utf-8", "replace")

    def close(self) -> None:
        """Read no more of a stream; its connection is closed unless the body has ended."""
        pieces, self._pieces = self._pieces, None
        if pieces is not None:
            pieces.__exit__(None, None, None)

    def _read(self) -> Iterator[bytes]:
        """The rest of a stream; its last piece is when it was answered."""
        if self._pieces is not None:
            yield from self._pieces
        self._pieces = None
        late = time.monotonic() - self._begun - self.elapsed.total_seconds()
        self.elapsed += timedelta(seconds=late)
        self.request_meta["response_time"] += late * 1e3

    def raise_for_status(self) -> None:
        """CallError if there was no answer, or one with a status of 400 or more, or ``failure`` was said."""
        if isinstance(self._said, Exception):
            raise self._said
        if self._said is None and (failure := self.failed()):
            raise failure

    def success(self) -> None:
        """The answer was good, whatever its status."""
        self._require_block()
        self._said = True

    def failure(self, reason: object) -> None:
        """The answer was bad: a text, or an exception (a LeakError counts as a leak)."""
        self._require_block()
        self._said = reason if isinstance(reason, Exception) else CatchResponseError(reason)

    def failed(self) -> CallError | None:
        """What is wrong with it when nobody else decides."""
        if self.error is not None or self.ok:
            return self.error
        kind = {4: "http_4xx", 5: "http_5xx"}.get(self.status_code // 100, "status")
        begins = "" if self._pieces is not None else (self.text or "")[:200]
        return StatusError(f"{self.status_code}: {begins}", kind=kind)

    def settle(self, raised: Exception | None = None) -> None:
        """Enter it in the books, once."""
        if self.settled:
            return
        self.settled = True
        failure = self._said if self._said is not None else raised or self.failed()
        self._settle(self, failure if isinstance(failure, Exception) else None)

    def __enter__(self) -> Self:
        if not self._caught:
            raise LocustError(_NOT_CAUGHT)
        self.entered = True
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> bool:
        self.settle(error if isinstance(error, Exception) and not isinstance(error, _CONTROL) else None)
        self.close()
        return isinstance(error, ResponseError) and self._said is None

    def _require_block(self) -> None:
        if not self.entered:
            raise LocustError(_NOT_CAUGHT)
