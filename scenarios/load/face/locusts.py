"""Where plain ``locust`` and the engine meet: one call at the end of a locustfile.

    serve(events)             records every user of the locustfile; HttpUser's tasks arrive at --gameday-rate
    serve(events, scenario)   the same, and the scenario's flows arrive

Alone, a process drives and records. Among several, the master tells the workers which share is theirs and
when to begin, and adds up the lines they record: exact counts and histograms, nothing averaged.
"""

import logging
import re
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import gevent
from locust.exception import StopTest
from locust.runners import MasterRunner, WorkerRunner

from scenarios.errors import ScenarioError
from scenarios.load.answer import Answer
from scenarios.load.arrivals import ALONE, Stripe
from scenarios.load.catalog import Scenario
from scenarios.load.client import Request
from scenarios.load.engine import Engine
from scenarios.load.face import crew, folder, options, stock
from scenarios.load.face.account import Account
from scenarios.load.face.trial import Trial
from scenarios.load.sink import NullSink, Sink
from scenarios.load.users import FlowUser

SCENARIO_RATE = 20.0
DRAIN_EXTRA_S = 3.0
EXIT_USAGE, EXIT_BROKEN = 2, 5
_SCENARIO_HELP = "Requests per second of the scenario's flows, whatever the number of users (sessions)"
_TASKS_HELP = "Tasks of HttpUser classes that arrive per second; 0: Locust paces them (a closed model)"
logger = logging.getLogger("gameday")
console = logging.getLogger("locust.stats_logger")  # where Locust prints its own tables


def serve(events: Any, scenario: Scenario | None = None) -> None:
    """Let this locustfile's users be driven and recorded by the engine; call it once."""
    face = Face(scenario)
    events.init_command_line_parser.add_listener(face.command_line)
    events.init.add_listener(face.init)
    events.test_start.add_listener(face.test_start)
    events.spawning_complete.add_listener(face.spawning_complete)
    events.test_stopping.add_listener(face.test_stopping)
    events.test_stop.add_listener(face.test_stop)
    events.request.add_listener(face.request)
    events.quit.add_listener(face.quit)


def tell_locust(environment: Any, engine: Engine) -> None:
    """Give Locust's statistics every operation of a scenario; times from the intended start."""

    def observe(request: Request, latency: float, answer: Answer | None, error: Exception | None) -> None:
        environment.events.request.fire(
            request_type=request.operation.method,
            name=request.operation.name.removeprefix(f"{request.operation.method} "),
            response_time=latency * 1e3,
            response_length=len(answer.body) if answer else 0,
            exception=error,
            context=stock.OURS,
            response=answer,
        )

    engine.observe = observe


class Face:
    """Listens to Locust's events; a test at a time."""

    def __init__(self, scenario: Scenario | None) -> None:
        self.scenario = scenario
        self.environment: Any = None
        self.hosts: tuple[str, ...] = ()
        self.folders: Any = None
        self.trial: Trial | None = None
        self.account: Account | None = None
        self.lead: crew.Lead | None = None
        self.crew: list[str] = []
        self.closing: gevent.Greenlet | None = None

    def command_line(self, parser: Any) -> None:
        """Locust is about to read its options."""
        if self.scenario is not None:
            options.add(parser, rate=SCENARIO_RATE, rate_help=_SCENARIO_HELP)
        else:
            options.add(parser, rate=0.0, rate_help=_TASKS_HELP)

    def init(self, environment: Any, runner: Any, web_ui: Any = None, **_: Any) -> None:
        """Locust is ready. What this machine alone decides is settled here: the web UI cannot change it."""
        gevent.get_hub().loop.update_now()  # else --run-time would count from before the imports
        self.environment = environment
        allowed, self.folders = options.local(environment.parsed_options)
        named = [environment.host, *(user.host for user in environment.user_classes)]
        self.hosts = (*allowed, *(host for url in named if url and (host := urlsplit(url).hostname)))
        if isinstance(runner, MasterRunner):
            for kind in (crew.LINES, crew.DONE):
                runner.register_message(kind, self._heard)
        elif isinstance(runner, WorkerRunner):
            runner.register_message(crew.CREW, self._joined)
            runner.register_message(crew.BEGIN, self._told_to_begin)
            runner.register_message(crew.STOP, self._told_to_stop, concurrent=True)
            # added after the runner's own, so it is told before: the master forgets a worker that has quit
            environment.events.quitting.add_listener(self._told_to_stop)
        if web_ui is not None:
            web_ui.app.add_url_rule("/gameday", "gameday", self._page)

    def test_start(self, environment: Any, **_: Any) -> None:
        """A test starts here, or on the workers of this master; not one that cannot be driven."""
        self._tell()
        try:
            self._start(environment)
        except (ScenarioError, OSError) as error:
            environment.process_exit_code = EXIT_USAGE
            raise StopTest(str(error)) from error

    def spawning_complete(self, **_: Any) -> None:
        """All users have been spawned."""
        if self.lead is not None:
            gevent.spawn(self.lead.begin)
        elif self.account is not None and self.trial is not None:
            gevent.spawn(_begin_when_ready, self.trial)

    def test_stopping(self, environment: Any, **_: Any) -> None:
        """The test is about to be stopped: let what is on its way come back first."""
        if self.trial is not None:
            self.trial.drain()
        elif self.lead is not None:
            self.lead.drain(environment.parsed_options.gameday_timeout + DRAIN_EXTRA_S)
        if self.account is not None:
            self.account.end()

    def test_stop(self, **_: Any) -> None:
        """Every user has stopped."""
        if self.trial is not None:  # a master still waits for its workers' last lines
            self.closing = gevent.spawn(self._close, self.trial)
            if gevent.getcurrent() not in self.environment.runner.user_greenlets:
                self.closing.join()  # a user that has called runner.quit() would be killed in it

    def request(self, **told: Any) -> None:
        """Somebody has finished a request."""
        if self.trial is not None and not stock.is_ours(told.get("response"), told.get("context")):
            stock.record(self.trial, **told)

    def quit(self, **_: Any) -> None:
        """Locust has printed its own tables."""
        self._tell()

    def _start(self, environment: Any) -> None:
        asked = options.read(environment.parsed_options, allow_hosts=self.hosts)
        system = self._system()
        run_id = time.strftime(f"{system.replace('_', '-')}-locust-%Y%m%dT%H%M%SZ", time.gmtime())
        runner = environment.runner
        if isinstance(runner, WorkerRunner):
            stripe = crew.stripe_of(runner, self.crew)
            self.account = None
            account = Account(folder=None)
            sink: Sink = crew.Wire(runner, account.named, account.closed)
            if stripe is None:
                logger.warning("this worker came after the test had started: what it does is not recorded")
                sink = NullSink()
            self._try(asked, run_id, account, sink, stripe or ALONE)
            return
        account = self.account = Account(folder=self._folder(environment, asked, run_id, system))
        if account.folder is not None:
            run_id = account.folder.path.name
        if isinstance(runner, MasterRunner):
            self.lead = crew.Lead(runner, account)
            self.lead.gather()
        else:
            self._try(asked, run_id, account, account.sink, ALONE)

    def _try(self, asked: options.Options, run_id: str, account: Account, sink: Sink, stripe: Stripe) -> None:
        environment = self.environment
        trial = self.trial = environment.gameday_trial = Trial(
            environment=environment,
            options=asked,
            run_id=run_id,
            system=self._system(),
            sink=sink,
            stripe=stripe,
            worker="" if self.account is account else f"{stripe.index}",
            named=account.named,
            closed=account.closed,
        )
        for user in environment.user_classes:
            if issubclass(user, FlowUser):
                environment.gameday = trial.engine_of(user)
                tell_locust(environment, environment.gameday)

    def _folder(
        self, environment: Any, asked: options.Options, run_id: str, system: str
    ) -> folder.Folder | None:
        if self.folders is None:
            return None
        load = {
            "rate": asked.rate,
            "seed": asked.seed,
            "spacing": "poisson" if asked.poisson else "even",
            "timeout_s": asked.timeout_s,
            "max_in_flight": environment.parsed_options.num_users or 1,
        }
        return folder.create(self.folders, run_id, system=system, url=environment.host or "", load=load)

    def _system(self) -> str:
        """What the test is called: the scenario's system, or the locustfile."""
        file = re.sub(r"[^a-z0-9]+", "_", Path(self.environment.locustfile or "locust").stem.lower())
        return self.scenario.system if self.scenario else file

    def _close(self, trial: Trial) -> None:
        if trial.closed_books:
            return
        try:
            trial.close()
        except ScenarioError as error:
            logger.error("%s", error)  # noqa: TRY400 - the message says it all
            self.environment.process_exit_code = EXIT_BROKEN
        if self.account is None:
            self.environment.runner.send_message(crew.DONE)
        else:
            self.account.close()

    def _tell(self) -> None:
        """Print the summary of the last test, once."""
        if self.closing is not None:
            self.closing.get()
        account = self.account
        if account is None or account.told:
            return
        account.told = True
        if self.lead is not None:
            self.lead.close()
            account.close()
        console.info("%s\n", account.text())

    def _page(self) -> tuple[str, int, dict[str, str]]:
        text = self.account.text() if self.account else "Gameday: no test yet"
        return text + "\n", 200, {"Content-Type": "text/plain; charset=utf-8"}

    def _heard(self, msg: Any, **_: Any) -> None:
        if self.lead is not None:
            self.lead.heard(msg.type, msg.node_id, msg.data)

    def _joined(self, msg: Any, **_: Any) -> None:
        self.crew = msg.data["crew"]

    def _told_to_begin(self, msg: Any, **_: Any) -> None:
        if self.trial is not None:
            runner = self.environment.runner
            shares = {name: crew.stripe_of(runner, workers) for name, workers in msg.data["crews"].items()}
            self.trial.begin(msg.data["at"], shares)

    def _told_to_stop(self, **_: Any) -> None:
        if self.trial is not None and not self.trial.closed_books:
            self.trial.drain()
            self._close(self.trial)


def _begin_when_ready(trial: Trial) -> None:
    trial.await_sessions()
    if not trial.ending:
        trial.begin()
