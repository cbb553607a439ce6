"""One load test of plain Locust, from its start to its stop: what arrives, and the books.

Every class of users whose flows arrive has an engine of its own, since only its sessions can perform them.
One more engine only keeps the books of users that Locust paces itself (a closed model).
"""

import logging
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import gevent
from locust.user.markov_taskset import MarkovTaskSet
from locust.user.task import LOCUST_STATE_RUNNING, LOCUST_STATE_WAITING

from scenarios.errors import UnknownFlowError
from scenarios.load.arrivals import ALONE, Stripe
from scenarios.load.assembly import settle_memory
from scenarios.load.engine import Engine
from scenarios.load.face.headed import Headed
from scenarios.load.face.names import Names, slug
from scenarios.load.face.options import Options
from scenarios.load.operation import Flow, Operation, flows_of
from scenarios.load.plan import LoadPlan
from scenarios.load.recorder import MOST_OPERATIONS
from scenarios.load.sink import Sink
from scenarios.load.users import FlowUser

EXIT_USAGE = 2
READY_WITHIN_S = 60.0
LEAD_S = 0.3
_LOOK_S = 0.02
_FOREVER = float("inf")
logger = logging.getLogger("gameday")


@dataclass(slots=True, kw_only=True)
class Trial:
    """``named`` maps slugs to names as they are found, ``closed`` has the slugs of closed users.

    ``worker`` and ``stripe`` are this process's among several. ``tasks`` maps a user class and a flow's name
    to the Locust task it performs.
    """

    environment: Any
    options: Options
    run_id: str
    system: str
    sink: Sink
    stripe: Stripe = ALONE
    worker: str = ""
    named: dict[str, str] = field(default_factory=dict)
    closed: set[str] = field(default_factory=set)
    tasks: dict[tuple[str, str], Any] = field(default_factory=dict)
    ending: bool = False
    closed_books: bool = False
    names: Names = field(init=False)
    desk: Engine = field(init=False)
    _engines: dict[str, Engine] = field(default_factory=dict)
    _begun: bool = False

    def __post_init__(self) -> None:
        """Make the engines; the books of closed users are open from now on."""
        self.names = Names(found=self._found, most=MOST_OPERATIONS - 1)  # one stands for the rest
        if not self.options.rate and any(
            issubclass(each, FlowUser) for each in self.environment.user_classes
        ):
            raise UnknownFlowError("a scenario's flows arrive: --gameday-rate must be above 0")
        classes = [each for each in self.environment.user_classes if self.opens(each)]
        total = sum(each.weight for each in classes) or 1
        for each in classes:
            self._engines[each.__name__] = self._engine(each, rate=self.options.rate * each.weight / total)
        self.desk = Engine(
            plan=self._plan(rate=1.0), flows={}, operations={}, sink=Headed(self.sink),
            worker=self.worker or "users", schedule=iter(()),
        )  # fmt: skip
        self.desk.start(time.monotonic(), epoch=time.time())

    def opens(self, user: type) -> bool:
        """Whether this class's flows arrive on a schedule."""
        return issubclass(user, FlowUser) or (self.options.rate > 0 and getattr(user, "may_arrive", False))

    def engine_of(self, user: type) -> Engine:
        """The engine that drives users of this class, or keeps their books."""
        return self._engines.get(user.__name__, self.desk)

    def operation(self, engine: Engine, method: str, name: str) -> Operation:
        """The operation of this name, in the books of this engine; UnboundedNamesError for one too many."""
        found = self.names.operation(method, name)
        if found.slug not in engine.operations:
            engine.operations[found.slug] = found
            engine.recorder.learn(found)
            if engine is self.desk:
                self.closed.add(found.slug)
        return found

    def overflow(self, name: str) -> str:
        """The slug of the one operation that stands for all closed users' names beyond the bound."""
        rest = Operation(slug=slug("", name), method="", path=name)
        if rest.slug not in self.desk.operations:
            self.desk.operations[rest.slug] = rest
            self.desk.recorder.learn(rest)
            self.closed.add(rest.slug)
            self.named[rest.slug] = name
        return rest.slug

    def learn(self, engine: Engine, flow: Flow, first: str) -> None:
        """A flow's first request is known (its slug): what is dropped from now on counts as that."""
        if first and flow.operations != (first,):
            engine.flows[flow.name] = replace(flow, operations=(first,))

    def give_up(self, error: Exception) -> None:
        """The load cannot go on: say why, once, end it, and leave with exit code 2."""
        if self.environment.process_exit_code is None:
            self.environment.process_exit_code = EXIT_USAGE
            logger.error("%s", error)
            gevent.spawn(self.environment.runner.quit)

    def begin(self, epoch: float | None = None, shares: Mapping[str, Stripe | None] | None = None) -> None:
        """Let arrivals begin, once; at this moment of the wall clock if given, else as soon as may be.

        ``shares`` is this worker's part of each class's arrivals, None where it has no users of the class.
        """
        if self._begun:
            return
        self._begun = True
        if self._engines:
            settle_memory()
        epoch = time.time() + LEAD_S if epoch is None else epoch
        at = time.monotonic() + epoch - time.time()
        for name, engine in self._engines.items():
            share = self.stripe if shares is None else shares.get(name)
            if share is None:
                continue
            if engine.failed is not None:
                logger.error("%s", engine.failed)
            if not engine.sessions:
                logger.warning("no user of %s is ready: its arrivals will be dropped; raise -u", name)
            engine.stripe = share
            engine.start(at, epoch=epoch)

    def await_sessions(self) -> None:
        """Wait until the users Locust has spawned are ready (logged in), for a while."""
        deadline = time.monotonic() + READY_WITHIN_S
        spawned: Mapping[str, int] = self.environment.runner.user_classes_count
        while time.monotonic() < deadline and not self.ending:
            if all(
                engine.sessions >= spawned.get(name, 0) or engine.failed
                for name, engine in self._engines.items()
            ):
                return
            gevent.sleep(_LOOK_S)

    def drain(self) -> None:
        """No request begins any more; wait for the answers to those that are on their way."""
        self.ending = True
        engines = list(self._engines.values())
        for engine in engines:
            engine.stop()
        waits = [gevent.spawn(engine.run_out) for engine in engines if self._begun]
        deadline = time.monotonic() + self.options.timeout_s + 1.0
        while self.desk.waits and time.monotonic() < deadline:
            gevent.sleep(_LOOK_S)
        gevent.joinall(waits, raise_error=True)
        self._release()

    def close(self) -> None:
        """Write everything, once every user has stopped; UnrecordedError when that cannot be."""
        self.ending = self.closed_books = True
        for name, engine in self._engines.items():
            if engine.broken_flows:
                logger.error("%d flows of %s broke; the first one is above", engine.broken_flows, name)
        for engine in (*self._engines.values(), self.desk):
            engine.close()

    def _release(self) -> None:
        """Sessions at rest need none of the time that --stop-timeout gives to users at work."""
        for greenlet in self.environment.runner.user_greenlets:
            user = greenlet.args[0] if greenlet.args else None
            if isinstance(user, FlowUser) and user._state == LOCUST_STATE_RUNNING:  # noqa: SLF001
                user._state = LOCUST_STATE_WAITING  # noqa: SLF001 - as Locust marks who may be stopped at once

    def _found(self, operation: Operation) -> None:
        self.named[operation.slug] = operation.name

    def _plan(self, *, rate: float) -> LoadPlan:
        host = self.environment.host or ""
        return LoadPlan(
            run_id=self.run_id,
            system=self.system,
            urls={"api": host.rstrip("/")},
            allow_hosts=self.options.allow_hosts,
            rate=rate,
            for_s=_FOREVER,
            seed=self.options.seed,
            poisson=self.options.poisson,
            timeout_s=self.options.timeout_s,
            documents=self.options.documents,
        )

    def _engine(self, user: Any, *, rate: float) -> Engine:
        own = issubclass(user, FlowUser)
        flows, operations = self._declared(user) if own else self._arriving(user)
        self.named |= {each.slug: each.name for each in operations}
        self.names.know(operations)
        return Engine(
            plan=self._plan(rate=rate),
            flows=flows,
            operations={each.slug: each for each in operations},
            sink=Headed(self.sink),
            stripe=self.stripe,
            worker=f"{self.worker}/{user.__name__}" if self.worker else user.__name__,
        )

    def _declared(self, user: type[FlowUser]) -> tuple[dict[str, Flow], tuple[Operation, ...]]:
        """The flows of a scenario that Locust's tags have left."""
        tasks: list[Any] = vars(user)["tasks"]
        kept = {task.flow.name for task in tasks}
        flows = {name: flow for name, flow in flows_of(user).items() if name in kept}
        return flows, user.operations

    def _arriving(self, user: Any) -> tuple[dict[str, Flow], tuple[Operation, ...]]:
        """A flow for each of Locust's tasks that its tags have left, as heavy as the task.

        What it will ask for is not known beforehand: until its first request, an operation of its own stands
        for it.
        """
        flows = {}
        stand_ins = []
        for task, weight in Counter(user.tasks).items():
            if isinstance(task, type) and issubclass(task, MarkovTaskSet):
                raise UnknownFlowError(
                    f"{user.__name__}: {task.__name__} is a MarkovTaskSet, which walks on without an end, so"
                    " it cannot arrive; run it with --gameday-rate 0 (Locust's own pacing)"
                )
            name = task.__name__
            stand_in = Operation(slug=slug("TASK", f"{user.__name__}.{name}"), method="TASK", path=name)
            stand_ins.append(stand_in)
            flows[name] = Flow(
                name=name,
                weight=weight,
                operations=(stand_in.slug,),
                tags=tuple(sorted(getattr(task, "locust_tag_set", ()))),
            )
            self.tasks[user.__name__, name] = task
        return flows, tuple(stand_ins)
