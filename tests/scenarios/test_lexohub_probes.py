"""The rare flows that ask what users cannot tell, against the stand-in."""

import os
import subprocess
import sys
from collections import Counter

import pytest

from tests.scenarios.runs import ROOT, lines, run_folder
from tests.scenarios.stand_in import stand_in

# The looks a hundred times as soon after the change.
SOONER = """
import sys
from scenarios import lexohub
from scenarios.load import drive
lexohub.LOOKS_S = tuple(look / 100 for look in lexohub.LOOKS_S)
sys.exit(drive.main([sys.argv[1]]))
"""
MIX = {"counts_age": 30, "update_matter": 10, "pdf_refused": 10, "batch": 10, "workflow": 10}


def driven(folder):
    """Drive these flows to the end; counters by operation."""
    done = subprocess.run(
        [sys.executable, "-c", SOONER, str(folder)],
        cwd=ROOT,
        env=os.environ | {"GAMEDAY_QUIET": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    counted = {}
    for line in lines(folder, "counters.jsonl"):
        mine = counted.setdefault(line["op"], Counter())
        mine.update({"ok": line["ok"], "intended": line["intended"]})
        mine.update(line["bad"])
        mine.update({f"slower {limit}": count for limit, count in line["slower"].items()})
    return counted


@pytest.mark.parametrize(("lies", "old"), [(set(), False), ({"old-counts", "stale"}, True)])
def test_probes_see_what_is_old(tmp_path, lies, old):
    """Counts that never show a change get the age of the last look; an update that does not show is stale."""
    with stand_in(lies=lies) as system:
        folder = run_folder(tmp_path, system.url, for_s=2.0, rate=150, only=list(MIX), mix=MIX)
        counted = driven(folder)
    ages = counted["counts_age"]
    assert ages["ok"] == ages["intended"] > 0
    assert ages["slower 0.1"] == (ages["ok"] if old else 0)
    assert ages["slower 0.5"] == 0  # the last look came 0.315 s after the change
    assert counted["matter"]["stale"] == (counted["matter"]["intended"] if old else 0)
    assert not {name for name, sums in counted.items() if set(sums) & {"content", "timeout", "http_4xx"}}
    books = Counter((line["set"], line["kind"]) for line in lines(folder, "ledger.jsonl"))
    for name in ("dead-letters", "batch-invoices", "workflows", "events-pdf", "events-email"):
        assert books[name, "write"] == books[name, "read"] > 0
    assert books["events-analytics", "write"] == books["workflows", "write"]


def test_probes_are_apart_from_the_users():
    """No operation of a probe is in a group that latency, errors or throughput of users are judged by."""
    done = subprocess.run(
        [sys.executable, "-m", "scenarios.load.describe", "lexohub", "--only", "probe"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert '"counts_age"' in done.stdout
    assert '"api"' not in done.stdout
