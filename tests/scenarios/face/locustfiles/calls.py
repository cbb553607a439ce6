# ruff: noqa: D101, D102, RUF012 - as somebody who knows Locust writes it
"""Every way of calling, once; what came of it goes to the file that CALLS names."""

import json
import os
import time
from pathlib import Path

from locust import events, task
from locust.exception import CatchResponseError, LocustError, StopUser

from scenarios.errors import CallError, LeakError
from scenarios.load.face import stock
from scenarios.load.face.http_user import HttpUser
from scenarios.load.face.locusts import serve

TOLD = []


@events.request.add_listener
def hear(request_type, name, exception, context, **_):
    TOLD.append([request_type, name, str(exception) if exception else None, context])


class Caller(HttpUser):
    default_headers = {"X-Always": "yes"}

    def context(self):
        return {"user": 7}

    @task
    def everything(self):
        found = {}
        for part in (methods, arguments, answers, caught, failures, rest, kinds):
            found[part.__name__] = part(self)
        found["told"] = TOLD
        Path(os.environ["CALLS"]).write_text(json.dumps(found))
        self.environment.runner.quit()
        raise StopUser


def methods(user):
    c = user.client
    made = [c.get("/m"), c.post("/m"), c.put("/m"), c.patch("/m"), c.delete("/m"), c.options("/m")]
    return [each.json()["method"] for each in [*made, c.request("GET", "/m")]] + [c.head("/m").status_code]


def arguments(user):
    c = user.client
    upload = c.post("/up", data={"a": "1"}, files={"doc": ("d.txt", b"content", "text/plain")}).json()
    c.post("/login")
    with c.rename_request("/named"):
        c.get("/n/17")
    return {
        "json": c.post("/a", json={"x": [1]}).json(),
        "form": c.post("/a", data={"x": "1 2", "y": ["a", "b"]}).json(),
        "text": c.put("/a", data="plain").json(),
        "params": c.get("/a?z=0", params={"q": "a b"}, name="/a").json(),
        "headers": c.get("/a", headers={"X-Own": "1", "x-always": "no"}).json(),
        "auth": c.get("/a", auth=("me", "secret")).json(),
        "upload": upload,
        "cookie": c.get("/a").json(),
        "context": c.get("/ctx", context={"extra": 1}).ok,
        "absolute": c.get(f"{user.host}/abs").json()["path"],
    }


def answers(user):
    c = user.client
    one, gone, text = c.get("/a"), c.get("/status/404"), c.get("/text")
    lines = list(c.iter_lines("/lines"))
    stay, follow = c.get("/redirect"), c.get("/redirect", allow_redirects=True, name="/redirect (followed)")
    with c.get("/lines", stream=True, catch_response=True, name="streamed") as stream:
        first = next(stream.iter_lines())
    begun = time.monotonic()
    slow = c.get("/slow?s=5", timeout=0.2, name="/slow")
    return {
        "one": [one.status_code, one.ok, one.headers["CONTENT-length"] == str(len(one.content)), one.url],
        "elapsed": 0 < one.elapsed.total_seconds() < 5,
        "gone": [gone.status_code, gone.ok, raised(gone.raise_for_status)],
        "text": [text.text, lines, len(list(text.iter_content(4)))],
        "stream": [first, c.get("/lines", stream=True).text],
        "redirect": [stay.status_code, follow.status_code, follow.json()["query"]],
        "slow": [slow.status_code, slow.ok, slow.content, slow.error.kind, time.monotonic() - begun < 3],
        "refused": c.get("http://127.0.0.1:1/", name="/refused").error.kind,
        "forbidden": c.get("http://192.0.2.1/", name="/forbidden").error.kind,
        "no block": raised(lambda: one.failure("late")),
    }


def caught(user):
    c = user.client
    with c.get("/status/404", catch_response=True, name="fine") as response:
        response.success()
    with c.get("/a", catch_response=True, name="wrong") as response:
        response.failure("not what I wanted")
    with c.get("/a", catch_response=True, name="leaky") as response:
        response.failure(LeakError("somebody else's"))
    with c.get("/status/500", catch_response=True, name="by status"):
        pass
    with c.get("/a", catch_response=True, name="before") as response:
        response.request_meta["name"] = "after"
    c.get("/a", catch_response=True, name="never opened")
    try:
        with c.get("/a", catch_response=True, name="raised"):
            assert not "this"
    except AssertionError:
        return "the exception leaves the block"


def failures(user):
    with user.client.get("/hang", catch_response=True) as response:
        return [
            response.status_code,
            response.content,
            response.error.kind,
            raised(response.raise_for_status),
        ]


def rest(user):
    with user.rest("GET", "/rest") as good:
        assert good.js["path"] == "/rest"
    with user.rest("GET", "/rest", name="wrong answer") as bad:
        assert bad.js["path"] == "/other", "another path"
    with user.rest("GET", "/text", name="no json") as none:
        pass
    with user.rest_("GET", "/rest") as fresh:
        pass
    return [good.js["headers"]["accept"], none.js, "_" in fresh.js["query"]]


def kinds(user):
    """Exceptions of other clients, as they come."""
    import requests

    return {
        "reset": stock.kind_of(requests.ConnectionError(ConnectionResetError())),
        "connect": stock.kind_of(requests.ConnectTimeout()),
        "timeout": stock.kind_of(requests.ReadTimeout()),
        "builtin": stock.kind_of(TimeoutError()),
        "protocol": stock.kind_of(requests.exceptions.ContentDecodingError()),
        "said": stock.kind_of(CatchResponseError("no")),
        "said of a 503": stock.kind_of(CatchResponseError("no"), type("R", (), {"status_code": 503})),
        "unknown": stock.kind_of(RuntimeError("?")),
    }


def raised(call):
    try:
        call()
    except (LocustError, CallError) as error:
        return type(error).__name__
    return None


serve(events)
