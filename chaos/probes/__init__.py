"""Probes: one file per way of seeing a fault begin and end.

A file `<kind>.py` defines `REQUIRED` and `OPTIONAL` (keys of the experiment's `observe` beside `probe` and
`every_s`) and `make(options, env, region) -> Probe`. The file's stem is the kind; there is no other list.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from chaos.errors import GuardError, ProbeError
from chaos.local import LocalRegion
from chaos.sight import Phase
from fixtures.environment import Environment

Reading = Mapping[str, Any]


class Probe(Protocol):
    """One way of looking. `read` does the I/O, the other two are pure."""

    @property
    def slowest_s(self) -> float:
        """The least distance between two looks that the far side bears, in seconds (0: any)."""
        ...

    def read(self) -> Reading:
        """Look once. A target that does not answer is a reading, not an error.

        Raises:
            ProbeError: the probe itself cannot look (say, the region is gone).
        """
        ...

    def refusal(self, reading: Reading) -> str:
        """Why this reading cannot be the armed state; empty if it can. Readings go to JSON."""
        ...

    def compare(self, armed: Reading, reading: Reading) -> tuple[Phase, str]:
        """How a reading compares with the armed one, with a few words on it."""
        ...


class ProbeKind(Protocol):
    """What a probe file defines."""

    REQUIRED: frozenset[str]
    OPTIONAL: frozenset[str]

    def make(self, options: Mapping[str, Any], env: Environment, region: LocalRegion | None) -> Probe:
        """Build the probe from resolved options."""
        ...


def names() -> list[str]:
    """The kinds there are: this folder's files."""
    return sorted(path.stem for path in Path(__file__).parent.glob("[a-z]*.py"))


def kind(name: str) -> ProbeKind:
    """The file of one kind.

    Raises:
        ProbeError: there is no such file.
    """
    if name not in names():
        raise ProbeError(f"no probe {name!r}; expected one of {names()}")
    module: Any = importlib.import_module(f"chaos.probes.{name}")
    loaded: ProbeKind = module
    return loaded


def address(options: Mapping[str, Any], env: Environment) -> str:
    """The option `url` of a probe that looks by HTTP, once the environment allows its host.

    Raises:
        GuardError: the host is not on the environment's allow-list.
        ProbeError: it is no http URL.
    """
    url = str(options["url"])
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https"):
        raise ProbeError(f"probe url {url!r}; expected http:// or https:// (is the environment resolved?)")
    if parts.hostname not in env.allow_hosts:
        raise GuardError(
            f"probe url {url}: host {parts.hostname!r} is not in {env.path}'s {list(env.allow_hosts)}"
        )
    return url
