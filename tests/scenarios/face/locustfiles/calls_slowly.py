# ruff: noqa: D101, D102 - as somebody who knows Locust writes it
"""A shop that takes a second for each answer."""

from locust import events, task

from scenarios.load.face.http_user import HttpUser
from scenarios.load.face.locusts import serve


class Patient(HttpUser):
    @task
    def wait(self):
        self.client.get("/slow?s=1", name="/slow")


serve(events)
