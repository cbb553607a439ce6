"""`gameday replay` and runs that repeat a workload, against a real server on loopback."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures.replay import workload
from gameday import fidelity, replayed
from gameday.cli import main
from gameday.errors import ConfigError
from gameday.exitcodes import ExitCode
from slo import jsonl
from tests.fixtures.replay.logs import alb, write
from tests.gameday import hostile
from tests.scenarios.stand_in import stand_in

SPEED = 2.0
ENVIRONMENT = """
kind = "aws"
size = "small"
allow_hosts = ["127.0.0.1"]
max_rate = "{rate}"
[urls]
api = "{url}"
[aws]
account = "123456789012"
region = "us-east-1"
endpoint = "http://127.0.0.1:1"
"""


def gameday(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


def log(folder: Path) -> Path:
    """Four seconds: 40 reads a second, one HEAD, one search with a body and one save without."""
    lines = []
    for second in range(4):
        lines += [
            alb(f"/api/items/{second * 40 + n}?page={n % 3}", at=_at(second, n * 20)) for n in range(40)
        ]
        lines.append(alb("/api/items/1", method="HEAD", at=_at(second, 900)))
        lines.append(alb("/api/search", method="POST", at=_at(second, 901)))
        lines.append(alb(f"/api/items/{second}", method="PUT", at=_at(second, 902)))
    lines.append("not a line")
    return write(folder / "alb.log.gz", reversed(lines))


def _at(second: int, ms: int) -> str:
    return f"10:00:{second:02}.{ms:03}000"


def environment(folder: Path, url: str, rate: str = "500/s") -> Path:
    path = folder / "here.toml"
    path.write_text(ENVIRONMENT.format(url=url, rate=rate))
    return path


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    """A workload, and what its import said."""
    folder = tmp_path_factory.mktemp("workload")
    bodies = folder / "bodies.toml"
    bodies.write_text('["POST /api/search"]\nbody = \'{"q": "law"}\'\n')
    out = folder / "some.workload"
    shown = gameday("replay", "import", log(folder), "--format", "alb", "--out", out, "--bodies", bodies)
    return out, shown


@pytest.fixture(scope="module")
def run(
    made: tuple[Path, Result], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Result, Path, Counter[str], bytes]:
    """One replay at twice the speed, its folder, what the server saw, and a head of it."""
    runs = tmp_path_factory.mktemp("runs")
    with hostile.serving() as server:
        env = environment(runs, server.url(""))
        words = ("--replay", made[0], "--speed", SPEED, "--env", env, "--out", runs / "out")
        shown = gameday("run", "replay", *words)
        (folder,) = (runs / "out").glob("replay-*")
        return shown, folder, server.seen, server.heads[-1]


def test_import_says_what_is_in_the_workload(made: tuple[Path, Result]) -> None:
    """And `show` says it again, from the file."""
    path, shown = made
    assert shown.exit_code == ExitCode.PASS, shown.output
    for words in (
        "172 requests of 173 lines in 1 alb files",
        "over 3.902 s",
        "busiest  1 s: 43 requests (43.0/s)",
        "left out: 1 lines",
        "1  too few fields",
        "93.0%  GET /api/items/{id}",
        "PUT /api/items/{id}  not replayed: PUT without a body template",
    ):
        assert words in shown.output
    again = gameday("replay", "show", path)
    assert again.output == shown.output.replace(f"workload {path}\n", "")


def test_every_recorded_request_is_sent_once_and_as_recorded(
    run: tuple[Result, Path, Counter[str], bytes],
) -> None:
    """Reads, heads, and what there is a body for; nothing else."""
    shown, folder, seen, head = run
    assert shown.exit_code == ExitCode.PASS, shown.output
    expected = Counter({f"GET /api/items/{n}?page={n % 40 % 3} HTTP/1.1": 1 for n in range(160)})
    expected |= Counter({"HEAD /api/items/1 HTTP/1.1": 4, "POST /api/search HTTP/1.1": 4})
    assert seen == expected
    assert f"X-Gameday-Run: {folder.name}".lower().encode() in head.lower()


def test_a_run_folder_says_how_true_the_replay_was(run: tuple[Result, Path, Counter[str], bytes]) -> None:
    """Everything sent in its second, and what was left out by reason."""
    shown, folder, _, _ = run
    found = json.loads((folder / "fidelity.json").read_text())
    assert (found["recorded"], found["planned"], found["sent"]) == (172, 168, 168)
    assert found["skipped"] == {"PUT without a body template": 4}
    assert found["left_out"] == {"too few fields": 1}
    assert (found["largest_difference"], found["mean_difference"], found["mix_distance"]) == (0, 0.0, 0.0)
    assert found["mix_distance_recorded"] == pytest.approx(4 / 172)
    assert (found["speed"], found["seconds"]) == (SPEED, 2)
    assert "replayed 168 of 168 planned requests (100.00%), speed 2.0" in shown.output
    assert [e["sent"] for e in jsonl.read(folder / "events.jsonl") if e["kind"] == "fidelity"] == [168]
    assert gameday("replay", "fidelity", folder).output.splitlines()[0] in shown.output


def test_counters_keep_the_recorded_pace(run: tuple[Result, Path, Counter[str], bytes]) -> None:
    """Twice as fast: two recorded seconds in one."""
    _, folder, _, _ = run
    seconds: Counter[int] = Counter()
    for line in jsonl.read(folder / "counters.jsonl"):
        seconds[line["t"]] += line["sent"]
    assert sorted(seconds.values()) == [84, 84]


def test_fidelity_outlives_the_workload(
    run: tuple[Result, Path, Counter[str], bytes], tmp_path: Path
) -> None:
    """What was computed at the end is shown; a folder that replayed nothing says so."""
    _, folder, _, _ = run
    copy = tmp_path / folder.name
    copy.mkdir()
    for name in ("manifest.json", "fidelity.json", "events.jsonl", "counters.jsonl"):
        (copy / name).write_bytes((folder / name).read_bytes())
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["load"]["replay"]["file"] = str(tmp_path / "gone")
    (copy / "manifest.json").write_text(json.dumps(manifest))
    assert "replayed 168 of 168" in gameday("replay", "fidelity", copy).output
    del manifest["load"]["replay"]
    (copy / "manifest.json").write_text(json.dumps(manifest))
    (copy / "fidelity.json").unlink()
    shown = gameday("replay", "fidelity", copy)
    assert shown.exit_code == ExitCode.USAGE


def test_a_system_sends_recorded_requests_as_its_own_users(tmp_path: Path) -> None:
    """Logged in, with their tokens; judged by the objectives given."""
    lines = [alb("/api/workflow/dashboard", at=_at(n // 10, n % 10 * 100)) for n in range(20)]
    assert gameday("replay", "import", write(tmp_path / "a.log", lines), "--format", "alb",
                   "--out", tmp_path / "w").exit_code == ExitCode.PASS  # fmt: skip
    with stand_in() as system:
        env = environment(tmp_path, system.url)
        words = ("--replay", tmp_path / "w", "--env", env, "--objective", "p(99) < 2s", "--for", "1s")
        shown = gameday("run", "lexohub", *words, "--out", tmp_path / "runs")
    assert system.seen["GET workflow"] == 10
    assert system.seen["POST login"] > 0
    assert "20 after the end" not in shown.output
    assert "10 after the end" in shown.output
    (folder,) = (tmp_path / "runs").glob("lexohub-*")
    totals = Counter[str]()
    for line in jsonl.read(folder / "counters.jsonl"):
        totals.update({"ok": line["ok"], "sent": line["sent"]})
    assert totals == {"ok": 10, "sent": 10}
    verdicts = json.loads((folder / "verdicts.json").read_text())
    assert [(one["id"], one["bad"] if "bad" in one else one["k"]) for one in verdicts["objectives"]] == [
        ("latency-p99", 0)
    ]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("--speed", "0"), "--speed 0"),
        (("--speed", "nan"), "--speed nan"),
        (("--for", "soon"), "--for"),
        (("--rate", "5/s"), "do not go with --replay"),
        (("--only", "nothing"), "--only ['nothing']"),
        (("--objective", "p(99)"), "--objective"),
        (("--replay", "nowhere"), "no such workload"),
        (("--speed", "100"), "try --speed"),
        (("--env", "local"), "local region"),
        (("--only", "put"), "none of its requests would be sent"),
    ],
)
def test_what_cannot_be_meant_sends_nothing(
    made: tuple[Path, Result], tmp_path: Path, words: tuple[str, ...], expected: str
) -> None:
    """Exit 2, with what was expected, and no run folder."""
    env = environment(tmp_path, "http://127.0.0.1:1", rate="50/s")
    shown = gameday("run", "replay", "--replay", made[0], "--env", env, "--out", tmp_path / "runs", *words)
    assert shown.exit_code == ExitCode.USAGE, shown.output
    assert expected in shown.output
    assert not list((tmp_path / "runs").glob("*"))


def test_the_speed_that_is_suggested_is_allowed(made: tuple[Path, Result]) -> None:
    """The environment's ceiling holds for the busiest second."""
    seen = replayed.preview(workload.read(made[0]), speed=2.0, limit_s=None)
    assert (seen.planned, seen.peak, seen.for_s) == (168, 84, 2.0)
    assert seen.skipped == {"PUT without a body template": 4}
    with pytest.raises(ConfigError):
        replayed.preview(workload.read(made[0]), speed=1e6, limit_s=None)


def test_speed_and_objectives_need_a_workload() -> None:
    """A plan has its own."""
    for words in (("--speed", "2"), ("--objective", "p(99) < 1s")):
        shown = gameday("run", "lexohub-local", *words)
        assert shown.exit_code == ExitCode.USAGE
        assert "--replay" in shown.output


@pytest.mark.parametrize(
    "words",
    [
        ("import", "nowhere.log", "--format", "alb"),
        ("import", "{log}", "--format", "alb", "--cap-gap", "long"),
        ("import", "{log}", "--format", "alb", "--bodies", "nowhere.toml"),
        ("import", "{log}", "--format", "har"),
        ("import", "{log}", "--format", "alb", "--out", "/proc/none/x"),
        ("show", "{log}"),
        ("fidelity", "nowhere"),
    ],
)
def test_files_that_cannot_be_used_end_with_two(tmp_path: Path, words: tuple[str, ...]) -> None:
    """A line that says which and why, and no trace of a workload."""
    file = log(tmp_path)
    shown = gameday("replay", *(word.format(log=file) for word in words))
    assert shown.exit_code == ExitCode.USAGE
    assert shown.output.startswith("error: ")
    assert list(tmp_path.iterdir()) == [file]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 1000), st.integers(0, 1000)), min_size=1, max_size=20))
def test_the_distance_of_mixes_is_one(counts: list[tuple[int, int]]) -> None:
    """Symmetric, 0 for itself, never above 1."""
    ours, theirs = (np.array(column, dtype=np.int64) for column in zip(*counts, strict=True))
    assert fidelity.distance(ours, ours) == 0.0
    assert fidelity.distance(ours, theirs) == pytest.approx(fidelity.distance(theirs, ours))
    assert 0.0 <= fidelity.distance(ours, theirs) <= 1.0 + 1e-12


def test_a_lost_arrival_shows(run: tuple[Result, Path, Counter[str], bytes], tmp_path: Path) -> None:
    """Proof by breaking: ten reads of one second not sent."""
    _, folder, _, _ = run
    copy = tmp_path / folder.name
    copy.mkdir()
    lines: list[dict[str, Any]] = [dict(line) for line in jsonl.read(folder / "counters.jsonl")]
    next(line for line in lines if line["sent"] >= 10)["sent"] -= 10
    (copy / "counters.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    for name in ("manifest.json", "events.jsonl"):
        (copy / name).write_bytes((folder / name).read_bytes())
    found = fidelity.of(copy)
    assert (found.sent, found.largest_difference, found.mean_difference) == (158, 10, 5.0)
    assert found.mix_distance > 0
