"""Drills on the stage: the locks and the journal hold, the undo waits, and nothing is left."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from chaos import drills, driver, experiment
from chaos.drills import Facts, Tell, restore
from chaos.errors import ConfigError, DriveError, FisError, GuardError
from chaos.fis import Target
from chaos.outcome import Outcome
from fixtures.environment import Environment
from tests.chaos.stage import CLUSTER, OPT_IN, QUICK, Stage, until

ARN = f"arn:aws:rds:us-east-1:123456789012:cluster:{CLUSTER}"
SHIPPED = experiment.FOLDER / "lexohub" / "restore-drill.json"
WANTED = experiment.load(SHIPPED)


@dataclass
class Swap:
    """A kind of drill, and the drill: takes the writer away and brings another one."""

    stage: Stage
    arn: str = ARN
    during: Callable[[], Any] = lambda: None
    undoing: Callable[[], Any] = lambda: None
    did: list[str] = field(default_factory=list)
    FACTS: tuple[str, ...] = ("aws:rds:failover-db-cluster",)

    def make(self, options: Mapping[str, Any], env: Environment, poll_s: float) -> Swap:
        """The drill is its own kind."""
        return self

    def targets(self) -> tuple[Target, ...]:
        """The cluster of the stage."""
        return (Target(name="cluster", type="aws:rds:cluster", information={"dbClusterArn": self.arn}),)

    def prepare(self, name: str) -> Facts:
        """Nothing to look up."""
        return {"restored": f"restored-{name}"}

    def perform(self, facts: Facts, tell: Tell) -> Iterator[None]:
        """Two steps, then the other writer."""
        self.did.append("begun")
        self.stage.writer.down()
        until(lambda: self.stage.events("probe"))
        yield
        self.during()
        yield
        self._up("restored")
        tell("rewind", to=1.0)
        yield

    def undo(self, facts: Facts) -> str:
        """Yet another writer."""
        self.undoing()
        self._up("first again")
        self.did.append("undone")
        return "put back"

    def _up(self, identity: str) -> None:
        self.stage.writer.down()
        self.stage.writer.identity = identity
        self.stage.writer.up()


@pytest.fixture
def swap(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Swap:
    found = Swap(stage)
    monkeypatch.setattr(drills, "kind", lambda _: found)
    return found


def drive(stage: Stage, later: ExitStack | None = None, **changes: Any) -> Outcome:
    wanted = replace(WANTED, drill={"kind": "swap", "tags": OPT_IN}, **changes)
    return driver.run(
        wanted,
        stage.env,
        stage.folder,
        stop=stage.stop,
        deadline=time.time() + 30,
        run_id=stage.folder.name,
        commit="0123abc",
        later=later,
        log=stage.journal,
        patience=QUICK,
    )


def test_a_drill_is_undone_when_its_caller_is_ready(stage: Stage, swap: Swap) -> None:
    """It went well and its entry stays open until the read-back is over; then it is undone and proven."""
    with ExitStack() as later:
        outcome = drive(stage, later)
        assert outcome.ok, outcome.summary
        assert (outcome.state, outcome.observed, swap.did) == ("completed", True, ["begun"])
        (entry,) = stage.journal.open_entries()
        assert entry.facts["targets"] == [ARN]
        assert entry.facts["drill_facts"]["restored"].startswith("restored-")
        assert not stage.events("undo")
    assert swap.did == ["begun", "undone"]
    assert [event["verified"] for event in stage.events("undo")] == [True]
    assert stage.journal.open_entries() == []
    assert [event["state"] for event in stage.events("drill")] == ["completed"]
    assert [event["to"] for event in stage.events("rewind")] == [1.0]


def test_without_anybody_to_wait_for_it_is_undone_at_once(stage: Stage, swap: Swap) -> None:
    """The driver returns with nothing left."""
    assert drive(stage).ok
    assert swap.did == ["begun", "undone"]
    assert stage.journal.open_entries() == []


@pytest.mark.parametrize(
    ("during", "ended"),
    [
        (lambda stage: stage.stop.set(), ("stopped", "interrupted")),
        (lambda stage: stage.set_alarm("ALARM"), ("stopped", "is in ALARM")),
        (lambda _: _refused(), ("failed", "no storage")),
    ],
)
def test_a_drill_that_does_not_go_well_is_undone_at_once(
    stage: Stage, swap: Swap, monkeypatch: pytest.MonkeyPatch, during: Any, ended: tuple[str, str]
) -> None:
    """Stopped, on the stop alarm or refused: its outcome says why, and nobody has to wait."""
    monkeypatch.setattr("chaos.drilling._ALARM_S", 0.0)
    swap.during = lambda: during(stage)
    with ExitStack() as later:
        outcome = drive(stage, later)
        assert (outcome.ok, outcome.state, swap.did) == (False, ended[0], ["begun", "undone"])
        assert ended[1] in outcome.summary
        assert stage.journal.open_entries() == []
        assert not stage.events("rewind")


def _refused() -> None:
    raise FisError("no storage")


def test_an_undo_that_fails_stays_in_the_journal(stage: Stage, swap: Swap) -> None:
    """It is said, and `gameday abort` goes on from the entry in another process."""
    swap.undoing = _refused
    with pytest.raises(DriveError, match="no storage"):
        drive(stage)
    assert len(stage.journal.open_entries()) == 1
    assert [event["verified"] for event in stage.events("undo")] == [False]
    swap.undoing = lambda: None
    (undone,) = driver.abort(stage.env, log=stage.journal, patience=QUICK)
    assert (undone.verified, swap.did) == (True, ["begun", "undone"])
    assert stage.journal.open_entries() == []


def test_a_drill_changes_nothing_without_opt_in(stage: Stage, swap: Swap) -> None:
    """The owner of the cluster did not agree: it is not begun, and no entry is written."""
    swap.arn = ARN.replace(CLUSTER, "untagged")
    with pytest.raises(GuardError, match="opt in"):
        drive(stage)
    assert swap.did == []
    assert not stage.journal.path.exists()


def test_the_cluster_must_be_one_and_only_one(env: Environment) -> None:
    """Tags that nobody carries name no cluster."""
    found = restore.make({"tags": OPT_IN, "back": "PT1M"}, env, 0.1)
    assert [target.arn for target in found.targets()] == [ARN]
    nobody = restore.make({"tags": {"gameday": "ready", "system": "none"}, "back": "PT1M"}, env, 0.1)
    with pytest.raises(GuardError, match="expected exactly one"):
        nobody.targets()


def test_the_point_is_whole_seconds_back(env: Environment) -> None:
    """AWS takes whole seconds; the names fit into 63 characters."""
    planned = restore.make({"tags": OPT_IN, "back": "PT1M"}, env, 0.1).prepare("0123abcd")
    assert 59 <= time.time() - planned["to"] <= 62
    assert planned["to"] == int(planned["to"])
    assert (planned["cluster"], planned["restored"]) == (CLUSTER, f"{CLUSTER}-restored-0123abcd")


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("kind", "explode", "expected one of ['restore']"),
        ("back", "a while", "expected how long before the start"),
        ("back", None, "expected how long before the start"),
        ("tags", {"gameday": "ready"}, "the owner's opt-in"),
        ("tags", "lexohub", "the owner's opt-in"),
        ("speed", 1, "unknown key 'speed'; the drill restore expected ['back', 'tags']"),
    ],
)
def test_a_broken_rule_of_a_drill_is_named(tmp_path: Path, key: str, value: Any, expected: str) -> None:
    """With file and line, as for templates."""
    data = json.loads(SHIPPED.read_text("utf-8"))
    data["drill"][key] = value
    with pytest.raises(ConfigError) as caught:
        experiment.load(_written(tmp_path, data))
    assert expected in str(caught.value)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"template": {}}, "both a template and a drill"),
        ({"observe": {"probe": "none"}}, "expected none where every action is aws:fis:wait"),
        ({"drill": {"kind": "restore", "back": "PT1M"}}, "tags is missing"),
        ({"drill": []}, "expected an object"),
    ],
)
def test_the_envelope_of_a_drill_is_checked(tmp_path: Path, change: dict[str, Any], expected: str) -> None:
    """A drill is a fault: it is seen by a probe, and it is the only thing that is done."""
    data = {**json.loads(SHIPPED.read_text("utf-8")), **change}
    with pytest.raises(ConfigError) as caught:
        experiment.load(_written(tmp_path, data))
    assert expected in str(caught.value)


def _written(tmp_path: Path, data: Any) -> Path:
    folder = tmp_path / "lexohub"
    folder.mkdir(exist_ok=True)
    path = folder / "mine.json"
    path.write_text(json.dumps(data, indent=2), "utf-8")
    return path
