import json
import time

import pytest

from scenarios.load.ledger import Ledger
from scenarios.load.sink import FolderSink
from scenarios.load.websocket.session import Pushes
from slo import ledger
from slo.ledger.order import order
from tests.scenarios.websocket.stage import ASK, serving, talking, wait_for

SAID = 6


@pytest.mark.parametrize(
    ("heard", "wrong"),
    [
        ((1, 2, 3, 4, 5, 6), {}),
        ((1, 3, 4, 2, 5, 6), {"moved": 1}),
        ((1, 2, 4, 5, 6), {"missing": 1}),
        ((1, 2, 2, 3, 4, 5, 6, 6), {"duplicated": 2}),
        ((1, 2, 3, 4, 5, 6, 9), {"unexpected": 1}),
        ((6, 1, 2, 2, 4, 5), {"moved": 1, "missing": 1, "duplicated": 1}),
    ],
)
def test_what_a_session_hears_of_another_is_judged(tmp_path, heard, wrong):
    """One session says six things; a real server passes them on to another in some order."""
    books = Ledger(run_id="r1", sink=FolderSink(tmp_path))

    def pass_on(socket):
        socket.recv()
        for number in heard:
            socket.send(json.dumps({"said": f"r1/messages/{number}"}))
        socket.recv()

    for _ in range(SAID):
        write = books.begin("messages", session="17")
        books.end(write, "say", outcome="ok", t_send=1.0, t_ack=1.1)
    got = []

    def note(message):
        books.received("messages", reader="18", id_=message["said"], t=time.time())
        got.append(message)

    with serving(pass_on) as port, talking(port, pushes=Pushes(handle=note)) as (chat, _):
        chat.tell(ASK, {"hello": True})
        wait_for(lambda: len(got) == len(heard))
        chat.tell(ASK, {"bye": True})
    books.flush()
    found = order(ledger.read(tmp_path / "ledger.jsonl"), "messages")
    counts = {name: getattr(found, name) for name in ("moved", "missing", "duplicated", "unexpected")}
    assert {name: count for name, count in counts.items() if count} == wrong
    assert (found.received, found.streams, found.doubt) == (len(heard), 1, "")
