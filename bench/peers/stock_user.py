"""A locustfile as Locust's manual has it: FastHttpUser, one GET.

BENCH_PACE is requests/s per user; 0 or nothing: no pause at all.
"""

import json
import os
import sys
from typing import Any

from locust import FastHttpUser, constant, constant_throughput, events

PACE = float(os.environ.get("BENCH_PACE", "0"))


def get(user: Any) -> None:
    """One request."""
    user.client.get("/")


class Stock(FastHttpUser):  # type: ignore[misc]  # Locust ships no types
    """Asks, and waits for the answer before it asks again."""

    wait_time = constant_throughput(PACE) if PACE else constant(0)
    tasks = (get,)


def print_statistics(environment: Any, **_: Any) -> None:
    """Locust's own percentiles as the last line of stdout."""
    total = environment.stats.total
    said: dict[str, float] = {"requests": total.num_requests, "failures": total.num_failures}
    for q in (0.5, 0.9, 0.99):
        said[f"p{q * 100:.0f}_ms"] = total.get_response_time_percentile(q)
    sys.stdout.write("\n" + json.dumps(said) + "\n")


events.quitting.add_listener(print_statistics)
