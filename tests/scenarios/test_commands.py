import json
import os
import subprocess
import sys
import time

import pytest

from tests.scenarios.runs import ROOT
from tests.scenarios.stand_in import stand_in


def run(*arguments, **environment):
    """A command of the project's own interpreter, in the checkout."""
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_describe_says_what_a_scenario_does():
    """Operations with groups, flows with nominal operations; search makes over 36% of the requests."""
    done = run("scenarios.load.describe", "lexohub")
    described = json.loads(done.stdout)
    flows, operations = described["flows"], described["operations"]
    total = sum(flow["weight"] * len(flow["operations"]) for flow in flows.values())
    arrivals = sum(flow["weight"] for flow in flows.values())
    share = {
        group: sum(
            flow["weight"] * sum(group in operations[slug]["groups"] for slug in flow["operations"])
            for flow in flows.values()
        )
        / total
        for group in ("search", "write")
    }
    assert described["mean_requests"] == pytest.approx(total / arrivals)
    assert share["search"] * 300 > 105
    assert share["write"] == pytest.approx(0.1, abs=0.01)
    assert flows["pdf"]["weight"] / total * 300 == pytest.approx(1, abs=0.1)
    assert {"invoices", "events-email", "dead-letters"} <= set(described["ledger_sets"])
    assert operations["matter"] == {"name": "GET /api/matters/{id}", "groups": ["api", "read", "user"]}


def test_describe_keeps_a_tag():
    """`--only search` leaves the search flows and their operations."""
    described = json.loads(run("scenarios.load.describe", "lexohub", "--only", "search").stdout)
    assert list(described["flows"]) == ["search_text", "search_fuzzy", "search_facets"]
    assert set(described["operations"]) == {"search_text", "search_fuzzy", "search_facets"}
    assert described["ledger_sets"] == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [(["nosuch"], "choose from lexohub"), (["lexohub", "--only", "x"], "choose from batch, browse")],
)
def test_describe_names_what_there_is(arguments, says):
    """An unknown system or tag is exit 2 with the possible names."""
    done = run("scenarios.load.describe", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr


def test_plain_locust_drives_a_scenario():
    """`locust -f locustfile.py` with a tag: arrivals at GAMEDAY_RATE, only that tag's flows, no failures.

    Our summary says the same as Locust's own statistics; a long --stop-timeout keeps nobody waiting.
    """
    begun = time.monotonic()
    with stand_in() as system:
        done = run(
            *("locust", "-f", "locustfile.py", "--headless", "--json", "--tags", "search"),
            *("-u", "20", "-r", "20", "-t", "3s", "-s", "40", "-H", system.url),
            GAMEDAY_RATE="100",
            GAMEDAY_DOCUMENTS="2000",
        )
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)
    assert {row["name"] for row in rows} == {"/api/search", "/api/search (fuzzy)", "/api/search/facets"}
    assert sum(row["num_failures"] for row in rows) == 0
    assert 50 < sum(row["num_requests"] for row in rows) < 320
    requests = sum(row["num_requests"] for row in rows)
    assert f"{requests} {requests} {requests} 0" in " ".join(done.stderr.partition("\nall ")[2].split())
    assert "from the intended start" in done.stderr
    assert time.monotonic() - begun < 35


def test_a_scenario_without_a_rate_is_refused():
    """Flows of a scenario arrive: --gameday-rate 0 is exit code 2, and nothing is sent."""
    with stand_in() as system:
        done = run(
            *("locust", "-f", "locustfile.py", "--headless", "-u", "1", "-t", "20s", "-H", system.url),
            *("--gameday-rate", "0"),
        )
    assert done.returncode == 2
    assert "--gameday-rate must be above 0" in done.stderr
    assert not system.seen
