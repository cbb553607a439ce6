"""The lock that everybody shares: one run - its load and its faults - per system and environment at a time.

It is one object, `ENVIRONMENT/SYSTEM.json`, in the environment's lock bucket. It is written on the condition
that none is there (`If-None-Match: *`), renewed, taken over and deleted on the condition that it is still the
one that was read (`If-Match` with its ETag). How old it is is told by the clock of S3 alone. Whoever no
longer renews it loses it: a lock is a lease.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from chaos import myself
from chaos.errors import LockError
from chaos.lock_store import Holder, Store
from fixtures.environment import Environment

_TRIES = 5  # how often others may be quicker


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """A lock that is not renewed for `lease_s` may be taken over; it is renewed every `renew_s`."""

    lease_s: float = 60.0
    renew_s: float = 15.0


@dataclass(slots=True, kw_only=True)
class Held:
    """A lock in our hands. `lost` says why it no longer is; `after` whom it was taken over from."""

    store: Store
    key: str
    said: Mapping[str, Any]
    etag: str
    pace: Pace
    after: str = ""
    lost: str = ""
    done: threading.Event = field(default_factory=threading.Event)

    def keep(self, stop: threading.Event) -> None:
        """Renew it until `done`; a lock that is lost sets `stop`."""
        confirmed, pause = time.monotonic(), self.pace.renew_s
        while not self.done.wait(pause):
            asked = time.monotonic()
            try:
                self._renew()
                confirmed, pause = asked, self.pace.renew_s
            except LockError as error:
                pause = self.pace.renew_s / 3
                if time.monotonic() - confirmed > self.pace.lease_s - self.pace.renew_s:
                    self.lost = f"the lock of this run could not be renewed: {error}"
            if self.lost:
                stop.set()
                return

    def release(self) -> None:
        """Give it back. What S3 does not take back now lapses with the lease."""
        with contextlib.suppress(LockError):
            self.store.delete(self.key, self.etag)

    def _renew(self) -> None:
        etag = self.store.put(self.key, {**self.said, "renewed": time.time()}, IfMatch=self.etag)
        if etag is None:
            found = self.store.read(self.key)
            if found is None or found.said.get("token") != self.said["token"]:
                self.lost = f"the lock of this run was lost; it is held by {found or 'nobody'}"
                return
            etag = found.etag  # written after all: only the answer had not arrived
        self.etag = etag


@contextmanager
def held(
    env: Environment, system: str, *, run_id: str, stop: threading.Event, pace: Pace | None = None
) -> Iterator[Held]:
    """Hold the lock of `system` in `env` for as long as the block lasts; should it be lost, `stop` is set.

    Raises:
        LockError: somebody else holds it, or S3 does not answer; nothing was started.
    """
    mine = _take(Store.of(env), key_of(env, system), run_id, pace or Pace())
    keeper = threading.Thread(target=mine.keep, args=(stop,), name="gameday-lock", daemon=True)
    keeper.start()
    try:
        yield mine
    finally:
        mine.done.set()
        keeper.join()
        mine.release()


def key_of(env: Environment, system: str) -> str:
    """The lock of `system` in `env`, in its bucket."""
    return f"{env.name}/{system}.json"


def free(env: Environment) -> list[str]:
    """Take away every lock in `env` whose owner is proven dead or silent beyond its lease; a line on each.

    Raises:
        LockError: S3 does not answer.
    """
    store = Store.of(env)
    return [_freed(store, holder) for holder in store.all(f"{env.name}/")]


def _freed(store: Store, holder: Holder) -> str:
    if not (holder.dead or holder.expired):
        return (
            f"lock {holder.key}: left, its owner may be alive: {holder}; it lapses "
            f"{holder.said['lease_s']:g} s after its last renewal"
        )
    why = "its process is gone" if holder.dead else "silent beyond its lease"
    done = "freed" if store.delete(holder.key, holder.etag) else "left, it has changed hands meanwhile"
    return f"lock {holder.key}: {done} ({holder}; {why})"


def _take(store: Store, key: str, run_id: str, pace: Pace) -> Held:
    said = {
        "schema": 1,
        "token": uuid.uuid4().hex,
        "run_id": run_id,
        "operator": myself.operator(),
        "host": socket.gethostname(),
        "machine": myself.machine(),
        **myself.process(),
        "taken": time.time(),
        "lease_s": pace.lease_s,
    }
    for _ in range(_TRIES):
        etag, after = store.put(key, said, IfNoneMatch="*"), ""
        if etag is None:
            found = store.read(key)
            if found is None:
                continue
            if found.said.get("token") == said["token"]:
                etag = found.etag  # written after all: only the answer had not arrived
            elif found.expired or found.dead:
                etag, after = store.put(key, said, IfMatch=found.etag), str(found)
            else:
                raise LockError(
                    f"{key.removesuffix('.json')} is in use by {found}; one run at a time, nothing was "
                    f"started. If that run is dead: gameday abort, or wait {found.said['lease_s']:g} s"
                )
        if etag is not None:
            return Held(store=store, key=key, said=said, etag=etag, pace=pace, after=after)
    raise LockError(
        f"s3://{store.bucket}/{key} changed hands {_TRIES} times while it was asked for; try again"
    )
