"""Reads the written sets back once the load is over, as the auditor of the system."""

import time

import gevent

from scenarios.errors import CallError
from scenarios.load import audit
from scenarios.load.answer import AllowList
from scenarios.load.client import Client, Request
from scenarios.load.http.session import Session
from scenarios.load.ledger import Ledger
from scenarios.load.plan import LoadPlan
from scenarios.load.users import FlowUser

PAGE = 1000
LEAST_TIMEOUT_S = 30.0


def read_back(plan: LoadPlan, user: type[FlowUser], books: Ledger) -> None:
    """Add what is found of every set that was written to; nothing for a user without an audit."""
    written = [each for each in user.ledger_sets if books.attempted.get(each.name)]
    if not written or user.audit_operation is None:
        return
    session = Session(AllowList(plan.allow_hosts), timeout_s=max(LEAST_TIMEOUT_S, plan.timeout_s))
    client = Client(sender=session, base_url=plan.base_url, run_id=plan.run_id)
    operation = user.audit_operation

    def fetch(name: str, after: str | None) -> audit.Page:
        query: dict[str, str | int] = {"run": plan.run_id, "limit": PAGE}
        if after is not None:
            query["after"] = after
        page: audit.Page = client.ask(Request(operation=operation, ids={"set": name}, query=query)).json
        return page

    try:
        _log_in(user, client)
    except CallError as error:
        lines = audit.unread(written, reason=f"the auditor could not log in: {error}", now=time.time())
        books.add(lines)
    else:
        reading = audit.ReadBack(fetch=fetch, sleep=gevent.sleep)
        for each in written:
            books.add(reading.run(each, books.accepted.get(each.name, set())))
    books.flush()
    session.close()


def _log_in(user: type[FlowUser], client: Client) -> None:
    deadline = time.monotonic() + audit.Patience().retry_s
    while True:
        try:
            return user.audit(client)
        except CallError:
            if time.monotonic() > deadline:
                raise
        gevent.sleep(1.0)
