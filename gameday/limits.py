"""Open files: how many a run needs in one process, and whether this machine allows them.

Every process of a run inherits the limit of the one that starts it, so it is looked at, and raised, before
anything is started.
"""

from __future__ import annotations

import math
import resource
from collections.abc import Mapping
from dataclasses import dataclass

from gameday.errors import ConfigError

SLACK = 256
PER_SESSION = 1.1  # its connection, and for some one more, to where an answer sends them
PER_SESSION_AT_THE_EDGE = 1.3  # Caddy: 9,000 to 13,000 for 10,000 sessions, measured
_COUNTS = {"sessions": "sessions", "users": "users", "partly-open": "users"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """Files that one process has open at once, and which process that is."""

    files: int
    who: str


def at_once(load: Mapping[str, object]) -> int:
    """How many connections a load can have open: `load` as the manifest has it."""
    count = load.get(_COUNTS.get(str(load.get("model")), "max_in_flight")) or load.get("max_in_flight")
    return int(str(count or 0))


def needed(connections: int, *, workers: int = 1, edge: bool = False) -> Need:
    """What the hungriest process of a run needs; `edge`: the local region's edge is among them."""
    each = math.ceil(connections / max(1, workers))
    traffic = Need(files=math.ceil(each * PER_SESSION) + SLACK, who="the traffic process")
    if not edge:
        return traffic
    region = Need(
        files=math.ceil(connections * PER_SESSION_AT_THE_EDGE) + SLACK, who="the local region's edge"
    )
    return max(traffic, region, key=lambda need: need.files)


def verdict(need: Need, connections: int, *, soft: int, hard: int) -> int | None:
    """The soft limit to set, or None when the present one will do; RLIM_INFINITY stands for no limit.

    Raises:
        ConfigError: even the hard limit is too low.
    """
    if soft == resource.RLIM_INFINITY or soft >= need.files:
        return None
    if hard == resource.RLIM_INFINITY:
        return need.files
    if hard >= need.files:
        return hard
    raise ConfigError(
        f"up to {connections} connections at once need {need.files} open files in {need.who}; at most {hard} "
        f"are allowed here (soft limit {soft}); raise it with `ulimit -n {need.files}` in a shell that may "
        "(root, or a hard nofile limit in /etc/security/limits.conf or LimitNOFILE= of the service), or ask "
        "for fewer sessions; nothing was sent"
    )


def ensure(connections: int, *, workers: int = 1, edge: bool = False) -> None:
    """Raise this process's soft limit, which its children inherit, if the run needs more.

    Raises:
        ConfigError: the run needs more open files than may be had.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    raised = verdict(needed(connections, workers=workers, edge=edge), connections, soft=soft, hard=hard)
    if raised is not None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (raised, hard))
