"""What a growing run folder says: the last whole seconds of counters.jsonl, and how the run stands."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from gameday.tail import Standing, Tail


def line(t: int, intended: int, ok: int, p99: float, **bad: int) -> str:
    row = {"t": t, "op": "a", "intended": intended, "ok": ok, "bad": bad, "p50": p99 / 2, "p99": p99}
    return json.dumps(row) + "\n"


def events(folder: Path, *lines: dict[str, Any]) -> None:
    with (folder / "events.jsonl").open("a", encoding="utf-8") as file:
        file.write("".join(json.dumps(each) + "\n" for each in lines))


def test_nothing_recorded_is_no_ratio(tmp_path: Path) -> None:
    """Before the first flush nothing is known, and nothing is published."""
    view = Tail(tmp_path).view(100.0)
    assert (view.ratio, view.p50, view.p99) == (None, None, None)


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
    assert (second.ratio, second.p50, second.p99) == (1.0, 0.005, 0.5)


def test_rates_are_right_from_the_first_second_on(tmp_path: Path) -> None:
    """Two seconds of traffic are divided by two; a silent stretch in the middle counts as silence."""
    path = tmp_path / "counters.jsonl"
    path.write_text(line(98, 10, 10, 0.01) + line(99, 10, 10, 0.01), "utf-8")
    tail = Tail(tmp_path)
    assert [tail.view(now).intended for now in (101.0, 102.0, 103.5, 105.0)] == [10.0, 20 / 3, 5.0, 2.0]


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


def test_the_end_is_known_from_the_plan_and_the_traffics_start(tmp_path: Path) -> None:
    """Nothing is left to count before traffic flows; then the phases' lengths say when it ends."""
    manifest = {"phases": [{"for_s": 10}, {"for_s": 50.0}], "load": {"max_in_flight": 600}}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    standing = Standing(tmp_path)
    standing.read()
    assert standing.left(100.0) is None
    events(tmp_path, {"t": 100.0, "kind": "load", "edge": "start"})
    standing.read()
    assert [standing.left(now) for now in (110.0, 160.0, 170.0)] == [50.0, 0.0, 0.0]
    assert (standing.planned, standing.most) == (60.0, 600)


def test_a_folder_without_a_manifest_still_shows_something(tmp_path: Path) -> None:
    """No total, no fault, no worker: no failure either."""
    standing = Standing(tmp_path)
    events(tmp_path, {"t": 100.0, "kind": "load", "edge": "start"})
    standing.read()
    assert (standing.left(101.0), standing.in_flight, standing.lag) == (None, 0, None)


def test_workers_add_up_and_the_worst_lag_counts(tmp_path: Path) -> None:
    """In flight and CPU are sums of each worker's last second; a lost worker is named and left out."""
    standing = Standing(tmp_path)
    for worker, lag in (("w1", 0.001), ("w2", 0.004)):
        second = {"kind": "generator", "worker": worker, "lag_p99": lag, "cpu": 0.25}
        events(tmp_path, second | {"t": 100.0, "in_flight": 90}, second | {"t": 101.0, "in_flight": 7})
    standing.read()
    assert (standing.in_flight, standing.lag, standing.cpu) == (14, 0.004, 0.5)
    events(tmp_path, {"t": 102.0, "kind": "worker_lost", "worker": "w2"})
    standing.read()
    assert (standing.in_flight, standing.lag, standing.lost) == (7, 0.001, {"w2"})


def test_drops_are_of_the_last_seconds(tmp_path: Path) -> None:
    """What was dropped a while ago is in the report, not on the screen."""
    standing = Standing(tmp_path)
    dropped = {"kind": "generator", "dropped_system": 3, "dropped_generator": 1}
    events(tmp_path, dropped | {"t": 100.0}, dropped | {"t": 104.0})
    standing.read()
    assert (standing.dropped(105.0), standing.dropped(110.0), standing.dropped(111.0)) == (8, 4, 0)


def test_a_fault_is_shown_until_it_is_proven_gone(tmp_path: Path) -> None:
    """Its state, whether the probe saw it, and no longer than until the undo is verified."""
    standing = Standing(tmp_path)
    fault = {"t": 1.0, "experiment": "aurora-failover"}
    events(tmp_path, fault | {"kind": "fis", "state": "running"})
    events(tmp_path, fault | {"kind": "probe", "edge": "first"})
    standing.read()
    assert standing.faults == {"aurora-failover": "running, seen"}
    events(tmp_path, fault | {"kind": "undo", "verified": False})
    standing.read()
    assert standing.faults
    events(tmp_path, fault | {"kind": "undo", "verified": True})
    standing.read()
    assert not standing.faults
