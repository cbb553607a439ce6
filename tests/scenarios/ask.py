"""Sends requests with one session and prints what came of each: a process of its own, since it needs gevent.

Input, JSON on stdin: {"allow", "timeout_s", "requests": [{"method", "url", "pause"}]}.
"""

import json
import sys

import gevent

from scenarios.errors import CallError
from scenarios.load.answer import AllowList
from scenarios.load.http.session import Session


def main() -> None:
    """Print one line per request: status and body, or the class of the failure."""
    asked = json.load(sys.stdin)
    session = Session(AllowList(tuple(asked["allow"])), timeout_s=asked["timeout_s"])
    results = []
    for request in asked["requests"]:
        gevent.sleep(request.get("pause", 0))
        try:
            answer = session.send(request.get("method", "GET"), request["url"], {}, b"")
            results.append({"status": answer.status, "body": answer.body.decode()})
        except CallError as error:
            results.append({"kind": error.kind, "says": str(error)})
    session.close()
    sys.stdout.write(json.dumps({"results": results, "retries": session.retries}))


main()
