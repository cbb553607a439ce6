"""Before a run sends anything: the shared lock, what an earlier run left, and the approved plans."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from chaos import experiment, journal, lock
from chaos.errors import GuardError, LockError
from chaos.lock_store import Store
from gameday import admission
from gameday.errors import ConfigError, Interrupted
from tests.chaos.stage import Stage

HASH = "0123456789ab"


@pytest.fixture
def admitted(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., AbstractContextManager[lock.Held | None]]:
    """Ask for a run of the failover on the stage."""
    monkeypatch.setattr(journal, "default", lambda: stage.journal)
    wanted = experiment.load(experiment.FOLDER / "lexohub" / "aurora-failover.json")

    def ask(**more: Any) -> AbstractContextManager[lock.Held | None]:
        request: Any = SimpleNamespace(
            plan=SimpleNamespace(system="lexohub", seconds=60.0),
            experiments=more.get("experiments", {wanted.name: wanted}),
            approved=more.get("approved", {}),
        )
        said = more.get("said", [])
        return admission.admitted(request, more.get("env", stage.env), "mine", stage.stop, said.append)

    return ask


def free(stage: Stage) -> bool:
    return Store.of(stage.env).read(lock.key_of(stage.env, "lexohub")) is None


def test_a_run_is_alone_for_as_long_as_it_lasts(stage: Stage, admitted: Any) -> None:
    """A second one is told who has the lock; it has neither started nor changed anything."""
    with admitted() as held:
        assert held is not None
        with pytest.raises(LockError, match="in use by run mine"), admitted():
            pass
        assert not free(stage)
    assert free(stage)
    assert stage.control.failovers == 0


def test_load_without_faults_takes_the_lock_as_well(stage: Stage, admitted: Any) -> None:
    """And asks FIS nothing."""
    with admitted(experiments={}), pytest.raises(LockError), admitted():
        pass
    assert free(stage)


def test_a_target_that_may_not_be_hit_stops_the_run_before_anything_starts(
    stage: Stage, admitted: Any
) -> None:
    """It resolves to nothing, here: the lock is given back, and no folder was asked for."""
    wanted = experiment.load(experiment.FOLDER / "lexohub" / "aurora-failover.json")
    targets = {"cluster": {**wanted.template["targets"]["cluster"], "resourceTags": {"nobody": "has this"}}}
    nothing = replace(wanted, template={**wanted.template, "targets": targets})
    with pytest.raises(GuardError, match="empty set"), admitted(experiments={"x": nothing}):
        pass
    assert free(stage)


def test_another_plan_than_the_approved_one_is_not_begun(
    stage: Stage, admitted: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The right one is."""
    with pytest.raises(GuardError, match="not the approved"), admitted(approved={"aurora-failover": HASH}):
        pass
    monkeypatch.setattr("gameday.standing.resolved", lambda _env: stage.env)
    wanted = experiment.load(experiment.FOLDER / "lexohub" / "aurora-failover.json")
    found = admission.resolved({wanted.name: wanted}, stage.env)
    assert isinstance(found, dict)
    with admitted(approved={"aurora-failover": found["aurora-failover"].hash}):
        assert not free(stage)
    assert free(stage)


def test_an_interrupt_meanwhile_is_no_error(stage: Stage, admitted: Any) -> None:
    """Ctrl-C during the preview: exit 130, and the lock is given back."""
    stage.stop.set()
    with pytest.raises(Interrupted), admitted():
        pass
    assert free(stage)


def test_an_environment_without_a_lock_bucket_says_so(stage: Stage, admitted: Any) -> None:
    """Load alone goes on, with a word."""
    said: list[str] = []
    bare = replace(stage.env, kind="aws", aws=replace(stage.env.aws, lock_bucket=None))
    with admitted(env=bare, experiments={}, said=said) as held:
        assert held is None
    assert "names no aws.lock_bucket" in said[0]


@pytest.mark.parametrize(
    ("words", "experiments", "expected"),
    [
        ((), ("a", "b"), {}),
        ((HASH,), ("a",), {"a": HASH}),
        ((f"a={HASH}", f"b={HASH}"), ("a", "b", "a"), {"a": HASH, "b": HASH}),
    ],
)
def test_hashes_go_to_their_experiments(
    words: tuple[str, ...], experiments: tuple[str, ...], expected: dict[str, str]
) -> None:
    """A plan with one experiment needs no name."""
    assert admission.hashes(words, experiments) == expected


@pytest.mark.parametrize(
    ("words", "experiments", "said"),
    [
        ((HASH,), ("a", "b"), "expected EXPERIMENT=HASH"),
        ((f"c={HASH}",), ("a",), r"\['a'\]"),
        (("a=xyz",), ("a",), "expected EXPERIMENT=HASH"),
        (("a=0123",), ("a",), "expected EXPERIMENT=HASH"),
        ((f"a={HASH}",), ("a", "b"), r"missing for \['b'\]"),
        ((HASH,), (), "expected EXPERIMENT=HASH"),
    ],
)
def test_a_hash_that_cannot_be_meant_is_refused(
    words: tuple[str, ...], experiments: tuple[str, ...], said: str
) -> None:
    """Also one that is too short to stand for a plan, and an experiment left out."""
    with pytest.raises(ConfigError, match=said):
        admission.hashes(words, experiments)
