"""One worker as its master sees it, and the words both use.

Worker to master: ``hello``, ``prepared``, ``opened``, ``time``, ``books``, ``final``, ``failed``.
Master to worker: ``manifest``, ``time``, ``begin``, ``stop``. Each is a custom message of Locust's.
"""

import subprocess
from dataclasses import dataclass, field

from scenarios.load.distributed.intake import Account

PROTOCOL = 1
PREFIX = "gameday_"
TO_MASTER = ("hello", "prepared", "opened", "time", "books", "final", "failed")
TO_WORKER = ("manifest", "time", "begin", "stop")


@dataclass(slots=True, kw_only=True)
class Member:
    """``id`` is Locust's client id, ``name`` the run's; ``process`` is set when it runs on this machine.

    ``lost`` says why it can no longer be counted on. ``done`` is the epoch second at which it had drained.
    """

    id: str
    name: str
    host: str
    pid: int
    process: subprocess.Popen[bytes] | None = None
    prepared: bool = False
    opened: bool = False
    rtt: float = 0.0
    done: float = 0.0
    ended: float = 0.0
    broken_flows: int = 0
    lost: str = ""
    account: Account = field(default_factory=Account)

    @property
    def title(self) -> str:
        """For messages: ``w2 (pid 4711 on alpha)``."""
        return f"{self.name} (pid {self.pid} on {self.host})"

    @property
    def settled(self) -> bool:
        """Whether nothing more is to be waited for."""
        return bool(self.done or self.lost)
