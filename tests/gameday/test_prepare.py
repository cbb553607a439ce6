"""Runs without a plan file: they ask what their traffic can answer, and nothing else."""

from __future__ import annotations

import pytest

from gameday import prepare
from gameday.errors import ConfigError


def asked(*only: str, rate: str) -> set[str]:
    options = prepare.Options(env="local", only=only, rate=rate, duration="150s")
    return set(prepare.request("lexohub", options).plan.objectives)


def test_search_alone_asks_about_searches_only() -> None:
    """No write, no PDF and no fault is judged, and 50 searches a second prove nothing about 100."""
    found = asked("search", rate="50/s")
    assert {"latency-p99", "error-rate", "search-latency", "isolation"} <= found
    assert not found & {"no-lost-write", "pdf-complete", "failover", "search-rate", "throughput"}
    assert "search-rate" in asked("search", rate="120/s")


def test_the_whole_mix_asks_about_writes_that_its_ledger_knows() -> None:
    """A set that the scenario never writes would only come out as no data."""
    found = asked(rate="300/s")
    assert {"no-lost-write", "no-duplicate-write", "pdf-complete"} <= found
    assert not found & {"batch", "consumers"}


def test_without_faults_a_plan_keeps_what_its_steady_phase_drives() -> None:
    """Recovery and fault objectives go, the phases after the steady one, too."""
    plan = prepare.request("lexohub-local", prepare.Options(env="local", no_faults=True)).plan
    assert {phase.name for phase in plan.phases} == {"warmup", "steady"}
    assert "latency-p99" in plan.objectives
    assert not {"failover", "mttr", "db-connections-fault", "error-rate-recovered"} & set(plan.objectives)


def test_options_that_leave_nothing_to_judge_are_refused() -> None:
    """Better no run than one that can only say nothing."""
    with pytest.raises(ConfigError, match="expected at least one objective"):
        prepare.request("lexohub-task-kill", prepare.Options(env="local", no_faults=True, only=("search",)))
