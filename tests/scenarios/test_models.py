import pytest

from slo import histogram
from tests.scenarios.runs import drive, lines, run_folder, spawn
from tests.scenarios.stand_in import stand_in
from tests.scenarios.test_drive import balanced, finish, wait_for_start

FREEZE_S = 1.5


def quantile(folder, q):
    log = histogram.read(folder / "latency.hlog")
    return histogram.quantile(log.merged([tag for tag in log.intervals if tag.endswith(".ok")]), q)


def test_held_sessions_are_open_at_once_and_hide_no_freeze(tmp_path):
    """All are connected in every second, arrivals go on through a freeze, each is accounted for."""
    with stand_in() as system:
        folder = run_folder(
            tmp_path, system.url, for_s=4, rate=100, model="sessions", sessions=250, only=["search"]
        )
        process = spawn(folder)
        wait_for_start(folder, process)
        system.freeze(FREEZE_S)
        assert finish(process) == (0, "")
    total, bad = balanced(folder)
    assert (total["intended"], dict(bad)) == (400, {})
    held = [line["sessions_open"] for line in lines(folder, "events.jsonl") if "sessions_open" in line]
    assert held[:3] == [250, 250, 250]
    assert quantile(folder, 0.99) > FREEZE_S * 0.8


def test_sessions_that_lose_their_connection_open_it_again(tmp_path):
    """The server closes every connection, as is its right: each session's next arrival reconnects."""
    with stand_in() as system:
        folder = run_folder(
            tmp_path, system.url, for_s=3, rate=60, model="sessions", sessions=40, only=["search"]
        )
        process = spawn(folder)
        wait_for_start(folder, process)
        system.hang_up()
        assert finish(process) == (0, "")
    total, bad = balanced(folder)
    assert total["ok"] + sum(bad.values()) == 180
    assert set(bad) <= {"reset"}
    held = [line["sessions_open"] for line in lines(folder, "events.jsonl") if "sessions_open" in line]
    assert held[-1] == 40


@pytest.mark.parametrize(
    ("load", "most"),
    [
        ({"model": "users", "users": 20, "think_s": 0.1, "rate": 0.0}, 20 * 3 / 0.1),
        ({"model": "partly-open", "rate": 100.0, "think_s": 0.1, "stay": 0.7, "max_in_flight": 60}, 450),
    ],
)
def test_closed_users_wait_for_a_frozen_system(tmp_path, load, most):
    """A frozen system is asked less than a healthy one would be, which is why such a run is marked."""
    with stand_in() as system:
        folder = run_folder(tmp_path, system.url, for_s=3, only=["search"], **load)
        process = spawn(folder)
        wait_for_start(folder, process)
        system.freeze(FREEZE_S)
        assert finish(process) == (0, "")
    total, bad = balanced(folder)
    assert 20 < total["intended"] < most * 0.8
    assert not bad


def test_stages_shape_the_run(tmp_path):
    """The counts of each second follow the stages exactly."""
    stages = [
        {"kind": "constant", "rate": 50, "for_s": 1.0},
        {"kind": "constant", "rate": 150, "for_s": 1.0},
        {"kind": "ramp", "to": 50, "for_s": 1.0},
    ]
    with stand_in() as system:
        folder = run_folder(tmp_path, system.url, for_s=3, stages=stages, only=["search"])
        assert drive(folder) == (0, "", "")
    begin = next(line["t"] for line in lines(folder, "events.jsonl") if line["kind"] == "load")
    seconds = {0: 0, 1: 0, 2: 0}
    for line in lines(folder, "counters.jsonl"):
        seconds[line["t"] - begin] += line["intended"]
    assert list(seconds.values()) == [50, 150, 100]
