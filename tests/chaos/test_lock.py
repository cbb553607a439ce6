"""The shared lock: one holder at a time, renewed while it lives, taken over from the silent and the dead."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from chaos import lock, myself
from chaos.errors import LockError
from chaos.lock import Pace
from chaos.lock_store import Store
from fixtures.environment import Environment
from tests.chaos.stage import until

HOUR = 3600.0


@pytest.fixture
def here(env: Environment, request: pytest.FixtureRequest) -> Iterator[Environment]:
    """An environment of the test's own in the shared bucket, left empty."""
    own = replace(env, name=request.node.name)
    yield own
    store = Store.of(own)
    for holder in store.all(f"{own.name}/"):
        store.delete(holder.key, holder.etag)


def take(env: Environment, run_id: str, **pace: float) -> Any:
    return lock.held(env, "lexohub", run_id=run_id, stop=threading.Event(), pace=Pace(**pace))


def someone(env: Environment, **said: Any) -> None:
    """A lock that another process wrote."""
    facts = {"token": "theirs", "run_id": "theirs", "host": "elsewhere", "pid": 1, "lease_s": HOUR, **said}
    assert Store.of(env).put(lock.key_of(env, "lexohub"), facts)


def holder(env: Environment) -> Any:
    found = Store.of(env).read(lock.key_of(env, "lexohub"))
    return found and found.said["run_id"]


def test_a_lock_says_who_holds_it_and_is_given_back(here: Environment) -> None:
    """Run, process, host and lease while it is held; nothing afterwards."""
    with take(here, "first") as held:
        found = Store.of(here).read(lock.key_of(here, "lexohub"))
        assert found is not None
        assert (found.said["run_id"], found.said["pid"], found.said["lease_s"]) == (
            "first",
            os.getpid(),
            60.0,
        )
        assert (held.after, held.lost, found.expired, found.dead) == ("", "", False, False)
    assert holder(here) is None


def test_who_comes_second_is_told_who_was_first(here: Environment) -> None:
    """Nothing changes hands; the other system of the same environment is free."""
    with take(here, "first"):
        with (
            pytest.raises(LockError, match=r"in use by run first .* one run at a time"),
            take(here, "second"),
        ):
            pass
        with lock.held(here, "writlix", run_id="other", stop=threading.Event()):
            assert holder(here) == "first"
    with take(here, "second"):
        assert holder(here) == "second"


def test_of_many_at_once_one_gets_it(here: Environment) -> None:
    """The condition is checked and the lock written in one step."""
    count = 12
    together, tried = threading.Barrier(count), threading.Barrier(count)

    def one(number: int) -> bool:
        together.wait(20)
        try:
            with take(here, str(number)):
                tried.wait(20)
                return True
        except LockError:
            tried.wait(20)
            return False

    with ThreadPoolExecutor(count) as pool:
        assert sum(pool.map(one, range(count))) == 1


def test_a_silent_lock_is_taken_over(here: Environment) -> None:
    """Whoever has not renewed it for its lease has lost it, on whatever machine."""
    someone(here, lease_s=-1)
    with take(here, "next") as held:
        assert "run theirs" in held.after
        assert holder(here) == "next"


def test_a_dead_owner_s_lock_is_taken_over_at_once(here: Environment) -> None:
    """Only a process of this very machine can be known to be dead."""
    dead = {"pid": os.getpid(), "pid_started": 1.0}
    someone(here, machine="another", **dead)
    with pytest.raises(LockError, match="run theirs"), take(here, "next"):
        pass
    someone(here, machine=myself.machine(), **dead)
    with take(here, "next") as held:
        assert "run theirs" in held.after


def test_a_living_lock_is_renewed(here: Environment) -> None:
    """Its object is written anew again and again, and still given back at the end."""
    with take(here, "first", renew_s=0.02) as held:
        before = held.etag
        until(lambda: held.etag != before)
        assert (holder(here), held.lost) == ("first", "")
    assert holder(here) is None


def test_a_lock_that_is_lost_stops_its_run(here: Environment) -> None:
    """Somebody took it over: the run is told to stop, and the other's lock is left alone."""
    stop = threading.Event()
    with lock.held(here, "lexohub", run_id="first", stop=stop, pace=Pace(renew_s=0.02)) as held:
        someone(here)
        assert stop.wait(10)
        assert "held by run theirs" in held.lost
    assert holder(here) == "theirs"


def test_a_store_that_stays_silent_loses_the_lock(here: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    """One failed renewal is borne; by the time others could take the lock over, the run has been stopped."""
    stop = threading.Event()
    asked: list[int] = []

    def refuse(*_: object, **__: object) -> None:
        asked.append(1)
        raise LockError("no answer")

    with lock.held(here, "lexohub", run_id="first", stop=stop, pace=Pace(lease_s=0.6, renew_s=0.1)) as held:
        monkeypatch.setattr(Store, "put", refuse)
        assert stop.wait(10)
        assert "could not be renewed: no answer" in held.lost
    assert len(asked) > 1


def test_a_lock_whose_answer_was_lost_is_known_as_our_own(
    here: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A write that is repeated meets its own first try: that is no stranger's lock."""
    honest = Store.put

    def repeated(self: Store, key: str, said: Any, **condition: str) -> str | None:
        honest(self, key, said, **condition)
        return honest(self, key, said, **condition)

    monkeypatch.setattr(Store, "put", repeated)
    with take(here, "first", renew_s=0.02) as held:
        before = held.etag
        until(lambda: held.etag != before or held.lost)
        assert held.lost == ""
    assert holder(here) is None


def test_locks_of_the_dead_and_the_silent_are_freed(here: Environment) -> None:
    """A lock that may be alive stays, and it is said when it will lapse."""
    someone(here)
    assert "left, its owner may be alive" in lock.free(here)[0]
    assert holder(here) == "theirs"
    someone(here, lease_s=-1)
    assert "freed" in lock.free(here)[0]
    someone(here, machine=myself.machine(), pid=os.getpid(), pid_started=1.0)
    assert "its process is gone" in lock.free(here)[0]
    assert lock.free(here) == []


def test_a_bucket_that_is_not_there_is_said(env: Environment) -> None:
    """With the key that names it."""
    nowhere = replace(env, aws=replace(env.aws, lock_bucket="gameday-nowhere"))
    with pytest.raises(LockError, match=r"gameday-nowhere.*aws\.lock_bucket"), take(nowhere, "first"):
        pass


def test_an_object_that_is_no_lock_is_left_alone(here: Environment) -> None:
    """Nobody knows whose it is."""
    store = Store.of(here)
    store.client.put_object(Bucket=store.bucket, Key=lock.key_of(here, "lexohub"), Body=b"mine")
    with pytest.raises(LockError, match="is no lock of this suite"), take(here, "first"):
        pass
    store.client.delete_object(Bucket=store.bucket, Key=lock.key_of(here, "lexohub"))


def test_a_lock_that_cannot_be_renewed_is_known_lost_before_others_may_take_it(env: Environment) -> None:
    """However long S3 takes not to answer: two tries that hang end within the lease."""
    config = Store.of(env).client.meta.config
    backoff_s = 1.0
    hangs_s = (
        config.retries["total_max_attempts"] * (config.connect_timeout + config.read_timeout) + backoff_s
    )
    pace = Pace()
    first = pace.renew_s + hangs_s
    second = first + pace.renew_s / 3 + hangs_s
    assert pace.lease_s - pace.renew_s < second < pace.lease_s
