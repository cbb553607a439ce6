"""WebSockets for the flows of a scenario."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from scenarios.load.books import Entry, measure
from scenarios.load.ledger import Write
from scenarios.load.operation import Operation
from scenarios.load.users import FlowUser
from scenarios.load.websocket.session import Dialect, Manners, Pushes, WebSocket
from scenarios.load.websocket.tally import Tally, tally_of
from scenarios.load.websocket.wire import Target

GOING_AWAY = 1001


class WebSocketUser(FlowUser):
    """A session that also talks over WebSockets, which are closed with it.

    Make one with ``websocket`` in ``prepare``, open it there (not measured) or in a flow, use it in flows.
    """

    abstract = True
    tallied = False

    def on_start(self) -> None:
        """Locust has spawned the user."""
        self.sockets: list[WebSocket] = []
        super().on_start()

    def websocket(
        self,
        path: str,
        *,
        dialect: Dialect | None = None,
        manners: Manners | None = None,
        pushes: Pushes | None = None,
        token: str | None = None,
        **target: Any,
    ) -> WebSocket:
        """A conversation at ``path`` of the system itself, or at a ws(s):// URL; not connected yet.

        The run's marks go along, and to the system itself the session's bearer token as it is when
        connecting; ``token`` replaces it. ``target`` are further fields of Target: headers, origin,
        subprotocols, compress, connect_s, answer_s, message_bytes, fragments, tls.
        """
        own = "://" not in path
        base = urlsplit(self.plan.base_url)
        scheme = {"http": "ws", "https": "wss"}.get(base.scheme, base.scheme)
        url = f"{scheme}://{base.netloc}{base.path}{path}" if own else path
        headers = dict(target.pop("headers", {}))
        bounds = {"connect_s": self.plan.timeout_s, "answer_s": self.plan.timeout_s} | target

        def where() -> Target:
            marks = {
                "X-Gameday-Run": self.plan.run_id,
                "User-Agent": f"gameday/1 ({self.plan.run_id})",
            }
            bearer = token if token is not None else self.client.token if own else ""
            if bearer:
                marks["Authorization"] = f"Bearer {bearer}"
            return Target(url=url, headers=marks | headers, **bounds)

        made = WebSocket(
            where,
            allow=self.engine.allow,
            host=_Host(user=self, name=urlsplit(url).path, tally=tally_of(self.engine)),
            dialect=dialect,
            manners=manners or Manners(timeout_s=self.plan.timeout_s),
            pushes=pushes,
            seed=f"{self.plan.seed}:{self.index}:{url}",
        )
        self.sockets.append(made)
        return made

    def on_stop(self) -> None:
        """Locust ends the user: its sockets say that it goes away, and do not wait."""
        tally = tally_of(self.engine)
        while self.sockets:
            self.sockets.pop().close(GOING_AWAY, within_s=0)
            tally.open -= 1
        if tally.open <= 0:
            tally.flush()
        super().on_stop()

    @property
    def connected(self) -> bool:
        """Whether the session has an open connection of any kind."""
        return super().connected or any(each.connected for each in self.sockets)

    def message(self, set_: str) -> Write:
        """A new write of this session for the ledger; ``seq`` grows in the order in which they are made."""
        return self.engine.ledger.begin(set_, session=str(self.index))

    def turn(self, operation: Operation, think: float) -> float:
        """Wait until the flow's next operation is due; its intended moment (monotonic)."""
        at = self._due(think)
        self._left[operation.slug] -= 1
        return at

    def came_to(self, operation: Operation) -> None:
        """The flow has come to this nominal operation without a turn of its own."""
        self._left[operation.slug] -= 1

    def counts_from(self, at: float) -> None:
        """The flow's next operation is intended from this moment on."""
        self.free_at = at


@dataclass(slots=True, kw_only=True, eq=False)
class _Host:
    """Where a conversation and the session's flows meet, see feed.Host."""

    user: WebSocketUser
    name: str
    tally: Tally
    counts: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.tally.open += 1

    def due(self, operation: Operation, think: float) -> float:
        return self.user.turn(operation, think)

    def answered(self, at: float) -> None:
        self.user.counts_from(at)

    def enter(self, operation: Operation, at: float, write: Write | None = None) -> Entry:
        return measure(self.user.engine, operation.slug, at, write)

    def also(self, operation: Operation, at: float) -> Entry:
        self.user.came_to(operation)
        return measure(self.user.engine, operation.slug, at)

    def moment(self, epoch: float) -> float:
        clock = self.user.engine.clock
        return clock.mono + (epoch - clock.wall)

    def count(self, what: str, number: int, detail: str) -> None:
        self.counts[what] += number
        self.tally.count(self.name, str(self.user.index), what, number, detail)
