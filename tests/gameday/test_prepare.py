"""Runs without a plan file: they ask what their traffic can answer, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from gameday import prepare, preview
from gameday.errors import ConfigError
from gameday.plan import EXPERIMENTS, Phase
from gameday.run import targets


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
    assert {"no-lost-write", "no-duplicate-write", "pdf-complete", "batch", "consumers"} <= found
    (one,) = (each for each in targets("lexohub") if each.id == "batch")
    traffic = prepare.request("lexohub", prepare.Options(env="local")).traffic
    phases = (Phase(name="steady", for_s=150.0),)
    assert prepare.drivable(one, traffic, 50.0, phases)
    assert not prepare.drivable(one, replace(traffic, ledger_sets=frozenset({"invoices"})), 50.0, phases)


def test_each_operation_alone_is_asked_about_only_if_the_rarest_comes_often_enough() -> None:
    """Of the whole mix at 50/s some operations come once in seconds; searches alone are never rare."""
    assert "error-rate-each" in asked(rate="300/s")
    assert "error-rate-each" not in asked(rate="50/s")
    assert "error-rate-each" in asked("search", rate="50/s")


def test_a_run_without_a_plan_asks_for_no_baseline() -> None:
    """It has no earlier runs to be compared with, and would never pass."""
    assert "latency-regression" not in asked(rate="300/s")


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


PLAN = """\
system = "lexohub"
objectives = ["latency-p99"]
least_passes = 1
[load]
{load}
[[phase]]
name = "steady"
for = "130s"
"""


def planned(tmp_path: Path, load: str, **options: str) -> str:
    """The headline of a plan with this load."""
    path = tmp_path / "mine.toml"
    path.write_text(PLAN.format(load=load), "utf-8")
    return preview.of(prepare.request(str(path), prepare.Options(env="local", **options))).headline


@pytest.mark.parametrize(
    ("load", "headline"),
    [
        ('rate = "300/s"', "300 requests/s, open arrivals, 130 s, about 39,000 requests"),
        (
            'model = "sessions"\nsessions = 900\nrate = "9/s"',
            "9 requests/s, open arrivals on 900 held sessions",
        ),
        (
            'model = "users"\nusers = 50\nthink = "2s"',
            "50 users who wait for their answers (closed model), 130 s;",
        ),
        ('stages = [{ kind = "ramp", to = "60/s", for = "130s" }]', "up to 60 requests/s in stages"),
    ],
)
def test_a_preview_says_which_model_it_is(tmp_path: Path, load: str, headline: str) -> None:
    """And how many requests, where a schedule says it."""
    assert headline in planned(tmp_path, load)


def test_users_keep_below_the_environments_rate(tmp_path: Path) -> None:
    """Users who hardly think could send any rate: the ceiling holds for them, too."""
    with pytest.raises(ConfigError, match="expected a think time of at least"):
        planned(tmp_path, 'model = "users"\nusers = 5000\nthink = "1s"')


def test_a_rate_replaces_a_rate_only(tmp_path: Path) -> None:
    """Users and stages have no one rate that `--rate` could stand for."""
    with pytest.raises(ConfigError, match="no one rate"):
        planned(tmp_path, 'model = "users"\nusers = 5\nthink = "1s"', rate="5/s")


def test_a_drill_is_the_last_fault_of_a_plan() -> None:
    """Its undo waits for the read-back, and nothing else may be broken meanwhile."""
    phases = tuple(
        Phase(name="fault", for_s=60.0, experiment=name) for name in ("restore-drill", "aurora-failover")
    )
    chosen = prepare.request("lexohub-failover", prepare.Options(env="local")).plan
    with pytest.raises(ConfigError, match="restore-drill is a drill"):
        prepare.experiments(replace(chosen, phases=phases))
    assert list(prepare.experiments(replace(chosen, phases=phases[::-1]))) == [
        "aurora-failover",
        "restore-drill",
    ]


def test_the_whole_game_day_holds_every_experiment_that_is_a_fault_of_its_own() -> None:
    """One after the other, each followed by a time to recover in."""
    plan = prepare.request("lexohub-gameday", prepare.Options(env="local")).plan
    shipped = {path.stem for path in (EXPERIMENTS / "lexohub").glob("*.json")}
    assert set(plan.experiments) == shipped - {"noop", "alarm-as-documented"}
    assert [phase.name for phase in plan.phases[2:]] == ["fault", "recovered"] * len(plan.experiments)
