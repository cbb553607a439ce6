"""The scenarios for plain Locust: ``locust -f locustfile.py --gameday-system lexohub -u 50 -H http://127.0.0.1:8080``.

Flows arrive at --gameday-rate requests/s (20); -u is the number of sessions. Judged runs use ``gameday run``.
"""

from locust import events

from scenarios.load import catalog
from scenarios.load.face.locusts import serve
from scenarios.load.face.options import asked_system

SCENARIO = catalog.load(asked_system("lexohub"))
User = SCENARIO.user  # what Locust looks for: a user class in this module
serve(events, SCENARIO)
