"""Lines of ledger.jsonl, all of one set `s`."""


def write(name, outcome="ok", t=1.0, **more):
    """One attempt, acknowledged half a second after it was sent."""
    ack = t + 0.5 if outcome == "ok" else None
    line = {"kind": "write", "set": "s", "id": name, "op": "o", "seq": 1, "t_send": t, "t_ack": ack}
    return line | {"outcome": outcome} | more


def read(key, count=1, **more):
    """What the read-back found under an id."""
    return {"kind": "read", "set": "s", "id": key, "count": count, **more}


def held(key, **more):
    """What the read-back found under an overwritten key."""
    return {"kind": "key", "set": "s", "key": key, **more}


def version(key, number):
    """The version that the write `key` got."""
    return {"kind": "version", "set": "s", "id": key, "version": number}


def received(key, number, reader="r"):
    """The reader's message of this number."""
    return {"kind": "received", "set": "s", "reader": reader, "n": number, "id": key, "t": 1.0}


def back(**more):
    """The last word on the set."""
    return {"kind": "readback", "set": "s", "complete": True, "once": True, "t": 9.0, "reason": "", **more}
