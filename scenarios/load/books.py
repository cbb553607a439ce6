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
from scenarios.load.client import Request
from scenarios.load.engine import Engine, unobserved
from scenarios.load.ledger import Write, outcome_of_failure

UNANSWERED = "not answered when the load ended"


class Entry:
    """One operation in the books; a mutable class of its own because it is made for every operation.

    ``at`` is the intended start, ``begun`` and ``done`` the moments of the send and of the end, all on the
    monotonic clock (0 while they have not come).
    """

    __slots__ = ("_engine", "_epoch", "_slug", "_write", "at", "begun", "done")

    def __init__(self, engine: Engine, slug: str, at: float, write: Write | None) -> None:
        self._engine, self._slug, self._write = engine, slug, write
        self.at, self.begun, self.done = at, 0.0, 0.0
        self._epoch = engine.clock.epoch(at)
        engine.recorder.intended(slug, self._epoch)

    def sent(self) -> None:
        """The operation is on its way."""
        self.begun = time.monotonic()
        self._engine.waiting += 1
        self._engine.recorder.sent(self._slug, self._epoch)

    def ok(self, *, request_id: str = "", promise: str = "ok") -> None:
        """A good answer; ``promise`` is what it says about the write: ok, refused or unknown."""
        latency = self._end()
        recorder = self._engine.recorder
        recorder.resolve(self._slug, self._epoch, "ok", latency=latency, service=self.done - self.begun)
        recorder.slowest(self._slug, latency, at=self._epoch, request_id=request_id)
        self._enter(promise)
        self._tell(latency, None)

    def bad(self, kind: str, detail: str, *, request_id: str = "", promise: str = "") -> None:
        """No good answer: ``kind`` is one of recorder.BAD_CLASSES.

        Without ``promise`` a write counts as refused if it was never sent, else as what the kind means.
        """
        if not self.begun:
            self.done = self.done or time.monotonic()
            self._engine.recorder.resolve(self._slug, self._epoch, kind)
            latency = self.done - self.at
        else:
            latency = self._end()
            service = self.done - self.begun
            self._engine.recorder.resolve(self._slug, self._epoch, kind, latency=latency, service=service)
        self._engine.recorder.exemplar(self._slug, kind, at=self._epoch, detail=detail, request_id=request_id)
        self._enter(promise or (outcome_of_failure(kind) if self.begun else "refused"), detail)
        self._tell(latency, CallError(detail, kind=kind))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if self.done:
            return
        if isinstance(error, CallError):
            self.bad(error.kind, str(error))
        elif isinstance(error, Exception):
            self.bad("protocol", f"{type(error).__name__}: {error}")
        else:
            self.bad("timeout", UNANSWERED)

    def _end(self) -> float:
        """The operation is over; its latency from the intended start."""
        self.done = time.monotonic()
        self._engine.waiting -= 1
        return self.done - self.at

    def _enter(self, promise: str, reason: str = "") -> None:
        if self._write is not None:
            epoch = self._engine.clock.epoch
            self._engine.ledger.end(
                self._write,
                self._slug,
                outcome=promise,
                t_send=epoch(self.begun or self.done),
                t_ack=epoch(self.done),
                reason=reason[:200],
            )

    def _tell(self, latency: float, error: CallError | None) -> None:
        if self._engine.observe is not unobserved:
            request = Request(operation=self._engine.operations[self._slug])
            self._engine.observe(request, latency, None, error)


def measure(engine: Engine, slug: str, at: float, write: Write | None = None) -> Entry:
    """Enter an operation that is due at ``at`` (monotonic); resolve it with ``ok`` or ``bad``, or by a block.

    Leaving the block unresolved counts an error by its kind, and everything else as a timeout: an operation
    that nobody answered before the load ended.
    """
    return Entry(engine, slug, at, write)
