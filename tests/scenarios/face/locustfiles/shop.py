# ruff: noqa: D101, D102, D106 - as somebody who knows Locust writes it
"""Two kinds of users, tags, weights, a sequence of steps; SHOP_IDS makes every name another one."""

import itertools
import os

from locust import SequentialTaskSet, constant, events, tag, task

from scenarios.load.face.http_user import HttpUser
from scenarios.load.face.locusts import serve

IDS = itertools.count()


class Shop(HttpUser):
    weight = 3
    wait_time = constant(0.05)

    @task(3)
    @tag("read")
    def look(self):
        self.client.get(f"/items/{next(IDS)}", name=None if os.environ.get("SHOP_IDS") else "/items/{id}")

    @task
    @tag("write")
    def buy(self):
        self.client.post("/buy", json={"item": 1})
        self.client.get("/receipt")


class Clerk(HttpUser):
    @task
    @tag("read")
    class Rounds(SequentialTaskSet):
        @task
        def first(self):
            self.client.get("/first")

        @task
        def second(self):
            self.client.get("/second")


serve(events)
