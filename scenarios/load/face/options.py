"""Gameday's own options of the ``locust`` command: in its help, its web UI, its config file, the environment.

Locust's web UI and its master listen everywhere by default, the UI without a login and open to every web
page; with a locustfile of ours both listen on 127.0.0.1 unless ``--web-host`` or ``--master-bind-host`` (or
their LOCUST_ variables) say otherwise.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What was asked for: ``rate`` per second, 0 for Locust's own pacing; times in seconds."""

    rate: float
    poisson: bool
    seed: int
    timeout_s: float
    documents: int
    allow_hosts: tuple[str, ...]


def asked_system(default: str, arguments: Sequence[str] | None = None) -> str:
    """The system ``--gameday-system`` or GAMEDAY_SYSTEM name.

    The locustfile needs it before Locust parses its options: user classes are made by importing it.
    """
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--gameday-system", default=os.environ.get("GAMEDAY_SYSTEM", default))
    system: str = parser.parse_known_args(arguments or sys.argv[1:])[0].gameday_system
    return system


def add(parser: Any, *, rate: float, rate_help: str) -> None:
    """Add the options to Locust's parser; ``rate`` is the default one."""
    parser.set_defaults(web_host="127.0.0.1", master_bind_host="127.0.0.1")
    group = parser.add_argument_group("Gameday options")
    _show(group.add_argument("--gameday-rate", default=rate, help=rate_help, **_RATE))
    for name, settings in _SHOWN.items():
        _show(group.add_argument(name, **settings))
    for name, settings in _LOCAL.items():
        group.add_argument(name, **settings)


def _show(option: Any) -> None:
    """Offer it in the web UI: Locust only does so for options outside of any group."""
    option.include_in_web_ui = True
    option.is_secret = option.is_required = option.is_multiple = False


def local(parsed: Any) -> tuple[tuple[str, ...], Path | None]:
    """Allowed hosts and the place for run folders, as this process was started with them."""
    hosts = tuple(host.strip() for host in parsed.gameday_allow_hosts.split(",") if host.strip())
    folder = parsed.gameday_run_folder
    return (*LOOPBACK, *hosts), Path(folder) if folder else None


def read(parsed: Any, *, allow_hosts: tuple[str, ...]) -> Options:
    """The options of the test that starts now: the web UI may have changed some."""
    return Options(
        rate=parsed.gameday_rate,
        poisson=parsed.gameday_spacing == "poisson",
        seed=parsed.gameday_seed,
        timeout_s=parsed.gameday_timeout,
        documents=parsed.gameday_documents,
        allow_hosts=allow_hosts,
    )


def _from_zero(text: str) -> float:
    value = float(text)
    if not 0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r}: expected a number of arrivals per second, 0 or more")
    return value


def _above_zero(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r}: expected seconds, more than 0")
    return value


_RATE: dict[str, Any] = {"type": _from_zero, "env_var": "GAMEDAY_RATE", "metavar": "<per second>"}
_SHOWN: dict[str, dict[str, Any]] = {
    "--gameday-spacing": {
        "choices": ("even", "poisson"),
        "default": "even",
        "env_var": "GAMEDAY_SPACING",
        "help": "How arrivals follow one another",
    },
    "--gameday-seed": {
        "type": int,
        "default": 1,
        "env_var": "GAMEDAY_SEED",
        "metavar": "<int>",
        "help": "Seed of the order of flows and of Poisson arrivals",
    },
    "--gameday-timeout": {
        "type": _above_zero,
        "default": 10.0,
        "env_var": "GAMEDAY_TIMEOUT",
        "metavar": "<seconds>",
        "help": "How long to wait for an answer",
    },
    "--gameday-documents": {
        "type": int,
        "default": 20_000,
        "env_var": "GAMEDAY_DOCUMENTS",
        "metavar": "<int>",
        "help": "Size of the system's test data",
    },
}
# This machine's own business: nobody may change it through the web UI.
_LOCAL: dict[str, dict[str, Any]] = {
    "--gameday-system": {
        "env_var": "GAMEDAY_SYSTEM",
        "metavar": "<name>",
        "help": "Which file of scenarios/ to drive",
    },
    "--gameday-allow-hosts": {
        "default": "",
        "env_var": "GAMEDAY_ALLOW_HOSTS",
        "metavar": "<hosts>",
        "help": "Hosts, with commas between them, that requests may go to besides --host",
    },
    "--gameday-run-folder": {
        "env_var": "GAMEDAY_OUT",
        "metavar": "<folder>",
        "help": "Make a run folder in here, for gameday report",
    },
}
