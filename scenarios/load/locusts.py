"""The few places where Locust and the engine meet."""

import os
import time
from typing import Any
from urllib.parse import urlsplit

from scenarios.load.answer import Answer
from scenarios.load.catalog import Scenario
from scenarios.load.client import Request
from scenarios.load.engine import Engine
from scenarios.load.operation import flows_of
from scenarios.load.plan import LoadPlan

FOREVER = float("inf")


def attach(environment: Any, engine: Engine) -> None:
    """Give the users their engine, and Locust's statistics every operation."""
    environment.gameday = engine

    def observe(request: Request, latency: float, answer: Answer | None, error: Exception | None) -> None:
        environment.events.request.fire(
            request_type=request.operation.method,
            name=request.operation.name.removeprefix(f"{request.operation.method} "),
            response_time=latency * 1e3,
            response_length=len(answer.body) if answer else 0,
            exception=error,
            context={},
            response=None,
        )

    engine.observe = observe


def serve_plain_locust(events: Any, scenario: Scenario) -> None:
    """Let ``locust -f locustfile.py`` drive a scenario: arrivals at GAMEDAY_RATE requests/s.

    Records nothing on disk. GAMEDAY_DOCUMENTS is the size of the data, GAMEDAY_ALLOW_HOSTS what may be
    connected to besides --host (loopback unless set).
    """

    @events.test_start.add_listener
    def begin(environment: Any, **_: Any) -> None:
        tasks: list[Any] = vars(scenario.user)["tasks"]  # what Locust's tags have left
        kept = {task.flow.name for task in tasks}
        flows = {name: flow for name, flow in flows_of(scenario.user).items() if name in kept}
        plan = _ad_hoc(scenario.system, environment.host or "")
        engine = Engine(plan=plan, flows=flows, operations=scenario.operations)
        attach(environment, engine)
        engine.start_when_ready()

    @events.test_stopping.add_listener
    def end(environment: Any, **_: Any) -> None:
        environment.gameday.stop()


def _ad_hoc(system: str, host: str) -> LoadPlan:
    allowed = os.environ.get("GAMEDAY_ALLOW_HOSTS", "127.0.0.1,localhost").split(",")
    return LoadPlan(
        run_id=time.strftime(f"{system.replace('_', '-')}-locust-%Y%m%dT%H%M%SZ", time.gmtime()),
        system=system,
        urls={"api": host.rstrip("/")},
        allow_hosts=(*allowed, urlsplit(host).hostname or ""),
        rate=float(os.environ.get("GAMEDAY_RATE", "20")),
        for_s=FOREVER,
        documents=int(os.environ.get("GAMEDAY_DOCUMENTS", "20000")),
    )
