"""The accounting of one operation, whoever performs it: due, sent, and resolved exactly once.

``attempt.py`` does it for HTTP; other kinds of users (WebSocket, stock Locust users) do it with ``measure``:

    with measure(engine, "subscribe", at=moment) as entry:
        entry.sent()
        ...
        entry.ok()
"""

import time
from types import TracebackType
from typing import Self

from scenarios.errors import CallError
from scenarios.load.answer import Answer
from scenarios.load.client import Request, request_id
from scenarios.load.engine import Engine, unobserved
from scenarios.load.ledger import Write, outcome_of, outcome_of_failure

UNANSWERED = "not answered when the load ended"


class Entry:
    """One operation in the books; a plain class with slots because one is made for every operation.

    ``at`` is the intended start, ``begun`` and ``done`` the moments of the send and of the end, all on the
    monotonic clock (0 while they have not come); made with ``begun`` it is on its way from the start. Several
    may be open at once; the first ``ok`` or ``bad`` counts.
    """

    __slots__ = ("_engine", "_epoch", "_slug", "_write", "at", "begun", "done")

    def __init__(
        self, engine: Engine, slug: str, at: float, write: Write | None, *, begun: float = 0.0
    ) -> None:
        self._engine = engine
        self._slug = slug
        self._write = write
        self.at = at
        self.done = 0.0
        self._epoch = epoch = at + engine.ahead
        self.begun = begun
        if begun:
            engine.waits[self] = begun
            engine.recorder.begun(slug, epoch)
        else:
            engine.recorder.intended(slug, epoch)

    def sent(self) -> None:
        """The operation is on its way."""
        engine = self._engine
        self.begun = engine.waits[self] = time.monotonic()
        engine.recorder.sent(self._slug, self._epoch)

    def ok(
        self,
        at: float | None = None,
        *,
        answer: Answer | None = None,
        promise: str = "",
        request: Request | None = None,
        request_id: str = "",
    ) -> None:
        """A good answer, complete ``at`` that moment (now).

        ``promise`` is what it says about the write: ok, refused or unknown; without it, what the answer's
        status says, or ok.
        """
        if self.done:
            return
        engine, slug = self._engine, self._slug
        self.done = done = time.monotonic() if at is None else at
        engine.waits.pop(self, None)
        latency = done - self.at
        recorder = engine.recorder
        recorder.resolve(slug, self._epoch, "ok", latency=latency, service=done - (self.begun or done))
        if latency > recorder.slow.get(slug, 0.0):
            recorder.slowest(slug, latency, at=self._epoch, request_id=request_id or _id_of(answer))
        if self._write is not None:
            self._enter(promise or (outcome_of(answer.status) if answer else "ok"), "")
        if engine.observe is not unobserved:
            engine.observe(request or self._request(), latency, answer, None)

    def bad(
        self,
        kind: str,
        detail: str,
        at: float | None = None,
        *,
        answer: Answer | None = None,
        error: Exception | None = None,
        promise: str = "",
        request: Request | None = None,
        request_id: str = "",
    ) -> None:
        """No good answer: ``kind`` is one of recorder.BAD_CLASSES.

        Without ``promise`` a write counts by the answer's status, without an answer by the kind, and as
        refused if it was never sent.
        """
        if self.done:
            return
        engine, slug = self._engine, self._slug
        self.done = done = time.monotonic() if at is None else at
        engine.waits.pop(self, None)
        latency = done - self.at
        if self.begun:
            engine.recorder.resolve(slug, self._epoch, kind, latency=latency, service=done - self.begun)
        else:
            engine.recorder.resolve(slug, self._epoch, kind)
        found = request_id or _id_of(answer)
        engine.recorder.exemplar(slug, kind, at=self._epoch, detail=detail, request_id=found)
        if self._write is not None:
            self._enter(promise or self._meaning(kind, answer), detail)
        if engine.observe is not unobserved:
            failure = error or CallError(detail, kind=kind)
            engine.observe(request or self._request(), latency, answer, failure)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if self.done:
            return
        if isinstance(error, CallError):
            self.bad(error.kind, str(error), error=error)
        elif isinstance(error, Exception):
            self.bad("protocol", f"{type(error).__name__}: {error}")
        else:
            self.bad("timeout", UNANSWERED)

    def _meaning(self, kind: str, answer: Answer | None) -> str:
        if answer is not None:
            return outcome_of(answer.status)
        return outcome_of_failure(kind) if self.begun else "refused"

    def _enter(self, promise: str, reason: str) -> None:
        """The ledger asks what the system promised, not whether the answer was good."""
        assert self._write is not None, "asked only for writes"
        ahead = self._engine.ahead
        self._engine.ledger.end(
            self._write,
            self._slug,
            outcome=promise,
            t_send=(self.begun or self.done) + ahead,
            t_ack=self.done + ahead,
            reason=reason[:200],
        )

    def _request(self) -> Request:
        return Request(operation=self._engine.operations[self._slug])


def measure(engine: Engine, slug: str, at: float, write: Write | None = None) -> Entry:
    """Enter an operation that is due at ``at`` (monotonic); resolve it with ``ok`` or ``bad``, or by a block.

    Leaving the block unresolved counts an error by its kind, and everything else as a timeout: an operation
    that nobody answered before the load ended.
    """
    return Entry(engine, slug, at, write)


def _id_of(answer: Answer | None) -> str:
    return request_id(answer) if answer is not None else ""
