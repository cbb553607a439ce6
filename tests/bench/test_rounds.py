"""Which rounds are kept where the machine's host takes its share."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bench import rounds
from bench.errors import BenchError
from bench.stage import Stage


def hosts(shares: Iterator[float]) -> Callable[[], Any]:
    """Makes hosts each of which takes the next share."""

    class Fake:
        def __init__(self) -> None:
            self.share = next(shares)

        def report(self) -> dict[str, float]:
            return {"stolen": self.share}

    return Fake


@pytest.mark.parametrize(
    ("shares", "kept"),
    [
        ([0.0, 0.01, 0.005], [0, 1, 2]),
        ([0.0, 0.3, 0.0, 0.0], [0, 2, 3]),
        ([0.3, 0.1, 0.2, 0.5, 0.05, 0.4], [1, 2, 4]),
        ([0.0, 0.0, 0.03, 0.5, 0.0], [0, 1, 4]),
    ],
    ids=["a calm machine", "one spoilt", "none is calm", "no more than are needed"],
)
def test_the_calmest_rounds_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shares: list[float], kept: list[int]
) -> None:
    """A spoilt round is made again, at most as many as there are rounds; the order stays."""
    monkeypatch.setattr(rounds, "Host", hosts(iter(shares)))
    numbers = iter(range(100))
    stage = Stage(quick=False, folder=tmp_path, say=lambda _: None)
    found: Any = rounds.interleaved(stage, "it", {"ours": lambda: next(numbers)})  # type: ignore[dict-item,return-value]
    assert found == {"ours": kept}
    assert stage.rounds == [{"what": "it", "host_took": shares, "kept": kept}]
    assert next(numbers) == len(shares)


def test_the_worst_of_a_rounds_runs_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A round is as calm as its worst run, and all its runs are kept or none."""
    monkeypatch.setattr(rounds, "Host", hosts(iter([0.0, 0.2, 0.0, 0.0])))
    stage = Stage(quick=True, folder=tmp_path, say=lambda _: None)
    runs: Any = {"a": iter("12").__next__, "b": iter("34").__next__}
    found: Any = rounds.interleaved(stage, "it", runs)
    assert found == {"a": ["2"], "b": ["4"]}


def outcomes(*said: int | None) -> Callable[[], Any]:
    """A tool that gives these numbers, and fails where there is none."""
    given = iter(said)

    def run() -> int:
        if (number := next(given)) is None:
            raise BenchError("it ended with exit 4")
        return number

    return run


def test_a_tool_that_fails_while_the_host_takes_its_share_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The round counts as made, is named, and the others are kept."""
    monkeypatch.setattr(rounds, "Host", hosts(iter([0.0, 0.2, 0.0, 0.0])))
    stage = Stage(quick=False, folder=tmp_path, say=lambda _: None)
    found: Any = rounds.interleaved(stage, "it", {"ours": outcomes(1, None, 3, 4)})
    assert found == {"ours": [1, 3, 4]}
    assert stage.rounds[0]["failed"] == ["it ended with exit 4"]


@pytest.mark.parametrize(
    ("share", "runs"), [(0.0, [1, None]), (0.2, [1, 2, None, None, None, None])], ids=["calm", "too often"]
)
def test_a_failure_that_the_host_does_not_explain_ends_the_section(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, share: float, runs: list[int | None]
) -> None:
    """On a calm machine at once, and otherwise when too few rounds are left."""
    monkeypatch.setattr(rounds, "Host", hosts(iter([share] * 6)))
    stage = Stage(quick=False, folder=tmp_path, say=lambda _: None)
    with pytest.raises(BenchError, match="exit 4"):
        rounds.interleaved(stage, "it", {"ours": outcomes(*runs)})
    assert stage.rounds == []
