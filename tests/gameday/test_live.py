"""The live view: what the last whole seconds of counters.jsonl say."""

from __future__ import annotations

import json
from pathlib import Path

from gameday.live import Tail


def line(t: int, intended: int, ok: int, p99: float, **bad: int) -> str:
    return json.dumps({"t": t, "op": "a", "intended": intended, "ok": ok, "bad": bad, "p99": p99}) + "\n"


def test_nothing_recorded_is_no_ratio(tmp_path: Path) -> None:
    """Before the first flush nothing is known, and nothing is published."""
    assert Tail(tmp_path).view(100.0).ratio is None


def test_the_window_sums_deltas_and_leaves_the_running_second_out(tmp_path: Path) -> None:
    """Late answers join the second they were intended in; the second under way is not judged."""
    path = tmp_path / "counters.jsonl"
    path.write_text("".join(line(t, 10, 8, 0.01) for t in range(95, 101)), "utf-8")
    tail = Tail(tmp_path)
    first = tail.view(101.0)
    assert (first.intended, first.good, first.ratio) == (10.0, 8.0, 0.8)
    with path.open("a", encoding="utf-8") as file:
        file.write("".join(line(t, 0, 2, 0.5) for t in range(95, 101)))
    second = tail.view(101.0)
    assert (second.ratio, second.p99) == (1.0, 0.5)


def test_a_line_cut_in_the_middle_waits_for_its_rest(tmp_path: Path) -> None:
    """A reader that meets half a line neither fails nor loses it."""
    path = tmp_path / "counters.jsonl"
    whole = line(99, 10, 0, 0.0, timeout=10)
    path.write_text(whole[:20], "utf-8")
    tail = Tail(tmp_path)
    assert tail.view(101.0).ratio is None
    with path.open("a", encoding="utf-8") as file:
        file.write(whole[20:])
    assert tail.view(101.0).ratio == 0.0
