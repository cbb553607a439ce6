"""Run folders that were damaged, cut, forged or written by others: a clear reason and never a pass."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from slo import jsonl, judge, record, verdict
from slo.errors import RecordError
from slo.verdict import Verdicts
from tests.run_folder import START, Plan, amend, rewrite, write
from tests.slo.conftest import LEXOHUB

Damage = Callable[[Path], None]
ASKED = ("latency-p99", "error-rate", "db-connections")


@pytest.fixture(scope="module")
def healthy(tmp_path_factory) -> Path:
    """A small run that passes, and is not to be changed."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    phases = (("warmup", 5, None), ("steady", 125, None))
    rates = {"matter_read": 40, "search": 40}
    return write(
        folder, Plan(phases=phases, rates=rates, objectives=ASKED, judge=(), probe="none", seen=None)
    )


@pytest.fixture
def folder(healthy, tmp_path) -> Path:
    """A copy of it, to be broken."""
    return Path(shutil.copytree(healthy, tmp_path / "run"))


def _judged(folder: Path) -> Verdicts:
    return judge.judge(record.read(folder), LEXOHUB)


def test_the_run_passes_before_it_is_broken(folder):
    """Else none of what follows would mean anything."""
    found = _judged(folder)
    assert (found.verdict, found.exit) == ("pass", 0), found.reason


def _halved(name: str) -> Damage:
    def damage(folder: Path) -> None:
        lines = (folder / name).read_bytes().split(b"\n")
        (folder / name).write_bytes(b"\n".join(lines[: len(lines) // 2]) + b"\n")

    return damage


def _without(name: str) -> Damage:
    return lambda folder: (folder / name).unlink()


def _text(name: str, text: str) -> Damage:
    def damage(folder: Path) -> None:
        (folder / name).write_text(text)

    return damage


def _more(name: str, text: str) -> Damage:
    def damage(folder: Path) -> None:
        with (folder / name).open("a") as file:
            file.write(text)

    return damage


def _lines(name: str, change: Callable[[dict[str, Any]], dict[str, Any] | None]) -> Damage:
    return lambda folder: rewrite(folder / name, change)


def _manifest(**fields: Any) -> Damage:
    return lambda folder: amend(folder, **fields)


def _twice(name: str) -> Damage:
    def damage(folder: Path) -> None:
        (folder / name).write_bytes((folder / name).read_bytes() * 2)

    return damage


def _one(**fields: Any) -> str:
    usual = {"t": START + 9, "op": "search", "planned": 1, "intended": 1, "sent": 1, "ok": 1}
    return json.dumps({**usual, **fields}) + "\n"


def _between(first: int, last: int) -> Callable[[dict[str, Any]], dict[str, Any] | None]:
    return lambda line: None if START + first <= line["t"] < START + last else line


def _uncounted(line: dict[str, Any]) -> dict[str, Any]:
    return {**line, "slower": {}} if line["t"] == START + 60 else line


def _every_other(folder: Path) -> None:
    rewrite(folder / "events.jsonl", lambda x: {**x, "starts": 80} if x["kind"] == "generator" else x)
    rewrite(folder / "counters.jsonl", lambda x: x if x["t"] % 2 else None)


REFUSED = [
    ("no manifest", _without("manifest.json"), "no manifest.json; is this a run folder?"),
    ("an empty manifest", _text("manifest.json", ""), "cannot be read as JSON"),
    ("half a manifest", _text("manifest.json", '{"schema": 1, "run_id"'), "cannot be read as JSON"),
    (
        "a foreign manifest",
        _text("manifest.json", '{"name": "app", "version": 3}'),
        "schema None instead of 1",
    ),
    ("a future one", _manifest(schema=2), "schema 2 instead of 1; use the version of gameday that wrote it"),
    ("no end of brackets", _text("manifest.json", "[" * 100_000), "nested too deeply"),
    (
        "NaN in the manifest",
        _text("manifest.json", '{"schema": 1, "x": NaN}'),
        "NaN is not a number JSON knows",
    ),
    ("objectives as a text", _manifest(objectives="latency-p99"), "is not a list of names"),
    ("objectives as tables", _manifest(objectives=[{}]), "is not a list of names"),
    (
        "a phase without end",
        _manifest(phases=[{"name": "steady", "for_s": "long"}]),
        "'long' is not a number",
    ),
    ("fewer passes than none", _manifest(least_passes=-5), "least_passes is -5"),
    ("time that stands still", _manifest(environment={"time_scale": 0}), "time_scale is 0"),
    ("no patience at all", _manifest(load={"timeout_s": -1}), "timeout_s is -1"),
    ("binary counters", _text("counters.jsonl", "\x00\x01\n\x02\n"), "counters.jsonl:1: not a JSON object"),
    ("NaN answers", _more("counters.jsonl", '{"t": 1, "ok": NaN}\n{}\n'), "NaN is not a number"),
    (
        "endless answers",
        _more("counters.jsonl", '{"t": 1, "ok": 1e999}\n{}\n'),
        "inf is not a whole number",
    ),
    ("fewer than none", _more("counters.jsonl", _one(ok=-1)), "a negative count"),
    ("fewer bad than none", _more("counters.jsonl", _one(bad={"timeout": -3})), "a negative count"),
    ("half an answer", _more("counters.jsonl", _one(ok=0.5)), "0.5 is not a whole number"),
    ("an answer in words", _more("counters.jsonl", _one(sent="two")), "'two' is not a whole number"),
    ("a true answer", _more("counters.jsonl", _one(ok=True)), "True is not a whole number"),
    ("half a second", _more("counters.jsonl", _one(t=START + 0.5)), "is not a whole number"),
    ("milliseconds", _more("counters.jsonl", _one(t=START * 1000)), "beyond all reason"),
    ("a number for giants", _more("counters.jsonl", _one(intended=10**30)), "line "),
    (
        "more slow than answered",
        _more("counters.jsonl", _one(slower={"0.5": 2})),
        "2 answers slower than 0.5 s",
    ),
    ("a limit in words", _more("counters.jsonl", _one(slower={"soon": 0})), "could not convert"),
    ("a limit of nothing", _more("counters.jsonl", _one(slower={"0": 0})), "is not a latency"),
    ("a limit twice", _more("counters.jsonl", _one(slower={"0.50": 1})), "was written otherwise before"),
    (
        "no intended",
        _lines("counters.jsonl", lambda x: {**x, "intended": None}),
        "None is not a whole number",
    ),
    (
        "another night's second",
        _more("counters.jsonl", _one(t=START - 86_400)),
        "its lines are not of one run",
    ),
    ("the first second ever", _more("counters.jsonl", _one(t=0)), "its lines are not of one run"),
    ("events without time", _more("events.jsonl", '{"kind": "load"}\n'), "an event without a time"),
    ("events at NaN", _more("events.jsonl", '{"t": "nan", "kind": "load"}\n'), "an event without a time"),
    ("a series at no time", _more("metrics.jsonl", '{"t": null}\n'), "not a metric"),
    ("a period of less", _lines("metrics.jsonl", lambda x: {**x, "period": -5}), "a period of -5 s"),
    (
        "a folder for a file",
        lambda f: (_without("events.jsonl")(f), (f / "events.jsonl").mkdir()),
        "cannot be read",
    ),
]


@pytest.mark.parametrize(("damage", "message"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_what_cannot_be_a_record_is_refused(folder, damage, message):
    """One error that names the file, and what is wrong with it."""
    damage(folder)
    with pytest.raises(RecordError) as caught:
        record.read(folder)
    assert message in str(caught.value)
    assert str(folder) in str(caught.value)


DOUBTED = [
    (
        "an empty folder but for its manifest",
        lambda f: [one.unlink() for one in f.glob("*.[jh]*l*")],
        "no data",
    ),
    ("counters lost", _without("counters.jsonl"), "no arrivals"),
    ("half the counters", _halved("counters.jsonl"), "counters.jsonl holds nothing of"),
    (
        "a hole in the counters",
        _lines("counters.jsonl", _between(40, 60)),
        "counters.jsonl holds nothing of 20 s",
    ),
    ("counters twice", _twice("counters.jsonl"), "lines of counters.jsonl are copies of others"),
    ("events lost", _without("events.jsonl"), "no data"),
    ("half the events", _halved("events.jsonl"), "account of itself covers"),
    ("a phase without its end", _lines("events.jsonl", lambda x: None if _is_end(x) else x), "cut short"),
    (
        "no end of the load",
        _lines("events.jsonl", lambda x: None if x.get("edge") == "end" and x["kind"] == "load" else x),
        "does not show the end of the load",
    ),
    ("a phase more in the plan", lambda f: _plan(f, "recovered"), "does not show phase recovered"),
    ("nobody counted how slow", _lines("counters.jsonl", _uncounted), "good answers nobody counted"),
    ("no metrics", _without("metrics.jsonl"), "no values of AWS/RDS"),
    ("half the metrics", _halved("metrics.jsonl"), "too few for the phase"),
    ("a period of nothing", _lines("metrics.jsonl", lambda x: {**x, "period": 0}), "ZeroDivisionError"),
    ("connections below none", _lines("metrics.jsonl", lambda x: {**x, "value": -1.0}), "negative"),
    ("a generator that says less", _lines("events.jsonl", lambda x: {**x, "cpu": -1.0}), "has no sound cpu"),
    (
        "a generator without lag",
        _lines("events.jsonl", lambda x: {k: v for k, v in x.items() if k != "lag_p99"}),
        "has no sound lag_p99",
    ),
    (
        "answers to nothing",
        _lines("counters.jsonl", lambda x: {**x, "sent": 0}),
        "more good answers than requests",
    ),
    ("every other second", _every_other, "knows nothing of the seconds in which"),
    ("a generator of words", _lines("events.jsonl", lambda x: {**x, "cpu": "high"}), "could not be checked"),
    ("a run that goes on", _manifest(state="running"), "cut short"),
    ("a state nobody knows", _manifest(state="splendid"), "cut short"),
    ("more passes asked for", _manifest(least_passes=4), "3 objectives passed, the plan asks for 4"),
    ("nothing asked", _manifest(objectives=[]), "no objective that decides was judged"),
    ("a policy nobody knows", _manifest(policy="lax"), "policy 'lax' is none of"),
    ("no policy", _manifest(policy=""), "policy '' is none of"),
    (
        "a fault nobody saw",
        _manifest(experiments={"x": {"judge": [], "observe": {"probe": "identity"}}}),
        "no probe saw that of x",
    ),
]


def _is_end(line: dict[str, Any]) -> bool:
    return (line["kind"], line.get("name"), line.get("edge")) == ("phase", "steady", "end")


def _plan(folder: Path, phase: str) -> None:
    phases = json.loads((folder / "manifest.json").read_text())["phases"]
    amend(folder, phases=[*phases, {"name": phase, "for_s": 60, "experiment": None}])


@pytest.mark.parametrize(("damage", "reason"), [row[1:] for row in DOUBTED], ids=[row[0] for row in DOUBTED])
def test_what_is_not_whole_does_not_pass(folder, damage, reason):
    """The run can be judged as far as it goes; the reason stands where a reader looks, the exit is not 0."""
    damage(folder)
    found = _judged(folder)
    assert found.exit in (3, 4), found.reason
    told = [
        found.reason,
        *found.validity["causes"],
        *(f"{one.verdict}: {one.reason}" for one in found.objectives),
    ]
    assert any(reason in one.replace("no-data", "no data") for one in told), told


def test_lines_in_any_order_are_the_same_run(folder):
    """Counters, events and series from the last to the first: the verdicts do not move."""
    before = _judged(folder)
    for name in ("counters.jsonl", "events.jsonl", "metrics.jsonl"):
        lines = jsonl.read(folder / name)
        (folder / name).unlink()
        jsonl.append_all(folder / name, lines[::-1])
    assert _judged(folder) == before


def test_a_few_equal_lines_are_no_copies(folder):
    """Two workers may count the same in one second."""
    for line in jsonl.read(folder / "counters.jsonl")[:3]:
        jsonl.append(folder / "counters.jsonl", line)
    assert "copies" not in _judged(folder).reason


@pytest.mark.parametrize(
    "fields",
    [
        {"schema": 2},
        {"verdict": "splendid"},
        {"objectives": 3},
        {"verdict": "fail", "exit": 0},
        {"validity": {"valid": False}},
        {"state": "cut-short"},
    ],
)
def test_forged_verdicts_are_refused(folder, fields):
    """What contradicts itself is not compared, made a baseline or passed on."""
    path = verdict.write(folder, _judged(folder))
    path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))
    with pytest.raises(RecordError, match="judge the run again"):
        verdict.read(folder)


def test_a_pass_over_an_objective_that_failed_is_forged(folder):
    """The whole cannot be better than its parts."""
    path = verdict.write(folder, _judged(folder))
    document = json.loads(path.read_text())
    document["objectives"][0]["verdict"] = "fail"
    path.write_text(json.dumps(document))
    with pytest.raises(RecordError, match="contradicts"):
        verdict.read(folder)
