"""``python -m scenarios.load.drive RUN``: drive the load a run folder's manifest describes, then read back.

Writes counters.jsonl, latency.hlog, ledger.jsonl and its events into the folder and nothing on stdout; a
progress line every 10 s goes to stderr unless GAMEDAY_QUIET is set. With GAMEDAY_TIED set, the load ends when
the process that started it is gone. SIGINT or SIGTERM end the arrivals, let
what is in flight finish and skip the read-back; a second one does not wait. Exit 0, or 5 with the cause on
stderr.
"""

import gc
import logging
import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

import gevent
from locust.env import Environment

from scenarios.errors import CallError, ManifestError, PrepareError, ScenarioError
from scenarios.load import catalog, ledger
from scenarios.load import plan as plans
from scenarios.load.client import Client, Request
from scenarios.load.engine import Engine
from scenarios.load.locusts import attach
from scenarios.load.operation import only
from scenarios.load.sink import FolderSink
from scenarios.load.transport import Session
from scenarios.load.users import FlowUser

EXIT_OK, EXIT_BROKEN = 0, 5
OPEN_S = 60.0
AUDIT_PAGE = 1000
PARENT_LOOK_S = 0.5


def drive(folder: Path) -> None:
    """Drive the whole load; ScenarioError when it could not be."""
    plan = plans.read(folder)
    scenario = catalog.load(plan.system)
    if unknown := sorted(set(plan.mix) - scenario.flows.keys()):
        raise ManifestError(f"{folder}: load.mix names unknown flows {', '.join(unknown)}")
    flows = only(scenario.flows, plan.only)
    engine = Engine(
        plan=plan,
        flows=flows,
        operations=scenario.operations,
        sink=FolderSink(folder),
        quiet=bool(os.environ.get("GAMEDAY_QUIET")),
    )
    if not engine.allow.allows(urlsplit(plan.base_url).hostname or ""):
        raise ManifestError(
            f"{folder}: {plan.base_url} is not among allow_hosts {', '.join(plan.allow_hosts)}"
        )
    environment = Environment(
        user_classes=[scenario.user], host=plan.base_url, tags=list(plan.only) or None, stop_timeout=0
    )
    attach(environment, engine)
    for number in (signal.SIGINT, signal.SIGTERM):
        gevent.signal_handler(number, engine.stop)
    if os.environ.get("GAMEDAY_TIED"):
        gevent.spawn(_leave_with, os.getppid(), engine)
    runner = environment.create_local_runner()
    runner.start(plan.sessions, spawn_rate=plan.sessions)
    interrupted = True
    try:
        engine.await_sessions(plan.sessions, within_s=OPEN_S + plan.sessions / 50)
        if engine.stopped:
            return
        _settle_memory()
        engine.start()
        interrupted = engine.run_out()
    finally:
        runner.quit()
        engine.close()
    if not interrupted:
        _read_back(engine, scenario.user)
    if engine.broken_flows:
        raise ScenarioError(
            f"{engine.broken_flows} flows of {plan.system} broke; the first one is printed above"
        )


def _leave_with(parent: int, engine: Engine) -> None:
    """Stop, without waiting for answers, once the process that started this load is gone."""
    while os.getppid() == parent:
        gevent.sleep(PARENT_LOOK_S)
    engine.stop()
    engine.stop()


def _settle_memory() -> None:
    """Keep the collector from walking what start-up has left behind: its pauses would be start lag."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


def _read_back(engine: Engine, user: type[FlowUser]) -> None:
    written = [each for each in user.ledger_sets if engine.ledger.attempted.get(each.name)]
    if not written or user.audit_operation is None:
        return
    session = Session(engine.allow, timeout_s=max(30.0, engine.plan.timeout_s))
    client = Client(sender=session, base_url=engine.plan.base_url, run_id=engine.plan.run_id)
    operation = user.audit_operation

    def fetch(name: str, after: str | None) -> ledger.Page:
        query: dict[str, str | int] = {"run": engine.plan.run_id, "limit": AUDIT_PAGE}
        if after is not None:
            query["after"] = after
        page: ledger.Page = client.ask(Request(operation=operation, ids={"set": name}, query=query)).json
        return page

    try:
        _log_in(user, client)
    except CallError as error:
        lines = ledger.unread(written, reason=f"the auditor could not log in: {error}", now=time.time())
        engine.ledger.add(lines)
    else:
        reading = ledger.ReadBack(fetch=fetch, sleep=gevent.sleep)
        for each in written:
            engine.ledger.add(reading.run(each, engine.ledger.accepted.get(each.name, set())))
    engine.ledger.flush()
    session.close()


def _log_in(user: type[FlowUser], client: Client) -> None:
    deadline = time.monotonic() + ledger.Patience().retry_s
    while True:
        try:
            return user.audit(client)
        except CallError:
            if time.monotonic() > deadline:
                raise
        gevent.sleep(1.0)


def main(arguments: Sequence[str]) -> int:
    """Drive and say what went wrong; the exit code."""
    logging.basicConfig(level=logging.ERROR, stream=sys.stderr, format="%(name)s: %(message)s")
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m scenarios.load.drive RUN_FOLDER\n")
        return EXIT_BROKEN
    try:
        drive(Path(arguments[0]))
    except (ScenarioError, PrepareError, OSError) as error:
        sys.stderr.write(f"the load could not be driven: {error}\n")
        return EXIT_BROKEN
    return EXIT_OK


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
