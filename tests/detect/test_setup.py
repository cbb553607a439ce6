import re
from dataclasses import replace
from pathlib import Path

import pytest

from chaos import experiment
from detect import driven, setup
from detect.errors import SetupError
from detect.setup import Group, load, minutes_of, plan_path, problems
from gameday import plan
from slo import objective
from tests.detect.made import defect, known, made

TARGETS = {one.id: one for one in objective.load(setup.ROOT / "slo" / "targets" / "lexohub.toml")}
PLANS = sorted(path.stem for path in setup.PLANS.glob("*.toml"))


def _driven(name: str) -> set[str]:
    """What a run of this plan is judged by: in fault phases, only what the experiment names."""
    chosen = plan.load(plan_path(name))
    folder = plan.EXPERIMENTS / chosen.system
    judged = {id_ for one in chosen.experiments for id_ in experiment.load(folder / f"{one}.json").judge}
    return judged | {one for one in chosen.objectives if TARGETS[one].phase != "fault"}


def test_the_shipped_groups_prove_something() -> None:
    """Each defect in one run, each twin in one, none confused with another."""
    found = load()
    assert problems(found) == []
    assert {name for group in found.groups for name in group.defects} == set(found.defects)
    assert set(found.blind) >= {"lost-write", "slow-tail", "errors"}


@pytest.mark.parametrize("name", PLANS)
def test_plans_drive_objectives_that_exist(name: str) -> None:
    """As gameday reads them; as many may be asked to pass as there are."""
    assert set(plan.load(plan_path(name)).objectives) <= TARGETS.keys()
    assert 1 < minutes_of(name) < 4.5


def test_each_defect_shares_a_run_with_the_objective_that_must_catch_it() -> None:
    """Else it would be missed for want of being asked."""
    found = load()
    for group in found.groups:
        wanted = {found.defects[name].catches for name in (*group.defects, *group.twins)}
        assert wanted <= _driven(group.plan), group.name


def test_what_is_explained_is_an_objective() -> None:
    """A reason for something that cannot fail is a slip of the pen."""
    said = {one for excuses in load().explained.values() for one in excuses}
    assert said - TARGETS.keys() == set()


@pytest.mark.parametrize("name", PLANS)
def test_what_a_plan_is_judged_by_is_known(name: str) -> None:
    """With nothing that fault phases leave out; 15 minutes are never over in a run of two."""
    found = driven.judged(plan_path(name))
    assert found.keys() == _driven(name)
    assert {one for one, could_fail in found.items() if not could_fail} == {"mttr"} & found.keys()


def test_a_number_that_is_no_time_can_be_missed_in_any_run() -> None:
    """A million documents are not a limit that a run of two minutes is too short for."""
    one = next(one for one in TARGETS.values() if one.expr.unit != "s" and one.expr.limit > 1000)
    assert driven._could_fail(one, plan.load(plan_path("steady")))


def test_the_phase_of_a_fault_is_judged_by_what_its_experiment_names(tmp_path: Path) -> None:
    """Not by everything that the plan lists; a plan that is not there is refused."""
    text = plan_path("task-kill").read_text("utf-8").replace('"mttr", ', '"mttr", "failover", "uptime", ')
    path = tmp_path / "task-kill.toml"
    path.write_text(text, "utf-8")
    assert driven.judged(path).keys() == {*driven.judged(plan_path("task-kill")), "uptime"}
    with pytest.raises(SetupError, match=r"none\.toml"):
        driven.judged(tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("name", "excused"),
    [
        ("suppressed-fault", "alarm-customer-impact"),
        ("stale-pool", "mttr"),
        ("slow-tail", "latency-regression"),
    ],
)
def test_an_idle_excuse_in_the_shipped_file_is_refused(tmp_path: Path, name: str, excused: str) -> None:
    """One that the plan is not judged by, one that takes longer than it, one where nothing must fail."""
    path = tmp_path / "groups.toml"
    text = setup.GROUPS.read_text("utf-8")
    table = f"[explained.{name}]\n"
    text = (
        text.replace(table, f'{table}{excused} = "so"\n')
        if table in text
        else f'{text}\n{table}{excused} = "so"'
    )
    path.write_text(text, "utf-8")
    with pytest.raises(SetupError, match=f"an excuse for {excused}"):
        load(path)


def test_the_steady_plan_is_as_long_as_twelve_blocks() -> None:
    """A rate passes with twelve blocks of 10 s, and the clean runs must pass."""
    (steady,) = [one for one in plan.load(plan_path("steady")).phases if one.name == "steady"]
    assert 120 <= steady.for_s <= 130


GROUPS = made().groups
BROKEN = [
    (
        {"groups": (*GROUPS, Group(name="x", part="p", plan="defects", defects=("errors",)))},
        "errors is in 2 runs",
    ),
    ({"groups": GROUPS[1:]}, "the defect lost-write is in 0 runs"),
    ({"groups": GROUPS[:3]}, "the twin errors is in 0 runs"),
    (
        {"groups": (*GROUPS, Group(name="x", part="p", plan="d", twins=("lost-write",)))},
        "twin lost-write is in 1",
    ),
    (
        {"explained": {"lost-write": {"latency-p99": "slow"}}},
        "lost-write makes latency-p99, which is slow-tail's",
    ),
    (
        {"defects": {**known(), "errors": defect("errors", catches="latency-p99", twin={})}},
        "share latency-p99",
    ),
    ({"blind": {"slow-tail": {"size": (1.0, 2.0)}}}, "blind.slow-tail: no sizes size"),
    ({"blind": {"slow-tail": {"share": (2.0, 1.0)}}}, "blind.slow-tail.share: from 2 to 1"),
    ({"blind": {"gremlin": {}}}, "no such defects: gremlin"),
    ({"explained": {"gremlin": {}}}, "no such defects: gremlin"),
    ({"explained": {"errors": {"isolation": "so"}}}, "excuse for isolation, which run two is not judged by"),
    ({"explained": {"errors": {"mttr": "so"}}}, "excuse for mttr, whose limit is longer than run two"),
    ({"explained": {"suppressed-fault": {"uptime": "so"}}}, "excuse for uptime in run three, which must not"),
    ({"explained_twins": {"errors": {"isolation": "so"}}}, "isolation, which run calm is not judged by"),
]


@pytest.mark.parametrize(("change", "says"), BROKEN)
def test_groups_that_prove_less_than_they_seem_to_are_named(change: dict[str, object], says: str) -> None:
    """By what is wrong with them; the unchanged ones have nothing wrong."""
    assert problems(made()) == []
    assert re.search(re.escape(says), "; ".join(problems(made(**change))))


def test_two_defects_of_one_run_never_share_an_objective() -> None:
    """Whichever failed, nobody could say which was caught."""
    both = replace(
        made(), defects={**known(), "slow-tail": defect("slow-tail", catches="no-lost-write", twin={})}
    )
    assert "2 defects share no-lost-write in run one" in problems(both)


def test_a_file_that_cannot_be_used_is_refused(tmp_path) -> None:
    """With its name: not TOML, no runs, an unknown key, an unknown plan, or defects in no run."""
    one = '[[run]]\nname = "a"\npart = "p"\nplan = '
    for text in ("[[run", "", "[[run]]\nnam = 1\n", f'{one}"q"\n', f'{one}"steady"\n'):
        path = tmp_path / "groups.toml"
        path.write_text(text, "utf-8")
        with pytest.raises(SetupError, match=re.escape(str(path))):
            load(path, known())
