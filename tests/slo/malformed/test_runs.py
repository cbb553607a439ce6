"""Run folders that were truncated, emptied, edited or mixed up: a clear reason, and never a pass."""

import json
import shutil
from pathlib import Path

import pytest

from slo import judge, record
from slo.errors import SloError
from slo.objective import loads
from tests.run_folder import START, Plan, amend, rewrite, write

OBJECTIVES = loads(
    "\n".join(
        f"""[[objective]]
id = "{name}"
sli = "{sli}"
phase = "{phase}"
expr = "{expr}"
{keys}
basis = "documented"
source = {{ file = "f", heading = "h", quote = "q" }}
"""
        for name, sli, phase, expr, keys in (
            ("latency", "latency", "steady", "p(99) < 500ms", 'operations = ["@api"]'),
            ("errors", "errors", "steady", "rate < 5%", 'operations = ["@api"]'),
            ("each", "errors", "steady", "rate < 5%", 'operations = ["@api"]\neach = true'),
            ("lost", "lost_writes", "all", "count == 0", 'sets = ["invoices"]'),
            ("connections", "metric", "steady", "max < 50%",
             'numerator = ["AWS/RDS.DatabaseConnections"]\nparameter = "max_connections"'),
        )
    ),
    "x.toml",
)  # fmt: skip
PHASES = (("warmup", 10, None), ("steady", 130, None))


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A small run that passes; not to be changed."""
    plan = Plan(
        phases=PHASES,
        rates={"search": 40, "invoice_create": 10},
        objectives=tuple(one.id for one in OBJECTIVES),
    )
    return write(tmp_path_factory.mktemp("run") / "run", plan)


@pytest.fixture
def folder(whole, tmp_path):
    """The same, to be broken."""
    return Path(shutil.copytree(whole, tmp_path / "run"))


def _outcome(folder: Path) -> tuple[str, str]:
    """The verdict and all that is said of it, or "refused" with the refusal; nothing else may be raised."""
    try:
        found = judge.judge(record.read(folder), OBJECTIVES)
    except SloError as error:
        return "refused", str(error)
    reasons = [f"{one.id} {one.verdict}: {one.reason}" for one in found.objectives]
    return found.verdict, "; ".join([found.reason, *reasons])


def test_the_unbroken_run_passes(whole):
    """Otherwise nothing below would mean anything."""
    assert _outcome(whole)[0] == "pass"


# File, what its content becomes, and what is said: where the refusal points, or why the verdict is no pass.
FILES = [
    ("manifest.json", "", "manifest.json"),
    ("manifest.json", "{", "manifest.json"),
    ("manifest.json", "[]", "schema 'list' instead of 1"),
    ("manifest.json", "null", "schema"),
    ("manifest.json", '{"schema": 2}', "schema 2 instead of 1; use the version of gameday that wrote it"),
    ("manifest.json", '{"schema": "1"}', "schema '1' instead of 1"),
    ("manifest.json", '{"schema": 1, "run_id": "x"}', "no 'state'"),
    ("manifest.json", "\ufeff{}", "manifest.json"),
    ("manifest.json", "[" * 100_000, "manifest.json"),
    ("counters.jsonl", "", "no arrivals"),
    ("counters.jsonl", "\n\n", "no arrivals"),
    ("counters.jsonl", "[1]\n{}\n", "counters.jsonl:1"),
    ("counters.jsonl", '{"t":1}\n', "counters.jsonl"),
    ("counters.jsonl", '{"t":NaN,"op":"search"}\n{}\n', "counters.jsonl:1"),
    ("counters.jsonl", '{"t":1e999,"op":"search"}\n', "counters.jsonl"),
    ("counters.jsonl", '{"t":"now","op":"search"}\n', "counters.jsonl"),
    ("counters.jsonl", '{"t":1,"op":["search"]}\n', "counters.jsonl"),
    ("counters.jsonl", '{"t":1,"op":"search","ok":-5}\n', "negative"),
    ("counters.jsonl", '{"t":1,"op":"search","ok":1e30}\n', "counters.jsonl"),
    ("counters.jsonl", f'{{"t":1,"op":"search","ok":{10**30}}}\n', "counters.jsonl"),
    ("counters.jsonl", '{"t":1,"op":"search","ok":"many"}\n', "counters.jsonl"),
    ("counters.jsonl", '{"t":1,"op":"search","bad":3}\n', "counters.jsonl"),
    ("counters.jsonl", '{"t":1,"op":"search","slower":{"soon":1}}\n', "counters.jsonl"),
    ("counters.jsonl", '{"t":1,"op":"search"}\n{"t":9999999999,"op":"search"}\n', "counters.jsonl"),
    ("counters.jsonl", '{"t":1,"op":"search"}\n\x00\x00\x00\n{}\n', "counters.jsonl:2"),
    ("events.jsonl", "", "no"),
    ("events.jsonl", '{"kind":"phase"}\n', "events.jsonl"),
    ("events.jsonl", '{"t":"soon","kind":"phase"}\n', "events.jsonl"),
    ("events.jsonl", '{"t":null,"kind":"phase"}\n', "events.jsonl"),
    ("events.jsonl", '{"t":1e999,"kind":"phase","name":"steady","edge":"start"}\n', ""),
    ("events.jsonl", "{}{}\n{}\n", "events.jsonl:1"),
    ("metrics.jsonl", "", "no values of AWS/RDS.DatabaseConnections"),
    ("metrics.jsonl", '{"t":1}\n', "metrics.jsonl:1: "),
    (
        "metrics.jsonl",
        '{"t":1,"namespace":"a","metric":"b","stat":"c","period":5,"value":"x"}\n',
        "metrics.jsonl:1",
    ),
    ("metrics.jsonl", "3\n{}\n", "metrics.jsonl:1"),
    ("ledger.jsonl", "", "lost no-data"),
    ("ledger.jsonl", "what\n{}\n", "ledger.jsonl:1"),
    ("ledger.jsonl", '{"kind":"write"}\n', "ledger.jsonl"),
    ("latency.hlog", "", ""),
    ("latency.hlog", "Tag=search.ok,0.0,10.0,1.0,AAAA\n", "latency.hlog"),
]


@pytest.mark.parametrize(("name", "content", "words"), FILES)
def test_a_broken_file(folder, name, content, words):
    """Refused with its name, or judged with the reason; no pass."""
    (folder / name).write_text(content, "utf-8")
    verdict, said = _outcome(folder)
    assert verdict != "pass"
    assert words in said, said


@pytest.mark.parametrize(
    "name", ["counters.jsonl", "events.jsonl", "metrics.jsonl", "ledger.jsonl", "manifest.json"]
)
def test_a_missing_file(folder, name):
    """What is gone proves nothing."""
    (folder / name).unlink()
    assert _outcome(folder)[0] != "pass"


@pytest.mark.parametrize("name", ["counters.jsonl", "metrics.jsonl", "ledger.jsonl"])
def test_a_file_cut_in_half(folder, name):
    """The last line is half a line; what is left is judged, and is not enough."""
    path = folder / name
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    assert _outcome(folder)[0] != "pass"


@pytest.mark.parametrize("name", ["counters.jsonl", "events.jsonl", "metrics.jsonl", "ledger.jsonl"])
def test_bytes_of_something_else(folder, name):
    """A file of another program."""
    (folder / name).write_bytes(bytes(range(256)) * 20)
    verdict, said = _outcome(folder)
    assert verdict == "refused"
    assert name in said


LINES = [
    ("counters.jsonl", lambda line: {**line, "ok": 0}, "errors fail"),
    ("counters.jsonl", lambda line: {**line, "op": "stranger"}, "no arrivals"),
    ("counters.jsonl", lambda line: {**line, "t": line["t"] + 86_400}, "no"),
    ("counters.jsonl", lambda line: {k: v for k, v in line.items() if k != "slower"}, "latency no-data"),
    ("counters.jsonl", lambda line: None if line["op"] == "invoice_create" else line, "invoice_create (0)"),
    ("metrics.jsonl", lambda line: {**line, "t": line["t"] + 86_400}, "connections no-data"),
    ("metrics.jsonl", lambda line: None if line["t"] > START + 60 else line, "connections no-data"),
    ("metrics.jsonl", lambda line: {**line, "value": -1.0}, "connections no-data"),
    ("ledger.jsonl", lambda line: None if line["kind"] == "readback" else line, "lost no-data"),
    (
        "ledger.jsonl",
        lambda line: {**line, "complete": False} if "complete" in line else line,
        "lost no-data",
    ),
    ("ledger.jsonl", lambda line: None if line["kind"] == "read" else line, "lost "),
    ("events.jsonl", lambda line: None if line["kind"] == "phase" else line, "no-data"),
    ("events.jsonl", lambda line: None if line["kind"] == "generator" else line, "generator"),
]


@pytest.mark.parametrize(("name", "change", "words"), LINES)
def test_edited_lines(folder, name, change, words):
    """Every line still parses, but no longer tells of a good run."""
    rewrite(folder / name, change)
    verdict, said = _outcome(folder)
    assert verdict != "pass", said
    assert words in said, said


def _half(content: str) -> str:
    return content[: len(content) // 2]


TEXTS = [
    ("counters.jsonl", lambda text: text * 2, "copies"),
    ("counters.jsonl", lambda text: text.replace('"ok":40', '"ok":40.5'), "not a whole number"),
    ("counters.jsonl", lambda text: text.replace('"ok":40', '"ok":true'), "not a whole number"),
    ("counters.jsonl", lambda text: text.replace('"0.5":0', '"0.5":41'), "answers slower than"),
    ("counters.jsonl", lambda text: text.replace('"0.5":0', '"soon":0'), "counters.jsonl"),
    ("metrics.jsonl", lambda text: text.replace("20.0", "1e999"), "metrics.jsonl:3"),
    ("metrics.jsonl", lambda text: text.replace('"period":5', '"period":-5'), "metrics.jsonl:1"),
    ("events.jsonl", lambda text: text.replace('"lag_p99":0.002', '"lag_p99":"x"'), "could not be checked"),
    ("latency.hlog", lambda text: "", "latency inconclusive"),
    ("latency.hlog", _half, ""),
]


@pytest.mark.parametrize(("name", "change", "words"), TEXTS)
def test_an_edited_text(folder, name, change, words):
    """Copied, cut, or with numbers that cannot be."""
    path = folder / name
    text = path.read_text("utf-8")
    assert change(text) != text
    path.write_text(change(text), "utf-8")
    verdict, said = _outcome(folder)
    assert verdict != "pass", said
    assert words in said, said


MANIFESTS = [
    {"state": "running"},
    {"state": "failed"},
    {"state": 3},
    {"objectives": []},
    {"objectives": ["gone"]},
    {"objectives": 3},
    {"operations": {}},
    {"operations": []},
    {"phases": 3},
    {"least_passes": 99},
    {"policy": "lax"},
    {"load": {"timeout_s": -1}},
    {"environment": {"time_scale": 0, "max_connections": 100}},
    {"least_passes": "many"},
    {"environment": {}},
    {"environment": 3},
    {"environment": {"max_connections": -5}},
    {"environment": {"max_connections": "100"}},
    {"experiments": []},
    {"load": {"timeout_s": "long"}, "state": "running"},
]


@pytest.mark.parametrize("fields", MANIFESTS, ids=json.dumps)
def test_an_edited_manifest(folder, fields):
    """Fields that are wrong, or right and no reason to pass."""
    amend(folder, **fields)
    verdict, said = _outcome(folder)
    if fields == {"experiments": []}:
        assert verdict in ("pass", "refused")  # there are none in this run, however it is said
        return
    assert verdict != "pass", said
    assert said


def test_no_folder_at_all(tmp_path):
    """Both say what was expected."""
    assert _outcome(tmp_path / "gone")[0] == "refused"
    assert _outcome(tmp_path) == (
        "refused",
        f"{tmp_path}: no manifest.json; is this a run folder?",
    )


def test_the_command_line_on_a_broken_folder(folder, capsys):
    """One sentence on stderr, exit 2 or above, no traceback."""
    from gameday.cli import main

    (folder / "counters.jsonl").write_text('{"t":1e999,"op":"search"}\n')
    with pytest.raises(SystemExit) as left:
        main(["judge", str(folder)])
    assert left.value.code not in (0, 1)
    said = capsys.readouterr().err
    assert "counters.jsonl" in said
    assert "Traceback" not in said
