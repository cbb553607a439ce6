from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from detect import rows, steps
from detect.errors import DetectError
from detect.rows import CAUGHT, MISSED, QUIET, SHOWN, Done, Row
from detect.runs import Run
from detect.setup import load
from detect.steps import Bench
from tests.detect.made import run, verdict

GOOD = run(latency_p99="pass", error_rate="pass", effects={"slow-tail": 9, "errors": 2})
LATE = replace(run(code=4, valid=False), folder=Path("steady-1"))
BROKEN = Run(code=5, folder=None, verdicts=None, why="no region")

Made = Callable[..., tuple[dict[str, Row], dict[str, object]]]


@pytest.fixture
def make(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Made:
    """Works a step of the schedule off; its runs come out as given, one after the other."""

    def made(name: str, *found: Run | DetectError) -> tuple[dict[str, Row], dict[str, object]]:
        left = list(found)

        def one(*_arguments: object, **_named: object) -> Run:
            ended = left.pop(0)
            if isinstance(ended, DetectError):
                raise ended
            return ended

        (step,) = [step for step in steps.schedule(load(), quick=False) if step.name == name]
        planted = [] if step.about == "nothing is planted" else step.about.split(", ")
        told = SimpleNamespace(raw={"defects": planted})
        monkeypatch.setattr(steps.manifest, "read", lambda _folder: told)
        monkeypatch.setattr(steps.runs, "run", one)
        bench = Bench(setup=load(), out=tmp_path, quick=False, seed=1, say=lambda _text: None)
        said, about = step.work(bench)
        assert left == []
        return {row.what: row for row in said}, dict(about)

    return made


def test_one_attempt_is_enough_for_a_run_that_proves_something(make: Made) -> None:
    """No row speaks of attempts; the figures hold the one."""
    said, about = make("clean-1", GOOD)
    assert {what: row.result for what, row in said.items()} == {"nothing": QUIET}
    assert about["attempts"] == [{"exit": 0, "folder": "r", "flaw": ""}]


def test_an_attempt_that_proved_nothing_is_kept(make: Made) -> None:
    """With its exit, folder and reason, in the figures and in a row of its own, which is not wrong."""
    said, about = make("clean-1", LATE, GOOD)
    assert {what: row.result for what, row in said.items()} == {"nothing": QUIET, "attempt 1 of 2": SHOWN}
    flaw = "the run is invalid: the generator was late"
    assert said["attempt 1 of 2"].found == f"exit 4, steady-1, {flaw}"
    assert about["attempts"] == [
        {"exit": 4, "folder": "steady-1", "flaw": flaw},
        {"exit": 0, "folder": "r", "flaw": ""},
    ]
    assert rows.wrong(list(said.values())) == []


def test_two_attempts_are_all(make: Made) -> None:
    """The second one counts, whatever it is; both are kept."""
    said, about = make("tail-twins", LATE, BROKEN)
    assert {what: row.result for what, row in said.items()} == {
        "slow-tail": MISSED,
        "errors": MISSED,
        "attempt 1 of 2": SHOWN,
    }
    assert [one["flaw"] for one in about["attempts"]][1] == "no region"  # type: ignore[attr-defined]


def test_an_attempt_is_not_forgotten_when_the_next_one_never_ends(make: Made) -> None:
    """The message that takes the place of the rows names it."""
    with pytest.raises(DetectError, match=r"did not end; before it: exit 4, steady-1, the run is invalid"):
        make("clean-1", LATE, DetectError("did not end"))


def test_the_first_attempt_of_a_sealed_run_is_kept_as_well(
    make: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside the envelope that was opened."""
    monkeypatch.setattr(steps, "named_in", lambda _folder, _envelope: [])
    said, about = make("blind-1", LATE, GOOD)
    assert "attempt 1 of 2" in said
    assert [one["exit"] for one in about["attempts"]] == [4, 0]  # type: ignore[attr-defined]


def test_a_twin_stands_beside_the_clean_runs_of_its_session(make: Made, tmp_path: Path) -> None:
    """What they measured of its objective is in its row, and its effects are in the figures."""
    for number, text in enumerate(("20 ms", "22 ms"), start=1):
        about = {"objectives": {"latency-p99": ["pass", text], "error-rate": ["pass", "0%"]}}
        made = Done(
            name=f"clean-{number}",
            part="clean",
            minutes=1.0,
            quick=False,
            commit="c",
            when="w",
            rows=(),
            about=about,
        )
        rows.write(tmp_path / "steps", made)
    found = run(
        p99=verdict("latency-p99", "pass", measured="40 ms"), error_rate="pass", effects={"slow-tail": 9}
    )
    said, figures = make("tail-twins", found)
    assert "acted 9 times; measured 40 ms, clean runs 20 ms 22 ms" in said["slow-tail/twin"].found
    assert (said["slow-tail/twin"].result, said["errors/twin"].result) == (QUIET, MISSED)
    assert figures["effects"] == {"slow-tail": 9}


@pytest.mark.parametrize(
    ("passes", "more"),
    [([5], 0), ([4, 5], 1), ([0, 1, 2], 3)],
    ids=["enough", "one is missing", "no more than three"],
)
def test_a_baseline_gets_the_clean_runs_it_needs(
    make: Made, monkeypatch: pytest.MonkeyPatch, passes: list[int], more: int
) -> None:
    """Runs that passed are counted anew after each; three are the most; what they show is in the rows."""
    counts, night = iter(passes), SimpleNamespace(passed=True, plan="steady")
    others = [SimpleNamespace(passed=True, plan="defects"), SimpleNamespace(passed=False, plan="steady")]
    monkeypatch.setattr(
        steps.history, "read", lambda _path: SimpleNamespace(entries=[night] * next(counts) + others)
    )
    said, _ = make("regression", *[replace(GOOD, folder=None)] * more, run(latency_regression="fail"))
    assert said["pause"].result == CAUGHT
    assert (said["nothing"].run if more else f"clean-more-{more}") == f"clean-more-{more}"
    assert next(counts, None) is None
