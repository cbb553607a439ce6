"""LexoHub in one process without a database: the API the scenario speaks, on port 0, with faults at will."""

import asyncio
import json
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from fixtures.data import lexohub as data

DOCUMENTS = 2000
Reply = tuple[int, bytes, dict[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A request, taken apart: `path` without /api and its first word."""

    me: str
    method: str
    path: list[str]
    query: dict[str, str]
    body: Any
    key: str


@dataclass
class StandIn:
    """State and faults; `lies`: leak, stale, wrong-pdf, lost-invoice, twice, stuck-pdf, old-counts."""

    lies: set[str] = field(default_factory=set)
    port: int = 0
    seen: Counter[str] = field(default_factory=Counter)
    runs: set[str] = field(default_factory=set)
    agents: set[str] = field(default_factory=set)
    fail: Callable[[str, str], int] = lambda _method, _path: 0
    sets: defaultdict[str, dict[str, dict[str, Any]]] = field(default_factory=lambda: defaultdict(dict))
    matters: dict[str, dict[str, Any]] = field(default_factory=dict)
    open: set[Any] = field(default_factory=set)
    made: dict[str, dict[str, Any]] = field(default_factory=dict)
    loop: asyncio.AbstractEventLoop | None = None

    @property
    def url(self) -> str:
        """Base URL."""
        return f"http://127.0.0.1:{self.port}"

    def freeze(self, seconds: float) -> None:
        """Answer nothing for a while, as a stopped process."""
        self.loop.call_soon_threadsafe(threading.Event().wait, seconds)

    def hang_up(self) -> None:
        """Close every connection."""
        self.loop.call_soon_threadsafe(lambda: [each.close() for each in list(self.open)])

    def answer(self, method: str, target: str, headers: dict[str, str], body: bytes) -> Reply:
        """Status, body and further headers."""
        parts = urlsplit(target)
        path = [unquote(each) for each in parts.path.strip("/").split("/")]
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.runs.add(headers.get("x-gameday-run", ""))
        self.agents.add(headers.get("user-agent", ""))
        self.seen[f"{method} {path[-1] if path[0] != 'api' else path[1]}"] += 1
        if failed := self.fail(method, parts.path):
            return _json(failed, {"error": {"code": "fault", "message": "switched on"}})
        if path[0] == "static":
            return 200, data.static_file(path[1]), {"X-Cache": "Hit from cdn", "Age": "1"}
        if path[0] == "documents":
            number = "INV-X" if "wrong-pdf" in self.lies else path[1]
            return 200, b"%PDF-1.4\n% " + number.encode(), {}
        if path[1] == "login":
            return _login(json.loads(body))
        me = headers.get("authorization", "").removeprefix("Bearer ")
        if not me:
            return _json(401, {"error": {"code": "unauthorized", "message": "log in"}})
        key = headers.get("idempotency-key", "")
        ask = Ask(me=me, method=method, path=path[2:], query=query, body=json.loads(body or b"{}"), key=key)
        reply: Reply = getattr(self, f"_{path[1]}")(ask)
        return reply

    def _workflow(self, ask: Ask) -> Reply:
        mine = sum(each["advocate_id"] == ask.me for each in self.made.values())
        count = 6 if "old-counts" in self.lies else 6 + mine
        return _json(200, {"matters": 8, "proformas": 6, "invoices": count, "as_of": time.time()})

    def _matters(self, ask: Ask) -> Reply:
        keys = data.matter_ids(_number(ask.me), DOCUMENTS)
        if not ask.path:
            items = [self._matter(each, ask.me) for each in keys[: int(ask.query["limit"])]]
            return _json(200, {"items": items})
        if ask.path[0] not in keys:
            return _json(404, {"error": {"code": "not_found", "message": ask.path[0]}})
        matter = self._matter(ask.path[0], ask.me)
        if ask.method == "PUT":
            change = ask.body["change"]
            if "stale" not in self.lies:
                matter |= {"version": matter["version"] + 1, "last_change": change}
            self._write("matter-changes", change)
            shown = {"version": matter["version"], "last": matter["last_change"]}
            self.sets["matter-versions"][ask.path[0]] = {"id": ask.path[0], **shown}
            return _json(200, {"id": ask.path[0], "version": max(2, matter["version"]), "change": change})
        return _json(200, matter)

    def _matter(self, key: str, me: str) -> dict[str, Any]:
        fresh = {"id": key, "title": key, "status": "active", "version": 1, "last_change": None}
        return self.matters.setdefault(key, fresh | {"advocate_id": me})

    def _invoices(self, ask: Ask) -> Reply:
        if ask.path == ["batch"]:
            self._write("batch-invoices", ask.key)
            return _json(202, {"batch_id": "b"})
        if not ask.path:
            ident = f"n-{len(self.made)}"
            made = {
                "id": ident,
                "number": f"INV-{len(self.made):06d}",
                "advocate_id": ask.me,
                "status": "issued",
            }
            self.made[ident] = made | ask.body
            self._write("invoices", ask.key)
            return _json(201, self.made[ident])
        if ask.query.get("template"):
            self._write("dead-letters", ask.key)
            return _json(202, {"job_id": ask.path[0]})
        if ask.path[1:] == ["pdf"]:
            self._write("pdf-jobs", ask.key, state="queued" if "stuck-pdf" in self.lies else "done")
            if "stuck-pdf" in self.lies:
                self.sets["pdf-jobs"][ask.key]["count"] = 0
            return _json(202, {"job_id": ask.path[0]})
        return _json(200, self.made[ask.path[0]])

    def _pdfs(self, ask: Ask) -> Reply:
        numbers = {each.id: each.number for each in data.invoices(_number(ask.me), DOCUMENTS)}
        number = numbers[ask.path[0]]
        status = "queued" if "stuck-pdf" in self.lies else "done"
        url = f"{self.url}/documents/{number}?X-Amz-Signature=1"
        return _json(200, {"job_id": ask.path[0], "status": status, "number": number, "url": url})

    def _proformas(self, ask: Ask) -> Reply:
        self._write("workflows", ask.key, state="UpdateStatus")
        for name in ("events-pdf", "events-email", "events-analytics"):
            self._write(name, ask.key)
        return _json(202, {"workflow_id": ask.key.replace("/", "_")})

    def _workflows(self, ask: Ask) -> Reply:
        return _json(200, {"id": ask.path[0], "state": "UpdateStatus", "states": list(data.WORKFLOW_STATES)})

    def _search(self, ask: Ask) -> Reply:
        if ask.path == ["facets"]:
            count = 9999 if "leak" in self.lies else 2
            each = {"a": count}
            return _json(200, {"total": count, "by_status": each, "by_matter_type": each, "by_month": each})
        owner = "adv-99999" if "leak" in self.lies else ask.me
        hit = {"id": "m-1", "kind": "matter", "title": "t", "advocate_id": owner, "score": 1.0}
        return _json(200, {"total": 1, "hits": [hit]})

    def _audit(self, ask: Ask) -> Reply:
        if ask.me != "auditor":
            return _json(403, {"error": {"code": "forbidden", "message": ask.me}})
        keys = sorted(self.sets[ask.path[0]])
        keys = [key for key in keys if key > ask.query.get("after", "")]
        page = keys[:7]  # small pages: many turns
        items = [self.sets[ask.path[0]][key] for key in page]
        return _json(200, {"items": items, "next": page[-1] if len(keys) > len(page) else None})

    def _write(self, name: str, key: str, **more: Any) -> None:
        if "lost-invoice" in self.lies and name == "invoices" and key.endswith("/3"):
            return
        count = 2 if "twice" in self.lies and name == "invoices" else 1
        self.sets[name][key] = {"id": key, "count": count} | more


class _Protocol(asyncio.Protocol):
    def __init__(self, system: StandIn) -> None:
        self.system, self.buffer = system, b""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.system.open.add(transport)

    def connection_lost(self, reason: Exception | None) -> None:
        self.system.open.discard(self.transport)

    def data_received(self, received: bytes) -> None:
        self.buffer += received
        while b"\r\n\r\n" in self.buffer:
            head, rest = self.buffer.split(b"\r\n\r\n", 1)
            lines = head.decode("latin-1").split("\r\n")
            method, target, _ = lines[0].split(" ")
            headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines[1:])}
            length = int(headers.get("content-length", 0))
            if len(rest) < length:
                return
            self.buffer = rest[length:]
            status, body, extra = self.system.answer(method, target, headers, rest[:length])
            fields = "".join(f"{name}: {value}\r\n" for name, value in extra.items())
            opening = f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n{fields}\r\n"
            self.transport.write(opening.encode() + body)


@contextmanager
def stand_in(**settings: Any) -> Iterator[StandIn]:
    """A running stand-in; ended with the block."""
    system = StandIn(**settings)
    started = threading.Event()
    stop: asyncio.Event | None = None

    async def serve() -> None:
        nonlocal stop
        system.loop, stop = asyncio.get_running_loop(), asyncio.Event()
        server = await system.loop.create_server(lambda: _Protocol(system), "127.0.0.1", 0, backlog=1024)
        system.port = server.sockets[0].getsockname()[1]
        started.set()
        await stop.wait()
        server.close()
        server.close_clients() if hasattr(server, "close_clients") else None

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    try:
        assert started.wait(10)
        yield system
    finally:
        system.loop.call_soon_threadsafe(stop.set)
        thread.join(10)


def _login(asked: dict[str, Any]) -> Reply:
    name = asked["email"].split("@")[0]
    ident = "auditor" if name == "auditor" else f"adv-{name.removeprefix('advocate-')}"
    return _json(200, {"token": ident, "advocate_id": ident, "expires_in": 3600})


def _number(me: str) -> int:
    return int(me.removeprefix("adv-"))


def _json(status: int, value: Any) -> Reply:
    return status, json.dumps(value).encode(), {"Content-Type": "application/json"}


if __name__ == "__main__":
    with stand_in() as running:
        sys.stdout.write(f"{running.port}\n")
        sys.stdout.flush()
        threading.Event().wait()
