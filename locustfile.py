"""The scenarios for plain Locust: ``GAMEDAY_SYSTEM=lexohub locust -f locustfile.py -u 50 -H http://127.0.0.1:8080``.

Arrivals come at GAMEDAY_RATE requests/s (20); -u is the number of sessions. Judged runs use ``gameday run``.
"""

import os

from locust import events

from scenarios.load import catalog
from scenarios.load.locusts import serve_plain_locust

SCENARIO = catalog.load(os.environ.get("GAMEDAY_SYSTEM", "lexohub"))
User = SCENARIO.user  # what Locust looks for: a user class in this module
serve_plain_locust(events, SCENARIO)
