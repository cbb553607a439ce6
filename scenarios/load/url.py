"""The traffic of one URL: a single request, encoded once and sent by every session.

The manifest's `load.request` says what: ``method``, ``url``, ``headers`` (a value ``env:NAME`` is taken from
this process's environment, so that no secret stands in a run folder), and the body.
"""

import os
import time
from dataclasses import replace
from typing import Any, ClassVar
from urllib.parse import urlsplit

from scenarios.errors import ManifestError
from scenarios.load import attempt
from scenarios.load.books import Entry
from scenarios.load.catalog import Scenario, of_user
from scenarios.load.client import Request
from scenarios.load.operation import Operation, flow
from scenarios.load.plan import LoadPlan, PlainRequest
from scenarios.load.users import FlowUser

SYSTEM = "url"
SLUG = "request"
GOOD = tuple(range(200, 400))
REFERENCE = "env:"


def scenario(plan: LoadPlan) -> Scenario:
    """One operation, ``request``, of which every flow is one; any status from 200 to 399 is good.

    ManifestError when the plan says no usable request.
    """
    asked = resolved(plan)
    path = urlsplit(asked.url).path or "/"
    one = Operation(slug=SLUG, method=asked.method, path=path, groups=("api",), expect=GOOD)

    request = Request(operation=one)

    class UrlUser(FlowUser):
        """A session that sends the request whenever an arrival is due."""

        operations = (one,)
        prepared: ClassVar[Any] = None

        def prepare(self) -> None:
            """Encode the request, once for all sessions."""
            if UrlUser.prepared is None:
                UrlUser.prepared = self.session.prepare(asked.method, asked.url, asked.headers, asked.body)

        @flow(weight=1, operations=(one,))
        def request(self) -> None:
            """Send it once: what ``call`` does, without what one request that never varies has no use for."""
            self._left[SLUG] -= 1
            entry = Entry(self.engine, SLUG, self._due(0.0), None, begun=time.monotonic())
            try:
                attempt.perform(entry, self.client, request, prepared=UrlUser.prepared)
            finally:
                self.free_at = entry.done
                if self.session.retries:
                    self.engine.retried += self.session.take_retries()

    return of_user(SYSTEM, UrlUser)


def resolved(plan: LoadPlan) -> PlainRequest:
    """The plan's request with its secrets and the run's marks; ManifestError when something is missing."""
    if plan.request is None:
        raise ManifestError("the plan has no load.request; expected at least its url")
    marks = {"X-Gameday-Run": plan.run_id, "User-Agent": f"gameday/1 ({plan.run_id})"}
    headers = {name: _value(value) for name, value in plan.request.headers.items()}
    return replace(plan.request, headers=marks | headers)


def _value(text: str) -> str:
    if not text.startswith(REFERENCE):
        return text
    name = text.removeprefix(REFERENCE)
    if name not in os.environ:
        raise ManifestError(
            f"a header of load.request is {text}, and there is no environment variable {name}; set it"
        )
    return os.environ[name]
