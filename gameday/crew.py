"""How many processes drive the load, and where those on other machines find their master."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from fixtures import quantity
from fixtures.errors import ConfigError as QuantityError
from gameday.errors import ConfigError

LOOPBACK = "127.0.0.1"
PORT = 5557
WAIT = "60s"


@dataclass(frozen=True, slots=True, kw_only=True)
class Crew:
    """`local` worker processes on this machine and `remote` ones that join within `wait_s`."""

    local: int
    remote: int = 0
    bind: str = LOOPBACK
    port: int = 0
    wait_s: float = 60.0

    def manifest(self) -> dict[str, Any]:
        """What the manifest says of it."""
        return {"workers": self.local + self.remote, "distribution": asdict(self)}


def of(
    local: int | None, remote: int | None = None, bind: str | None = None, wait: str | None = None
) -> Crew | None:
    """The workers an invocation asks for; None for one process that drives the load alone.

    `bind` is HOST or HOST:PORT; workers on other machines need more than loopback.

    Raises:
        ConfigError: an option says nothing, or what nobody could join.
    """
    if (local or 1) == 1 and not remote:
        if bind or wait:
            raise ConfigError("--master-bind and --worker-wait are for --workers or --remote-workers")
        return None
    host, port = _address(bind) if bind else (LOOPBACK, PORT if remote else 0)
    try:
        wait_s = quantity.duration(wait or WAIT)
    except QuantityError as error:
        raise ConfigError(f"--worker-wait: {error.problem}") from error
    return Crew(local=local or 0, remote=remote or 0, bind=host, port=port, wait_s=wait_s)


def _address(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if text.startswith("[") and text.endswith("]"):
        host, colon, port = text, "", ""
    elif not colon:
        host, port = text, ""
    if not host or (colon and not (port.isdigit() and 0 < int(port) < 65536)):
        raise ConfigError(f"--master-bind: {text!r}; expected HOST or HOST:PORT, e.g. 10.0.0.5:5557")
    return host, int(port) if port else PORT
