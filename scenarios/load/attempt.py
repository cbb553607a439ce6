"""One measured HTTP operation: sent, answered or not, and entered in the books exactly once."""

import time
from typing import Any

from scenarios.errors import CallError
from scenarios.load.answer import Answer
from scenarios.load.books import UNANSWERED, Entry
from scenarios.load.client import Check, Client, Request, judge


def perform(
    entry: Entry, client: Client, request: Request, check: Check | None = None, prepared: Any = None
) -> Answer:
    """The good answer, or CallError; a session that is ended meanwhile leaves a timeout behind.

    ``entry`` has begun.

    ``prepared`` is the request already encoded (by ``client.prepare``), if it was.
    """
    answer = None
    try:
        answer = client.exchange(request) if prepared is None else client.sender.perform(prepared)
        done = time.monotonic()
        if check is not None or answer.status not in request.operation.expect:
            judge(request.operation, answer, check)
    except CallError as error:
        at = None if answer is None else done
        entry.bad(error.kind, str(error), at, answer=answer, error=error, request=request)
        raise
    except Exception as error:
        entry.bad("protocol", f"{type(error).__name__}: {error}", answer=answer, request=request)
        raise
    except BaseException:
        entry.bad("timeout", UNANSWERED, request=request)
        raise
    entry.ok(done, answer=answer, request=request)
    return answer
