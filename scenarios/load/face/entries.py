"""A finished request in the books, all at once: due, sent and resolved."""

from scenarios.load.answer import Answer
from scenarios.load.client import request_id
from scenarios.load.engine import Engine


def enter(
    engine: Engine,
    slug: str,
    kind: str,
    *,
    at: float,
    latency: float,
    service: float,
    detail: str = "",
    answer: Answer | None = None,
) -> None:
    """``kind`` is "ok" or a bad class; ``at`` epoch seconds of the intended start, times in seconds.

    What was due before the load began (a log in while users were spawned) is no part of it.
    """
    if at < engine.begin + engine.ahead:
        return
    recorder = engine.recorder
    recorder.intended(slug, at)
    recorder.sent(slug, at)
    recorder.resolve(slug, at, kind, latency=latency, service=service)
    if kind != "ok":
        recorder.exemplar(slug, kind, at=at, detail=detail, request_id=request_id(answer))
    elif latency > recorder.slow.get(slug, 0.0):
        recorder.slowest(slug, latency, at=at, request_id=request_id(answer))
