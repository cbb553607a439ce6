"""Locust's master and workers: which share is whose, when to begin, what was recorded.

All of it travels in Locust's own custom messages. The master names the workers (their order is the stripe of
the schedule each performs), says when arrivals begin and waits, before anybody is stopped, for the answers
that are on their way. Moments are wall-clock times: workers on other machines need synchronised clocks.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import gevent

from scenarios.load.arrivals import Stripe
from scenarios.load.face.account import Account

CREW, BEGIN, STOP, LINES, DONE = (f"gameday_{word}" for word in ("crew", "begin", "stop", "lines", "done"))
LEAD_S = 1.0
READY_WITHIN_S = 20.0
_LOOK_S = 0.05


@dataclass(slots=True)
class Lead:
    """The master's side of one test."""

    runner: Any
    account: Account
    crew: list[str] = field(default_factory=list)
    done: set[str] = field(default_factory=set)
    begun: bool = False

    def gather(self) -> None:
        """Tell every connected worker which place in the crew is its own."""
        self.crew = [worker.id for worker in self.runner.clients.all]
        self.runner.send_message(CREW, {"crew": self.crew})

    def begin(self) -> None:
        """Say when arrivals begin: soon, at the same moment everywhere, and who has users of which class.

        Not before the workers have said that their users are there: Locust itself waits for a second only.
        """
        if self.begun:
            return
        self.begun = True
        deadline = time.monotonic() + READY_WITHIN_S
        while self.runner.user_count < self.runner.target_user_count and time.monotonic() < deadline:
            gevent.sleep(_LOOK_S)
        has = {worker: self.runner.clients[worker].user_classes_count for worker in self._present()}
        names = {name for counts in has.values() for name in counts}
        crews = {name: [worker for worker, counts in has.items() if counts.get(name)] for name in names}
        self.runner.send_message(BEGIN, {"at": time.time() + LEAD_S, "crews": crews})

    def _present(self) -> list[str]:
        return [worker for worker in self.crew if worker in self.runner.clients]

    def drain(self, within_s: float) -> None:
        """Let no further request begin, and wait until every worker has its answers and has told them.

        It must be now: once Locust has told the workers to quit, it listens for half a second at most.
        """
        self.runner.send_message(STOP, None)
        deadline = time.monotonic() + within_s
        while self.runner.worker_count and time.monotonic() < deadline:
            if self.done.issuperset(self.crew):
                return
            gevent.sleep(_LOOK_S)

    def close(self) -> None:
        """Say so when a worker has not told everything."""
        missing = len(set(self.crew) - self.done)
        if missing:
            self.account.reason = f"{missing} of {len(self.crew)} workers did not report to the end"

    def heard(self, kind: str, worker: str, data: dict[str, Any] | None) -> None:
        """A message from a worker."""
        if kind == LINES and data is not None:
            self.account.take(data)
        elif kind == DONE:
            self.done.add(worker)


@dataclass(slots=True)
class Wire:
    """A worker's sink: sends lines to the master, with the names that are new."""

    runner: Any
    named: Mapping[str, str]
    closed: set[str]
    _told: set[str] = field(default_factory=set)

    def append(self, name: str, text: str) -> None:
        """Send at once; nothing for nothing."""
        if not text:
            return
        fresh = [slug for slug in self.named if slug not in self._told]
        self._told.update(fresh)
        news = {slug: self.named[slug] for slug in fresh}
        closed = [slug for slug in self.closed if slug in news]
        self.runner.send_message(LINES, {"name": name, "text": text, "named": news, "closed": closed})


def stripe_of(runner: Any, crew: list[str]) -> Stripe | None:
    """This worker's share; None for one that came too late for this test."""
    if runner.client_id not in crew:
        return None
    return Stripe(index=crew.index(runner.client_id), of=len(crew))
