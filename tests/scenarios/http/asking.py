"""Sends requests with sessions and prints what came of each: a process of its own, since it needs gevent.

Input, JSON on stdin: {case: {"session": arguments, "requests": [...], "names": {...}, "ttl_s", "late"}}. All
cases run at once, each with a session of its own. ``names`` gives the answers of successive look-ups.
"""

import json
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import gevent

from scenarios.errors import CallError
from scenarios.load.answer import AllowList
from scenarios.load.http import address, dial, multipart
from scenarios.load.http.head import Upload
from scenarios.load.http.limits import Limits, Timeouts
from scenarios.load.http.session import Session
from scenarios.load.http.tally import Tally
from scenarios.load.http.tls import Tls


def make(given):
    """A session from JSON."""
    options = dict(given)
    options["allow"] = AllowList(tuple(options.get("allow", ["127.0.0.1"])))
    options.setdefault("timeout_s", 5.0)
    if "timeouts" in options:
        options["timeouts"] = Timeouts(**options["timeouts"])
    if "limits" in options:
        options["limits"] = Limits(**options["limits"])
    if "tls" in options:
        tls = {name: Path(value) if "file" in name else value for name, value in options["tls"].items()}
        options["tls"] = Tls(**tls)
    return Session(**options)


def body_of(request):
    """Bytes, or an upload: {"pieces": [...], "length"}; {"file": path} is sent as multipart."""
    body = request.get("body", "")
    if isinstance(body, str):
        return {}, body.encode()
    if "file" in body:
        parts = multipart.parts({"kind": "test"}, {"file": Path(body["file"])})
        content_type, upload = multipart.stream(parts, boundary="b0undary")
        return {"Content-Type": content_type}, upload
    pieces = [piece.encode() * body.get("times", 1) for piece in body["pieces"]]
    return {}, Upload(chunks=lambda: pieces, length=body.get("length"))


def one(session, request):
    """What came of one request."""
    gevent.sleep(request.get("pause", 0))
    kept = {name: request[name] for name in ("redirects", "timeout_s") if name in request}
    headers, body = body_of(request)
    headers |= request.get("headers", {})
    begun = time.monotonic()
    try:
        if request.get("stream"):
            with session.stream(
                request.get("method", "GET"), request["url"], headers, body, **kept
            ) as answer:
                sizes, parts = [], []
                for piece in answer:
                    sizes.append(len(piece))
                    parts.append(piece if sum(sizes) < 1e6 else b"")
                    if len(sizes) >= request.get("stop_after", 1e9):
                        break
                found = {"status": answer.status, "body": b"".join(parts).decode(), "size": sum(sizes)}
        elif request.get("open"):
            session.open(request["url"])
            found = {"connected": session.connected}
        elif request.get("look"):
            until(lambda: not session.connected)
            found = {"connected": session.connected}
        else:
            answer = session.send(request.get("method", "GET"), request["url"], headers, body, **kept)
            found = {"status": answer.status, "body": answer.body.decode(), "fields": answer.fields}
            found |= {"reason": answer.reason, "headers": dict(answer.headers), "elapsed": answer.elapsed}
    except CallError as error:
        found = {"kind": error.kind, "says": str(error)}
    except ValueError as error:
        found = {"refused": str(error)}
    return found | {"took": time.monotonic() - begun}


def case(given):
    """All requests of a case, one after the other."""
    options = dict(given.get("session", {}))
    if "ttl_s" in given:
        options["directory"] = address.Directory(ttl_s=given["ttl_s"])
    options["tally"] = tally = Tally()
    session = make(options)
    results = [one(session, request) | {"counted": tally.open} for request in given["requests"]]
    session.close()
    return {"results": results, "retries": session.retries, "counted": tally.open}


def resolver(names):
    """A stand-in for the system's: each look-up of a name takes the next of its answers, then the last."""
    genuine = address.socket.getaddrinfo

    def look_up(host, port, family, kind):
        if host not in names:
            return genuine(host, port, family, kind)
        found = names[host].pop(0) if len(names[host]) > 1 else names[host][0]
        if not found:
            raise OSError(f"{host}: no such name")
        return [(address.socket.AF_INET, kind, 6, "", (each, port)) for each in found]

    return look_up


def until(condition, within_s=5.0):
    """Give the server time to act."""
    deadline = time.monotonic() + within_s
    while not condition() and time.monotonic() < deadline:
        gevent.sleep(0.01)


def after_connecting(genuine, ports):
    """A connection to one of these ports is looked at only when the server has had time to talk."""

    def slow(place, **options):
        connection = genuine(place, **options)
        if place.port in ports:
            until(connection.speaks_first)
        return connection

    return slow


def main():
    """Print one JSON object: the case's name to its results."""
    cases = json.load(sys.stdin)
    address.socket.getaddrinfo = resolver(
        {k: v for each in cases.values() for k, v in each.get("names", {}).items()}
    )
    late = {urlsplit(each["requests"][0]["url"]).port for each in cases.values() if each.get("late")}
    dial.dial = after_connecting(dial.dial, late)
    running = {name: gevent.spawn(case, given) for name, given in cases.items()}
    gevent.joinall(running.values(), raise_error=True)
    sys.stdout.write(json.dumps({name: each.value for name, each in running.items()}))


main()
