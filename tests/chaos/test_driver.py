"""The whole way: real FIS, real processes, a writer that really goes away; interrupted and killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from chaos import credentials, driver, experiment, guard, planning
from chaos.errors import DriveError, GuardError, ProbeError
from chaos.experiment import Experiment
from chaos.fis import Fis
from chaos.floor import Floor
from chaos.guard import Plan
from chaos.outcome import Outcome
from fixtures.region import info
from tests.chaos.child import STEPS
from tests.chaos.stage import ALARM, CLUSTER, QUICK, Stage, until


def shipped(name: str) -> Experiment:
    return experiment.load(experiment.FOLDER / "lexohub" / f"{name}.json")


def drive(stage: Stage, wanted: Experiment, *, seconds: float = 30.0, **more: Any) -> Outcome:
    return driver.run(
        wanted,
        stage.env,
        stage.folder,
        stop=stage.stop,
        deadline=time.time() + seconds,
        run_id=stage.folder.name,
        commit="0123abc",
        log=stage.journal,
        patience=QUICK,
        **more,
    )


def slow(stage: Stage) -> None:
    """From now on a minute lasts a minute."""
    path = stage.env.region_file
    assert path is not None
    info.write(path, replace(info.read(path), time_scale=1.0))


def nothing_left(stage: Stage) -> None:
    fis = Fis.of(stage.env)
    assert stage.journal.open_entries() == []
    assert list(fis.templates()) == []
    assert [status.state for status in fis.experiments() if not status.over] == []


def test_a_failover_is_started_seen_and_proven_gone(stage: Stage) -> None:
    """The writer goes away and comes back as another; every step is on record, and nothing is left."""
    outcome = drive(stage, shipped("aurora-failover"))
    assert outcome.ok, outcome.summary
    assert (outcome.state, outcome.observed, outcome.verified) == ("completed", True, True)
    assert stage.control.failovers == 1
    states = [event["state"] for event in stage.events("fis")]
    assert (states[0], states[-1]) == ("initiating", "completed")
    assert stage.events("fis")[-1]["actions"]["failover"]["state"] == "completed"
    first, last = stage.events("probe")
    assert (first["edge"], last["edge"]) == ("first", "last")
    assert last["t"] - first["t"] >= 0.5
    assert [event["verified"] for event in stage.events("undo")] == [True]
    nothing_left(stage)


def test_what_is_started_carries_its_origin(stage: Stage) -> None:
    """Run, commit, plan and journal entry are tags of the experiment."""
    outcome = drive(stage, shipped("noop"))
    tags = next(status.tags for status in Fis.of(stage.env).experiments() if status.id == outcome.id)
    assert tags["gameday-run"] == stage.folder.name
    assert tags["gameday-commit"] == "0123abc"
    assert tags["gameday-plan"] == outcome.plan_hash
    assert tags["gameday-experiment"] == "lexohub/noop"
    opened = json.loads(stage.journal.path.read_text().splitlines()[0])
    assert tags["gameday-entry"] == opened["entry"]


def test_no_fault_runs_the_whole_way_and_is_seen_nowhere(stage: Stage) -> None:
    """The noop is a success because nothing was seen."""
    outcome = drive(stage, shipped("noop"))
    assert outcome.ok, outcome.summary
    assert (outcome.expected, outcome.observed, stage.control.failovers) == (False, False, 0)
    nothing_left(stage)


def failing() -> Experiment:
    """An action that fails: the alarm that it wants in ALARM is OK."""
    found = shipped("aurora-failover")
    action = {
        "actionId": "aws:cloudwatch:assert-alarm-state",
        "parameters": {
            "alarmArns": f"arn:aws:cloudwatch:us-east-1:123456789012:alarm:{ALARM}",
            "alarmStates": "ALARM",
        },
    }
    template = {key: value for key, value in found.template.items() if key != "targets"}
    return replace(found, template={**template, "actions": {"go": action}})


def test_a_failed_action_is_never_a_success(stage: Stage) -> None:
    """The outcome says which action failed and why; the system is as it was."""
    outcome = drive(stage, failing())
    assert (outcome.ok, outcome.state, outcome.observed, outcome.verified) == (False, "failed", False, True)
    assert outcome.actions["go"].state == "failed"
    assert "action go failed" in outcome.summary
    nothing_left(stage)


def during(condition: Callable[[], Any], act: Callable[[], Any]) -> threading.Thread:
    def wait() -> None:
        until(condition)
        act()

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


def test_an_interrupted_failover_is_waited_for(stage: Stage) -> None:
    """Stopped as soon as the writer is away: the run ends only when writes work again."""
    thread = during(lambda: stage.control.failovers, stage.stop.set)
    outcome = drive(stage, shipped("aurora-failover"))
    thread.join()
    assert (outcome.ok, outcome.verified, outcome.observed) == (False, True, True)
    assert stage.control.state == "idle"
    assert outcome.last is not None
    nothing_left(stage)


def test_the_deadline_stops_an_experiment(stage: Stage) -> None:
    """A wait of a minute is stopped when its phase is over."""
    slow(stage)
    outcome = drive(stage, shipped("noop"), seconds=1.5)
    assert (outcome.state, outcome.cut, outcome.ok) == ("stopped", "its phase was over", False)
    nothing_left(stage)


def test_nothing_starts_without_time_or_after_a_stop(stage: Stage) -> None:
    """Both are outcomes, not errors: nothing was broken."""
    late = drive(stage, shipped("noop"), seconds=-1.0)
    stage.stop.set()
    stopped = drive(stage, shipped("aurora-failover"))
    assert [late.state, stopped.state] == ["not-started", "not-started"]
    assert stage.control.failovers == 0
    assert not stage.journal.path.exists()


def test_the_stop_alarm_halts_an_experiment(stage: Stage) -> None:
    """FIS's reason comes through."""
    slow(stage)
    thread = during(lambda: len(stage.events("fis")) > 1, lambda: stage.set_alarm("ALARM"))
    outcome = drive(stage, shipped("noop"))
    thread.join()
    assert (outcome.ok, outcome.cut, outcome.verified) == (False, "", True)
    assert "stop condition" in outcome.reason
    nothing_left(stage)


def test_an_alarm_before_the_start_keeps_everything_closed(stage: Stage) -> None:
    """Nothing is journalled, created or started."""
    stage.set_alarm("ALARM")
    with pytest.raises(GuardError, match="must be OK"):
        drive(stage, shipped("aurora-failover"))
    assert stage.events("fis") == []
    assert not stage.journal.path.exists()


def test_a_system_that_is_broken_already_is_not_broken_further(stage: Stage) -> None:
    """The probe cannot be armed, so nothing starts."""
    stage.writer.status = 503
    with pytest.raises(ProbeError, match="status 503"):
        drive(stage, shipped("aurora-failover"))
    assert stage.control.failovers == 0


def test_a_hit_outside_the_plan_is_stopped(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the experiment resolves must be among what the plan had resolved."""
    monkeypatch.setattr(guard, "plan", lambda *_, **__: Plan(targets=(), hash="0" * 64))
    outcome = drive(stage, shipped("aurora-failover"))
    assert CLUSTER in outcome.cut
    assert (outcome.ok, outcome.verified) == (False, True)
    nothing_left(stage)


def test_a_fault_that_stays_keeps_its_entry_open(stage: Stage) -> None:
    """No standby after the failover: not proven gone, until abort finds it healthy again."""
    hasty = replace(QUICK, gone_s=1.5)
    honest = stage.control.answer

    def crippled(request: dict[str, Any]) -> dict[str, Any]:
        answer = honest(request)
        return {**answer, "standby_ready": False} if "standby_ready" in answer else answer

    stage.control.answer = crippled  # type: ignore[method-assign]
    outcome = driver.run(
        shipped("aurora-failover"),
        stage.env,
        stage.folder,
        stop=stage.stop,
        deadline=time.time() + 30,
        run_id="r",
        commit="c",
        log=stage.journal,
        patience=hasty,
    )
    assert (outcome.ok, outcome.verified) == (False, False)
    assert "NOT PROVEN GONE" in outcome.summary
    assert len(stage.journal.open_entries()) == 1
    with pytest.raises(GuardError, match="one at a time"):
        drive(stage, shipped("noop"))
    with pytest.raises(DriveError, match="NOT PROVEN GONE"):
        driver.abort(stage.env, log=stage.journal, patience=hasty)
    stage.control.answer = honest  # type: ignore[method-assign]
    assert [item.verified for item in driver.abort(stage.env, log=stage.journal, patience=QUICK)] == [True]
    nothing_left(stage)


def child(stage: Stage, name: str, *how: str) -> subprocess.Popen[str]:
    arguments = [name, str(stage.env.region_file), str(stage.folder), str(stage.journal.path), *how]
    return subprocess.Popen(
        [sys.executable, "-m", "tests.chaos.child", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def started(stage: Stage) -> bool:
    path = stage.journal.path
    return path.is_file() and '"event":"note"' in path.read_text()


def test_two_interrupts_stop_and_undo_once(stage: Stage) -> None:
    """SIGINT without any handler: the experiment is stopped, its entry closed; a second changes nothing."""
    slow(stage)
    with child(stage, "noop") as process:
        until(lambda: started(stage))
        process.send_signal(signal.SIGINT)
        until(lambda: any(event["state"] in ("stopping", "stopped") for event in stage.events("fis")))
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=30)
    assert said.strip() == "stopped interrupted True"
    nothing_left(stage)


def test_abort_closes_what_a_killed_driver_left(stage: Stage) -> None:
    """After kill -9 the journal and the tags are enough to stop it, prove it gone and clean up."""
    slow(stage)
    with child(stage, "aurora-failover") as process:
        until(lambda: started(stage))
        process.kill()
        process.wait()
    entry = stage.journal.open_entries()[0]
    assert entry.orphaned
    undone = driver.abort(stage.env, log=stage.journal, patience=QUICK)
    assert [(item.id, item.verified) for item in undone if item.verified is not None] == [
        (entry.facts["experiment_id"], True)
    ]
    assert [item.what for item in undone if item.verified is None] == []
    nothing_left(stage)
    assert driver.abort(stage.env, log=stage.journal, patience=QUICK) == []


def test_a_terminated_run_undoes_its_fault(stage: Stage) -> None:
    """SIGTERM, as a run takes it: the experiment is stopped and waited for, and nothing is left."""
    slow(stage)
    with child(stage, "noop", "handled") as process:
        until(lambda: started(stage))
        process.send_signal(signal.SIGTERM)
        said, _ = process.communicate(timeout=30)
    assert said.strip() == "stopped interrupted True"
    assert [event["reason"] for event in stage.events("cut")] == ["interrupted"]
    nothing_left(stage)


@pytest.mark.proof
def test_a_driver_killed_at_any_step_leaves_no_fault(stage: Stage) -> None:
    """From the journal entry to its end, whatever SIGKILL leaves is stopped, proven gone and cleaned up."""
    slow(stage)
    with child(stage, "noop", "walk") as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for step in STEPS:
            process.stdin.write(f"{step}\n")
            process.stdin.flush()
            assert process.stdout.readline().strip() == str(int(signal.SIGKILL)), step
            assert [entry.orphaned for entry in stage.journal.open_entries()] == [True], step
            driver.abort(stage.env, log=stage.journal, patience=QUICK)
            nothing_left(stage)
        process.stdin.close()


def test_abort_from_another_shell_needs_the_journal_only(stage: Stage, tmp_path: Path) -> None:
    """No region of that name is up and nothing but the journal is known, as after a reboot of the suite."""
    slow(stage)
    file = tmp_path / "another-shell.toml"
    file.write_text(Path("fixtures/environments/local.toml").read_text("utf-8"), "utf-8")
    with child(stage, "noop", "", file.stem) as process:
        until(lambda: started(stage))
        process.kill()
        process.wait()
    code = "from gameday.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "abort", "--env", str(file)],
        env={**os.environ, "GAMEDAY_STATE": str(stage.journal.path.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "noop of run child" in done.stdout
    assert "proven gone" in done.stdout
    nothing_left(stage)


def test_too_few_good_answers_end_a_fault(stage: Stage) -> None:
    """The driver sees them itself, long before the stop alarm; the reason is on record."""
    slow(stage)
    wanted = replace(shipped("noop"), floor=Floor(good_ratio=0.5, for_s=0.2))
    outcome = drive(stage, wanted, good=lambda: 0.25)
    assert (outcome.state, outcome.verified, outcome.ok) == ("stopped", True, False)
    assert "25% of the answers were good" in outcome.cut
    assert [event["reason"] for event in stage.events("cut")] == [outcome.cut]
    nothing_left(stage)


def test_only_the_approved_plan_is_applied(stage: Stage) -> None:
    """Another hash starts nothing; the right one does, also shortened."""
    wanted = [shipped("aurora-failover")]
    found = planning.plans(wanted, stage.env, run_id="r", commit="c", stopped=lambda: False, patience=QUICK)
    plan = found["aurora-failover"]
    assert [arn.rsplit(":", 1)[1] for arn in plan.arns] == [CLUSTER]
    with pytest.raises(GuardError, match=f"the plan is {plan.hash}, not the approved 000000000000"):
        drive(stage, wanted[0], approved="0" * 12)
    assert (stage.control.failovers, stage.journal.path.exists()) == (0, False)
    assert drive(stage, wanted[0], approved=plan.hash[:12]).ok
    assert stage.control.failovers == 1


def test_credentials_must_last_until_the_fault_is_gone(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Until the end of its phase, and as long as the proof may take after that."""
    needed: list[float] = []
    monkeypatch.setattr(credentials, "check", lambda _env, *, need_s: needed.append(need_s))
    assert drive(stage, shipped("noop"), seconds=30).ok
    assert QUICK.recovery_s + 20 < needed[0] <= QUICK.recovery_s + 30


def test_one_experiment_at_a_time_whoever_started_it(stage: Stage) -> None:
    """Another machine's experiment, known by its tags alone, keeps ours from starting - and only ours."""
    slow(stage)
    fis = Fis.of(stage.env)
    template_id = fis.create_template(experiment.resolve(shipped("noop"), stage.env), {})
    running = fis.start(template_id, token="o" * 8, tags={"gameday-experiment": "lexohub/noop"})
    with pytest.raises(GuardError, match=f"{running.id}.*one at a time"):
        drive(stage, shipped("noop"))
    planning.alone(fis, "writlix")
    assert not stage.journal.path.exists()


def test_the_next_start_sees_to_an_orphan_first(stage: Stage) -> None:
    """What a killed driver left is undone before anything new is started."""
    slow(stage)
    with child(stage, "noop") as process:
        until(lambda: started(stage))
        process.kill()
        process.wait()
    path: Path | None = stage.env.region_file
    assert path is not None
    info.write(path, replace(info.read(path), time_scale=0.005))
    outcome = drive(stage, shipped("noop"))
    assert outcome.ok, outcome.summary
    assert stage.journal.open_entries() == []


def test_a_fault_is_gone_with_its_region(stage: Stage) -> None:
    """An entry of a region that no longer exists is closed, although nothing answers there."""
    stage.journal.open(
        environment="local", kind="region", endpoint="http://127.0.0.1:1", region_file="/nowhere/region.json"
    )
    unresolved = replace(stage.env, aws=replace(stage.env.aws, endpoint="region:aws"))
    undone = driver.abort(unresolved, log=stage.journal, patience=QUICK)
    assert [item.verified for item in undone] == [True]
    assert "gone" in undone[0].detail
    assert stage.journal.open_entries() == []


def test_abort_stops_what_only_the_tag_tells(stage: Stage) -> None:
    """An experiment of this suite without a journal entry here - another machine's - is stopped too."""
    slow(stage)
    fis = Fis.of(stage.env)
    template_id = fis.create_template(experiment.resolve(shipped("noop"), stage.env), {})
    running = fis.start(template_id, token="t" * 8, tags={"gameday-experiment": "lexohub/noop"})
    undone = driver.abort(stage.env, log=stage.journal, patience=QUICK)
    assert [(item.what, item.id) for item in undone] == [
        ("experiment lexohub/noop", running.id),
        ("template", template_id),
    ]
    assert fis.status(running.id).state == "stopped"
