"""An HTTP user as Locust's FastHttpUser, on this project's client, recorder and arrivals.

    from locust import events, tag, task
    from scenarios.load.face.http_user import HttpUser
    from scenarios.load.face.locusts import serve

    class Shop(HttpUser):
        @task(3)
        @tag("read")
        def look(self):
            self.client.get("/items/17", name="/items/{id}")

    serve(events)

``locust -f shop.py`` runs it as an ordinary closed user. With ``--gameday-rate 50`` its tasks arrive 50 times
a second in all, whatever the system does: weights and tags count, ``wait_time`` does not.
"""

import logging
import time
import traceback
from typing import Any, ClassVar

from gevent.event import Event
from locust import SequentialTaskSet, TaskSet, User
from locust.exception import (
    InterruptTaskSet,
    RescheduleTask,
    RescheduleTaskImmediately,
    StopTest,
    StopUser,
)
from locust.user.task import LOCUST_STATE_RUNNING, LOCUST_STATE_STOPPING, LOCUST_STATE_WAITING
from locust.user.users import RestMixin

from scenarios.errors import LoadEndedError
from scenarios.load.arrivals import Arrival
from scenarios.load.face.client import HttpClient
from scenarios.load.face.trial import Trial
from scenarios.load.http.session import Session
from scenarios.load.http.tls import Tls

logger = logging.getLogger("gameday")


class HttpUser(User, RestMixin):
    """Base of users with an HTTP ``client``.

    ``rest`` and ``rest_`` are Locust's own. ``default_headers`` go with every request, ``tls`` says which
    certificates to trust (the system's unless set). How long to wait: --gameday-timeout, or a request's own
    ``timeout=``.
    """

    abstract = True
    may_arrive: ClassVar[bool] = True
    _state: str | None
    default_headers: ClassVar[dict[str, str]] = {}
    tls: ClassVar[Tls | None] = None

    def __init__(self, environment: Any) -> None:
        super().__init__(environment)
        trial: Trial | None = getattr(environment, "gameday_trial", None)
        if trial is None:
            raise StopTest(
                "nothing records this user; write at the end of the locustfile: serve(events)"
                " (from locust import events; from scenarios.load.face.locusts import serve)"
            )
        if not self.host:
            raise StopTest("no host to send requests to; use --host, or set host in the user class")
        self.engine = trial.engine_of(type(self))
        self.trial = trial
        self.client = HttpClient(
            user=self,
            trial=trial,
            engine=self.engine,
            session=Session(self.engine.allow, timeout_s=trial.options.timeout_s, tls=self.tls),
            base_url=self.host.rstrip("/"),
            default_headers=self.default_headers,
        )
        if trial.opens(type(self)):
            self.tasks = [_serve]
            self._wake = Event()
            self._arrival: Arrival | None = None

    def arrive(self, arrival: Arrival) -> None:
        """Begin this task; called by the dispatcher."""
        self._arrival = arrival
        self._wake.set()

    def serve(self) -> None:
        """Perform arrivals until Locust stops the user."""
        self.engine.admit(self)
        try:
            while self._state != LOCUST_STATE_STOPPING:
                self._state = LOCUST_STATE_WAITING  # Locust may stop it at once
                self._wake.wait()
                self._wake.clear()
                self._state = LOCUST_STATE_RUNNING
                if self._arrival is not None:
                    self._perform(self._arrival)
                    self._arrival = None
                    self.engine.rest(self)
            raise StopUser
        finally:
            self.engine.dismiss(self)

    def _perform(self, arrival: Arrival) -> None:
        late = max(0.0, time.monotonic() - arrival.at)
        self.engine.vitals.lags.append(late)
        self.client.arrive(late)
        try:
            self._run(self.trial.tasks[type(self).__name__, arrival.flow.name])
        except (LoadEndedError, RescheduleTask, RescheduleTaskImmediately, InterruptTaskSet):
            pass
        except (StopUser, StopTest):
            raise
        except Exception as error:  # noqa: BLE001 - as Locust does: reported, and the user goes on
            self.environment.events.user_error.fire(
                user_instance=self, exception=error, tb=error.__traceback__
            )
            logger.error("%s\n%s", error, traceback.format_exc())  # noqa: TRY400 - Locust's own form
        finally:
            self.client.settle()
        self.trial.learn(self.engine, arrival.flow, self.client.first_slug)

    def _run(self, task: Any) -> None:
        """One arrival: a method once, one task of a TaskSet, a SequentialTaskSet from start to end."""
        if not (isinstance(task, type) and issubclass(task, TaskSet)):
            task(self)
            return
        tasks = task(self)
        tasks.on_start()
        try:
            for _ in range(len(tasks.tasks) if isinstance(tasks, SequentialTaskSet) else 1):
                tasks.execute_task(tasks.get_next_task())
        finally:
            tasks.on_stop()


def _serve(user: HttpUser) -> None:
    """The one Locust task such a user runs: its own tasks come from the dispatcher."""
    user.serve()
