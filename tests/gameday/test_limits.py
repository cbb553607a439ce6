"""Open files: known, raised or refused before anything starts."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Iterator
from resource import RLIM_INFINITY

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gameday import limits
from gameday.errors import ConfigError
from gameday.limits import SLACK, at_once, ensure, needed, verdict
from gameday.process import ROOT


@pytest.mark.parametrize(
    ("load", "connections"),
    [
        ({"model": "arrivals", "max_in_flight": 600, "sessions": 9}, 600),
        ({"model": "sessions", "max_in_flight": 600, "sessions": 10_500}, 10_500),
        ({"model": "users", "users": 50}, 50),
        ({"model": "partly-open", "users": 70, "max_in_flight": 600}, 70),
        ({"model": "sessions", "sessions": None, "max_in_flight": 600}, 600),
        ({}, 0),
    ],
)
def test_the_model_says_how_many_connections_there_can_be(load: dict[str, object], connections: int) -> None:
    """Held sessions, users, or the cap on what is in flight."""
    assert at_once(load) == connections


def test_the_edge_needs_the_most_where_there_is_one() -> None:
    """Ten thousand sessions: 1.3 files each at the edge, less in the traffic, shared by its workers."""
    assert needed(10_000).files == 11_000 + SLACK
    assert needed(10_000, workers=4).files == 2_750 + SLACK
    assert needed(10_000, workers=4, edge=True).files == 13_000 + SLACK
    assert "edge" in needed(10_000, edge=True).who


@pytest.mark.parametrize(
    ("soft", "hard", "raised"),
    [
        (20_000, 20_000, None),
        (1_024, 20_000, 20_000),
        (1_024, 11_256, 11_256),
        (1_024, RLIM_INFINITY, 11_256),
        (RLIM_INFINITY, RLIM_INFINITY, None),
    ],
)
def test_the_soft_limit_is_raised_only_when_it_must(soft: int, hard: int, raised: int | None) -> None:
    """To the hard limit, or to what is needed where there is none."""
    assert verdict(needed(10_000), 10_000, soft=soft, hard=hard) == raised


def test_too_low_a_limit_is_refused_with_the_numbers_and_the_remedy() -> None:
    """What is needed, by whom, what is allowed, how to raise it, and that nothing was sent."""
    with pytest.raises(ConfigError) as refusal:
        verdict(needed(10_000, edge=True), 10_000, soft=1_024, hard=4_096)
    said = str(refusal.value)
    for part in (
        "10000 connections",
        "13256 open files",
        "edge",
        "at most 4096",
        "ulimit -n 13256",
        "nothing",
    ):
        assert part in said


@given(st.integers(0, 100_000), st.integers(1, 16), st.booleans(), st.integers(64, 200_000))
def test_what_is_allowed_is_enough(connections: int, workers: int, edge: bool, hard: int) -> None:
    """Whatever is not refused leaves at least what is needed."""
    need = needed(connections, workers=workers, edge=edge)
    try:
        raised = verdict(need, connections, soft=64, hard=hard)
    except ConfigError:
        assert hard < need.files
    else:
        assert need.files <= (raised or 64) <= max(hard, 64)


@pytest.fixture
def _as_before() -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.usefixtures("_as_before")
def test_children_inherit_what_was_raised() -> None:
    """The soft limit of this process is raised, and a child has it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (512, hard))
    ensure(500)
    words = "import resource; print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])"
    child = subprocess.run(
        [sys.executable, "-c", words], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert int(child.stdout) >= limits.needed(500).files
