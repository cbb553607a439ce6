"""The network's share of every latency: a TCP round trip to the system, measured before the load starts."""

import time
from urllib.parse import urlsplit

from scenarios.errors import TransportError
from scenarios.load.http.address import round_trip
from scenarios.load.plan import LoadPlan
from scenarios.load.sink import Sink, lines


def measure(plan: LoadPlan, sink: Sink) -> float | None:
    """Seconds of a round trip to where the system answers, also as an event of kind ``floor``.

    None, and no event, where no connection can be opened: the load itself will say so.
    """
    parts = urlsplit(plan.base_url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        rtt = round_trip(parts.hostname or "", port, timeout_s=min(2.0, plan.timeout_s))
    except TransportError:
        return None
    event = {"t": time.time(), "kind": "floor", "host": parts.netloc, "rtt": rtt}
    sink.append("events.jsonl", lines([event]))
    return rtt
