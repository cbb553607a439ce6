"""Deadlines: one timer for many, in the order they fall due, and never early."""

import json
import subprocess
import sys

from tests.scenarios.runs import ROOT

SCRIPT = """
import json, time
import gevent
from scenarios.load.http.deadlines import Once, deadlines

class Waiter:
    def __init__(self, name):
        self.name, self.at = name, None
    def expire(self, seconds):
        self.at = time.monotonic()
        found.append(self.name)

found = []
begun = time.monotonic()
many = deadlines(0.2)
assert deadlines(0.2) is many and deadlines(0.3) is not many
first, ended, second, alone = (Waiter(name) for name in ("first", "ended", "second", "alone"))
many.begin(first, begun)
many.begin(ended, begun)
once = Once(0.1)
once.begin(alone, begun)
gevent.sleep(0.05)
many.end(ended)
later = time.monotonic()
many.begin(second, later)
spent = Once(0.1)
spent.begin(ended, time.monotonic())
spent.end(ended)
spent.end(ended)
while len(found) < 3 and time.monotonic() < begun + 5:
    gevent.sleep(0.01)
waits = [alone.at - begun, first.at - begun, second.at - later]
print(json.dumps([found, waits]))
"""


def test_each_wait_ends_when_it_is_due():
    """Neither early nor much later, whoever ended before or began in between."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    found, waits = json.loads(done.stdout)
    assert found == ["alone", "first", "second"]
    for wait, due in zip(waits, [0.1, 0.2, 0.2], strict=True):
        assert due - 0.001 <= wait < due + 0.3
