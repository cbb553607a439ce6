"""A machine whose host takes its processors excuses no pass and hides no failure of integrity."""

from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import pytest

from tests.run_folder import START, rewrite
from tests.slo.conftest import judged, of

Line = dict[str, Any]


BAD_SECONDS = [START + 20 + 3 * number for number in range(30)]


def stolen(share: float, seconds: Collection[int]) -> Callable[[Line], Line]:
    """The host took this share in these seconds; a generator tells of a second at its end."""

    def change(line: Line) -> Line:
        taken = share if int(line["t"]) - 1 in seconds else 0.0
        return {**line, "stolen": taken} if line["kind"] == "generator" else line

    return change


def slow_in(seconds: Collection[int]) -> Callable[[Line], Line]:
    """All good answers of these seconds took longer than every limit."""

    def change(line: Line) -> Line:
        slow = line["t"] in seconds
        return {**line, "slower": dict.fromkeys(line["slower"], line["ok"])} if slow else line

    return change


@pytest.mark.parametrize(
    ("share", "seconds", "verdict"),
    [
        (0.3, BAD_SECONDS, "inconclusive"),
        (0.2, BAD_SECONDS, "inconclusive"),
        (0.19, BAD_SECONDS, "fail"),
        (0.9, BAD_SECONDS[:2], "fail"),
    ],
    ids=["much", "just enough", "less", "too seldom"],
)
def test_what_fails_in_those_seconds_may_be_the_machines(
    folder: Path, share: float, seconds: list[int], verdict: str
) -> None:
    """A fifth of the processors in more than one second of a hundred, and no less, makes it open."""
    rewrite(folder / "counters.jsonl", slow_in(BAD_SECONDS))
    rewrite(folder / "events.jsonl", stolen(share, seconds))
    found = judged(folder)
    one = of(found, "latency-p99")
    assert (one.verdict, found.verdict) == (verdict, verdict)
    assert ("the host of the generator's machine took" in one.reason) == (verdict == "inconclusive")
    assert found.validity["stolen_max"] == share


def test_the_second_after_is_spared_as_well(folder: Path) -> None:
    """There the backlog is worked off; two seconds after, the system is slow by itself."""
    rewrite(folder / "events.jsonl", stolen(0.5, BAD_SECONDS))
    rewrite(folder / "counters.jsonl", slow_in([second + 1 for second in BAD_SECONDS]))
    assert of(judged(folder), "latency-p99").verdict == "inconclusive"
    rewrite(folder / "counters.jsonl", slow_in([second + 2 for second in BAD_SECONDS]))
    found = judged(folder)
    assert (of(found, "latency-p99").verdict, found.verdict) == ("fail", "fail")


def test_what_is_no_share_of_arrivals_is_left_open(folder: Path) -> None:
    """A rate cannot be asked again without some seconds; the share of failures can."""
    rewrite(
        folder / "counters.jsonl",
        lambda line: (
            {**line, "ok": 0, "slower": {}, "bad": {"timeout": line["ok"]}}
            if line["op"] == "search"
            else line
        ),
    )
    assert of(judged(folder), "search-rate").verdict == "fail"
    rewrite(folder / "events.jsonl", stolen(0.5, BAD_SECONDS))
    found = judged(folder)
    assert of(found, "search-rate").verdict == "inconclusive"
    assert of(found, "search-latency").verdict == "fail"


def leaked(line: Line) -> Line:
    """Every search showed another user's document once a second."""
    if line["op"] != "search" or not line["ok"]:
        return line
    return {**line, "ok": line["ok"] - 1, "bad": {**line["bad"], "leak": 1}}


def test_a_pass_and_a_leak_stand(folder: Path) -> None:
    """What passed has passed in spite of it; another user's document is no machine's doing."""
    rewrite(folder / "events.jsonl", stolen(0.5, BAD_SECONDS))
    found = judged(folder)
    assert (found.verdict, found.exit) == ("pass", 0)
    assert found.validity["disturbed"]
    rewrite(folder / "counters.jsonl", leaked)
    found = judged(folder)
    assert (of(found, "isolation").verdict, found.verdict, found.exit) == ("fail", "fail", 1)


def test_a_machine_that_does_not_tell_is_not_disturbed(folder: Path) -> None:
    """Records of machines that know nothing of a host are judged as they are."""
    found = judged(folder)
    assert (found.validity["stolen_max"], found.validity["disturbed"]) == (None, "")
