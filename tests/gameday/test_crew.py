"""Who drives the load, as the command line says it."""

from __future__ import annotations

import pytest

from gameday import crew
from gameday.crew import Crew
from gameday.errors import ConfigError, LoadError, WorkersLostError
from gameday.traffic import ended


def test_one_process_needs_no_crew() -> None:
    """Without workers, and with one, the load is driven as ever."""
    assert crew.of(None) is None
    assert crew.of(1) is None


def test_local_workers_are_reached_on_loopback_at_a_free_port() -> None:
    """Nothing listens anywhere else unless told to."""
    found = crew.of(3)
    assert found == Crew(local=3, remote=0, bind="127.0.0.1", port=0, wait_s=60.0)
    assert found is not None
    assert found.manifest() == {
        "workers": 3,
        "distribution": {"local": 3, "remote": 0, "bind": "127.0.0.1", "port": 0, "wait_s": 60.0},
    }


@pytest.mark.parametrize(
    ("bind", "host", "port"),
    [
        (None, "127.0.0.1", 5557),
        ("10.0.0.5", "10.0.0.5", 5557),
        ("10.0.0.5:6000", "10.0.0.5", 6000),
        ("[::1]:6000", "[::1]", 6000),
        ("[::1]", "[::1]", 5557),
    ],
)
def test_remote_workers_join_at_a_known_port(bind: str | None, host: str, port: int) -> None:
    """A port that can be told to others, and the address that was asked for."""
    found = crew.of(None, 2, bind, "5m")
    assert found == Crew(local=0, remote=2, bind=host, port=port, wait_s=300.0)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ((None, None, "10.0.0.5", None), "--master-bind and --worker-wait are for"),
        ((None, 1, "10.0.0.5:99999", None), "expected HOST or HOST:PORT"),
        ((None, 1, ":5557", None), "expected HOST or HOST:PORT"),
        ((2, None, None, "soon"), "--worker-wait"),
    ],
)
def test_options_nobody_could_mean_are_refused(options: tuple[int | None, ...], says: str) -> None:
    """With what was expected."""
    with pytest.raises(ConfigError, match=says):
        crew.of(*options)  # type: ignore[arg-type]


def test_how_the_traffic_ended_is_said() -> None:
    """All workers lost is an invalid run; a killed master, or any other end, a broken suite."""
    assert isinstance(ended(4, "steady"), WorkersLostError)
    killed = ended(-9, "steady")
    assert isinstance(killed, LoadError)
    assert not isinstance(killed, WorkersLostError)
    assert "SIGKILL" in str(killed)
    assert "code 5 in phase 'steady'" in str(ended(5, "steady"))
