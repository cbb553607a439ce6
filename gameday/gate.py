"""A game day as pytest items, one per objective: `pytest --gameday PLAN --env ENV`.

    pytest --gameday lexohub-local --env local -m fault    # only what is asked of the fault
    pytest --run-folder=runs/lexohub-local-...             # judge a run that is already there
    pytest tests -p gameday.gate --gameday nightly.toml    # beside a team's own tests, in their repository

The game day runs once, when the first selected item runs, also with xdist. An item passes only with the
verdict pass: no data, inconclusive and invalid fail it, and none passes in a run that was cut short or is
invalid. Objectives that only inform end as xfailed. The item `PLAN::run::verdict` holds whatever else no
objective says (fault unseen or not undone, too few passes). A run that broke ends the session with 5.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """The game day's options."""
    group = parser.getgroup("gameday", "game days as test items")
    group.addoption("--gameday", metavar="PLAN", help="run this plan and collect its objectives")
    group.addoption("--env", dest="gameday_env", default="local", metavar="ENV",
                    help="environment of the game day (default: local)")  # fmt: skip
    group.addoption(
        "--run-folder", type=Path, metavar="RUN", help="judge this run folder instead of a new run"
    )
    group.addoption("--runs", dest="gameday_out", type=Path, default=Path("runs"), metavar="DIR",
                    help="where the run's folder is made (default: runs)")  # fmt: skip


def pytest_configure(config: pytest.Config) -> None:
    """Register the marks; without paths on the command line, the game day is all there is to collect."""
    config.addinivalue_line("markers", "gameday: an objective of a game day; also marked by phase and kind")
    if not _asked(config):
        return
    from slo.kind import kinds  # noqa: PLC0415 - other sessions of pytest need none of it

    for name in ("steady", "fault", "recovered", "all", "run", *kinds()):
        config.addinivalue_line("markers", f"{name}: objectives of this phase or kind")
    if config.args_source is not pytest.Config.ArgsSource.ARGS:
        config.args[:] = []


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(
    session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Add the game day's items, before -k and -m choose."""
    if not _asked(config):
        return
    from gameday import gate_items  # noqa: PLC0415 - other sessions of pytest need none of it

    gate = config.stash[_GATE] = gate_items.Gate(config)
    items.extend(gate_items.collect(session, gate))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes(config: pytest.Config) -> None:
    """Before xdist's workers start: judge a run folder, here alone, or say what cannot be read."""
    if _asked(config):
        from gameday import gate_items  # noqa: PLC0415 - other sessions of pytest need none of it

        gate = config.stash[_GATE] = gate_items.Gate(config)
        gate_items.asked(gate)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """One of xdist's workers will run the game day: where it leaves word of it."""
    node.config.stash[_SESSION] = node.workerinput["testrunuid"]


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """The run's verdict with its exit code, which pytest has no room for, and where the report is."""
    gate = config.stash.get(_GATE, None)
    if gate is None:
        return
    from gameday import gate_items  # noqa: PLC0415 - other sessions of pytest need none of it
    from slo import verdict  # noqa: PLC0415

    folder = gate.folder or gate_items.left(config.stash.get(_SESSION, ""))
    if folder is not None:
        terminalreporter.write_line(f"gameday {gate_items.said(verdict.read(folder))}")
        terminalreporter.write_line(f"report {folder / 'report.html'}")


_GATE: pytest.StashKey[Any] = pytest.StashKey()
_SESSION: pytest.StashKey[str] = pytest.StashKey()


def _asked(config: pytest.Config) -> bool:
    return bool(config.getoption("gameday", None) or config.getoption("run_folder", None))
