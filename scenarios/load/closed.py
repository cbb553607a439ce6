"""Closed models: users who wait for an answer, and think, before they ask again.

A system that stops answering stops being asked, so such a load hides most of an outage; it explores, and runs
that are judged on it are marked. The intended start of a flow is the moment at which its user was ready for
it. Evenly spaced, everybody thinks for the same time; with "poisson" spacing the time is exponential.
"""

import random
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Protocol

import gevent

from scenarios.load import arrivals
from scenarios.load.arrivals import Arrival, Stripe
from scenarios.load.operation import Flow
from scenarios.load.plan import LoadPlan


class Thinker(Protocol):
    """A session that decides itself when to go on: ``free_at`` is its last answer's moment, monotonic."""

    index: int

    @property
    def random(self) -> random.Random:
        """The session's own random numbers."""

    @property
    def free_at(self) -> float:
        """When its last flow was over; 0 before the first."""


class Clockwork(Protocol):
    """What a model needs of the engine."""

    plan: LoadPlan
    stripe: Stripe
    flows: dict[str, Flow]
    begin: float

    @property
    def weights(self) -> Mapping[str, float]:
        """How often each flow comes, relative to the others."""

    @property
    def ended(self) -> bool:
        """Whether the load's time is over."""

    def await_begin(self) -> None:
        """Wait until the load begins."""

    def pause(self, seconds: float) -> None:
        """Wait, at most until the load ends."""


class Users:
    """``users``: each user thinks, asks, waits for the answer, and thinks again.

    They begin one after the other within the ramp or the think time, whichever is longer: users who all began
    together would go on asking together.
    """

    def __init__(self, engine: Clockwork) -> None:
        self._engine = engine
        seed = engine.plan.seed + engine.stripe.index
        self._names = arrivals.choices(engine.weights, seed=seed)

    def next(self, session: Thinker) -> Arrival:
        """The session's next flow, once its user is ready for it; never returns once the load has ended."""
        engine = self._engine
        if session.free_at:
            ready = session.free_at + think_time(engine.plan, session)
        else:
            engine.await_begin()
            ready = engine.begin + self._offset(session)
        engine.pause(ready - time.monotonic())
        if engine.ended:
            rest_for_ever()
        return Arrival(engine.flows[next(self._names)], ready)

    def _offset(self, session: Thinker) -> float:
        plan, stripe = self._engine.plan, self._engine.stripe
        everybody = max(1, plan.sessions * stripe.of)
        return max(plan.ramp_s, plan.think_s) * (session.index % everybody) / everybody


class Visits:
    """``partly-open``: visits arrive on the schedule, and go on with probability ``stay`` after each flow.

    After Schroeder, Wierman and Harchol-Balter, "Open Versus Closed: A Cautionary Tale", NSDI 2006. ``wait``
    lets the session rest until a visit begins.
    """

    def __init__(self, engine: Clockwork, wait: Callable[[Thinker], Arrival]) -> None:
        self._engine = engine
        self._wait = wait
        seed = f"{engine.plan.seed}:visits:{engine.stripe.index}"
        self._names: Iterator[str] = arrivals.choices(engine.weights, seed=seed)
        self._visiting: set[int] = set()

    def next(self, session: Thinker) -> Arrival:
        """The next flow of the session's visit, or the first of the next visit."""
        engine = self._engine
        stays = session.random.random() < engine.plan.stay
        if stays and session.index in self._visiting and not engine.ended:
            ready = session.free_at + think_time(engine.plan, session)
            engine.pause(ready - time.monotonic())
            if not engine.ended:
                return Arrival(engine.flows[next(self._names)], ready)
        self._visiting.discard(session.index)
        arrival = self._wait(session)
        self._visiting.add(session.index)
        return arrival


def think_time(plan: LoadPlan, session: Thinker) -> float:
    """How long this user thinks now, seconds."""
    if plan.poisson and plan.think_s > 0:
        return session.random.expovariate(1 / plan.think_s)
    return plan.think_s


def rest_for_ever() -> None:
    """Wait to be ended."""
    gevent.get_hub().switch()
