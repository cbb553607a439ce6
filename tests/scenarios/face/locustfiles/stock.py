# ruff: noqa: D101, D102 - as somebody who knows Locust writes it
"""Locust's own users, and a client of the script's own."""

import time

from locust import FastHttpUser, HttpUser, User, constant, events, task

from scenarios.load.face.locusts import serve


class Fast(FastHttpUser):
    wait_time = constant(0.1)

    @task
    def pages(self):
        self.client.get("/fast")
        self.client.get("/status/503")
        with self.client.get("/fast", name="declined", catch_response=True) as response:
            response.failure("no")


class Standard(HttpUser):
    wait_time = constant(0.1)

    @task
    def pages(self):
        self.client.get("/standard")
        self.client.get("http://127.0.0.1:1/refused", name="refused")


class Own(User):
    wait_time = constant(0.1)

    @task
    def late(self):
        now = time.time()
        self.environment.events.request.fire(
            request_type="OWN",
            name="late",
            response_time=5.0,
            response_length=0,
            exception=None,
            start_time=now,
            context={"intended_start": now - 0.5},
        )


serve(events)
