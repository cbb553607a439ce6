import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from detect import __main__ as command
from detect import session, steps
from detect.errors import DetectError
from detect.rows import CAUGHT, FALSE_ALARM, MISSED, QUIET, Row
from detect.setup import load
from detect.steps import PARTS, Bench, Step


def _row(result: str) -> Row:
    return Row(part="clean", run="r", what="w", expected="e", found="f", result=result)


@pytest.fixture
def staged(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Runs the command over made-up steps; each is what it finds, or what it raises."""
    calls: list[str] = []

    def stage(*found: Sequence[Row] | BaseException, options: Sequence[str] = ()) -> int:
        def step(number: int, one: Sequence[Row] | BaseException) -> Step:
            def work(_bench: Bench):
                calls.append(f"s{number}")
                if isinstance(one, BaseException):
                    raise one
                return list(one), {}

            return Step(name=f"s{number}", part=PARTS[number], minutes=1.0, about="made up", work=work)

        made = [step(number, one) for number, one in enumerate(found)]
        monkeypatch.setattr(command.steps, "schedule", lambda _setup, quick: made)
        monkeypatch.setattr(command, "RESULTS", tmp_path / "results.json")
        calls.clear()
        return command.main(["--out", str(tmp_path / "out"), *options])

    stage.calls = calls  # type: ignore[attr-defined]
    return stage


@pytest.mark.parametrize(
    ("results", "code"), [([CAUGHT, QUIET], 0), ([CAUGHT, MISSED], 1), ([QUIET, FALSE_ALARM], 1)]
)
def test_the_exit_code_is_whether_anything_was_wrong(staged, tmp_path: Path, results, code: int) -> None:
    """No miss and no false alarm; the results are written either way."""
    assert staged([_row(one) for one in results]) == code
    found = json.loads((tmp_path / "results.json").read_text())
    assert found["counts"][results[1]] == results.count(results[1])
    assert found["missing"] == []


def test_a_step_that_breaks_is_a_miss_and_the_others_go_on(
    staged, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing that was not made can pass."""
    assert staged(DetectError("no region"), [_row(QUIET)]) == 1
    assert staged.calls == ["s0", "s1"]
    assert "no region" in capsys.readouterr().out


def test_an_interrupt_is_130_and_can_be_resumed(staged, tmp_path: Path) -> None:
    """What was finished is not made again; earlier results stay until then."""
    assert staged([_row(QUIET)], KeyboardInterrupt()) == 130
    assert not (tmp_path / "results.json").exists()
    assert staged([_row(QUIET)], [_row(CAUGHT)], options=["--resume"]) == 0
    assert staged.calls == ["s1"]


def test_parts_add_up_to_one_table(staged, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One that is made alone joins the others as they were; what is missing is named."""
    assert staged([_row(MISSED)], [_row(QUIET)], options=["--only", PARTS[1]]) == 0
    assert "not done yet in this session: s0" in capsys.readouterr().err
    assert staged([_row(MISSED)], [_row(QUIET)], options=["--only", PARTS[0]]) == 1
    assert staged.calls == ["s0"]
    found = json.loads((tmp_path / "results.json").read_text())
    assert (found["counts"][MISSED], found["counts"][QUIET], found["missing"]) == (1, 1, [])
    assert all(step["commit"] and step["when"] for step in found["steps"])
    assert staged([_row(QUIET)], [_row(QUIET)], options=["--only", PARTS[0]]) == 0


def test_a_smoke_run_leaves_the_results_alone(staged, tmp_path: Path) -> None:
    """Its own are beside its runs."""
    assert staged([_row(QUIET)], options=["--quick"]) == 0
    assert not (tmp_path / "results.json").exists()
    assert len(list((tmp_path / "out").glob("quick-*/results.json"))) == 1


def test_the_schedule_fits(capsys: pytest.CaptureFixture[str]) -> None:
    """Under 75 minutes in all, every group in it, the clean runs before what is compared with them."""
    planned = steps.schedule(load(), quick=False)
    assert sum(step.minutes for step in planned) < 75
    names = [step.name for step in planned]
    assert len(set(names)) == len(names)
    assert names[:6] == [f"clean-{number}" for number in range(1, 7)]
    assert {group.name for group in load().groups} <= set(names)
    assert {step.part for step in planned} == set(PARTS)
    assert command.main(["--dry"]) == 0
    assert "min in all" in capsys.readouterr().out
    assert sum(step.minutes for step in steps.schedule(load(), quick=True)) < 15


def test_groups_that_cannot_be_used_start_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Exit 2, and no session."""
    monkeypatch.setattr(command.setup.load, "__defaults__", (tmp_path / "none.toml", None))
    assert command.main(["--out", str(tmp_path / "out")]) == 2
    assert not (tmp_path / "out").exists()


def test_a_session_keeps_its_seed(tmp_path: Path) -> None:
    """One that is gone on with draws what it drew before; a smoke run has its own."""
    first = session.opened(tmp_path, quick=False, fresh=True, seed=None)
    assert session.opened(tmp_path, quick=False, fresh=False, seed=None) == first
    assert session.opened(tmp_path, quick=True, fresh=False, seed=5).seed == 5
