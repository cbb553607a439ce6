"""A machine whose host takes its processors excuses no pass and hides no failure of integrity."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.run_folder import START, rewrite
from tests.slo.conftest import judged, of

Line = dict[str, Any]


def stolen(share: float, seconds: int) -> Callable[[Line], Line]:
    """The host took this share in so many seconds of the steady phase."""

    def change(line: Line) -> Line:
        taken = share if START + 20 < line["t"] <= START + 20 + seconds else 0.0
        return {**line, "stolen": taken} if line["kind"] == "generator" else line

    return change


def slow(line: Line) -> Line:
    """A tenth of the good answers took longer than every limit."""
    return {**line, "slower": dict.fromkeys(line["slower"], line["ok"] // 10)}


@pytest.mark.parametrize(
    ("share", "seconds", "verdict"),
    [(0.3, 5, "inconclusive"), (0.1, 5, "inconclusive"), (0.09, 100, "fail"), (0.9, 1, "fail")],
)
def test_what_fails_of_the_load_may_be_the_machines(
    folder: Path, share: float, seconds: int, verdict: str
) -> None:
    """A tenth of the processors in more than one second of a hundred, and no less, makes it open."""
    rewrite(folder / "counters.jsonl", slow)
    rewrite(folder / "events.jsonl", stolen(share, seconds))
    found = judged(folder)
    one = of(found, "latency-p99")
    assert (one.verdict, found.verdict) == (verdict, verdict)
    assert ("the host of the generator's machine took" in one.reason) == (verdict == "inconclusive")
    assert found.validity["stolen_max"] == share


def leaked(line: Line) -> Line:
    """Every search showed another user's document once a second."""
    if line["op"] != "search" or not line["ok"]:
        return line
    return {**line, "ok": line["ok"] - 1, "bad": {**line["bad"], "leak": 1}}


def test_a_pass_and_a_leak_stand(folder: Path) -> None:
    """What passed has passed in spite of it; another user's document is no machine's doing."""
    rewrite(folder / "events.jsonl", stolen(0.5, 60))
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
