"""One measured operation: sent, answered or not, and entered in the books exactly once."""

import time
from dataclasses import dataclass

from scenarios.errors import CallError
from scenarios.load.answer import Answer
from scenarios.load.client import Check, Client, Request, judge, request_id
from scenarios.load.engine import Engine
from scenarios.load.ledger import Write, outcome_of, outcome_of_failure


@dataclass(slots=True, kw_only=True)
class Attempt:
    """``at`` is the intended start and ``done`` the moment of the answer, both on the monotonic clock."""

    engine: Engine
    client: Client
    request: Request
    at: float
    write: Write | None = None
    done: float = 0.0

    def run(self, check: Check | None) -> Answer:
        """The good answer, or CallError; a session that is ended meanwhile leaves a timeout behind."""
        engine, operation = self.engine, self.request.operation
        intended = engine.clock.epoch(self.at)
        engine.recorder.intended(operation.slug, intended)
        engine.recorder.sent(operation.slug, intended)
        begun = time.monotonic()
        outcome, answer, failure = "timeout", None, None
        engine.waiting += 1
        try:
            answer = self.client.exchange(self.request)
            self.done = time.monotonic()
            judge(operation, answer, check)
            outcome = "ok"
        except CallError as error:
            outcome, failure = error.kind, error
            raise
        except Exception:
            outcome = "protocol"
            raise
        finally:
            engine.waiting -= 1
            self.done = self.done or time.monotonic()
            self._record(outcome, begun, answer, failure)
        return answer

    def _record(self, outcome: str, begun: float, answer: Answer | None, failure: CallError | None) -> None:
        engine, slug = self.engine, self.request.operation.slug
        latency, intended = self.done - self.at, engine.clock.epoch(self.at)
        engine.recorder.resolve(slug, intended, outcome, latency=latency, service=self.done - begun)
        if outcome == "ok":
            engine.recorder.slowest(slug, latency, at=intended, request_id=request_id(answer))
        else:
            detail = str(failure) if failure else "not answered when the load ended"
            engine.recorder.exemplar(slug, outcome, at=intended, detail=detail, request_id=request_id(answer))
        if self.write is not None:
            self._enter(self.write, outcome, begun, answer, failure)
        engine.observe(self.request, latency, answer, failure)

    def _enter(
        self, write: Write, outcome: str, begun: float, answer: Answer | None, failure: CallError | None
    ) -> None:
        """The ledger asks what the system promised, not whether the answer was good."""
        promise = outcome_of(answer.status) if answer else outcome_of_failure(outcome)
        self.engine.ledger.end(
            write,
            self.request.operation.slug,
            outcome=promise,
            t_send=self.engine.clock.epoch(begun),
            t_ack=self.engine.clock.epoch(self.done),
            reason=str(failure)[:200] if failure else "",
        )
