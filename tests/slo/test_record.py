import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slo import counters, jsonl, record
from slo.errors import RecordError
from tests.run_folder import START, Plan, amend, write

LINE = '{"t":1,"op":"a","planned":1,"intended":1,"sent":1,"ok":1}\n'
_LINES = st.lists(
    st.fixed_dictionaries(
        {
            "t": st.integers(1_000, 1_020),
            "op": st.sampled_from(["a", "b", "c"]),
            "planned": st.integers(0, 9),
            "intended": st.integers(0, 9),
            "sent": st.integers(0, 9),
            "ok": st.integers(5, 9),
            "bad": st.dictionaries(st.sampled_from(["timeout", "leak"]), st.integers(0, 5)),
            "slower": st.dictionaries(st.sampled_from(["0.1", "0.5"]), st.integers(0, 5)),
        }
    ),
    max_size=30,
)


@given(lines=_LINES)
@settings(max_examples=40, deadline=None)
def test_lines_about_one_second_add_up(tmp_path_factory, lines):
    """Whatever the order and however often: arrays equal plain sums."""
    path = tmp_path_factory.mktemp("counters") / "counters.jsonl"
    jsonl.append_all(path, lines)
    found = counters.read(path)
    for row, slug in enumerate(found.operations):
        for column in range(found.seconds):
            mine = [one for one in lines if (one["op"], one["t"]) == (slug, found.start + column)]
            for name in ("planned", "intended", "sent", "ok"):
                assert getattr(found, name)[row, column] == sum(one[name] for one in mine)
            for name, array in found.bad.items():
                assert array[row, column] == sum(one["bad"].get(name, 0) for one in mine)
            for limit, array in found.slower.items():
                assert array[row, column] == sum(one["slower"].get(str(limit), 0) for one in mine)


def test_phases_are_the_real_ones(failover):
    """From the events, not from the plan; whole seconds only."""
    assert [(one.name, one.start - START, one.end - START, one.ended) for one in failover.phases] == [
        ("warmup", 0, 10, True),
        ("steady", 10, 140, True),
        ("fault", 140, 180, True),
        ("recovered", 180, 300, True),
    ]
    window = failover.counters.within(START + 10.2, START + 12.9)
    assert (window.start, window.stop) == (11, 12)
    window = failover.counters.within(START - 100, START + 1000)
    assert (window.start, window.stop) == (0, 300)
    window = failover.counters.within(START + 1000, START + 1001)
    assert window.start == window.stop


def test_a_phase_without_an_end_lasts_as_long_as_the_counters(folder):
    """A run that was stopped in a phase."""
    amend(folder, state="running")
    keep = [one for one in jsonl.read(folder / "events.jsonl") if one["t"] <= START + 150]
    (folder / "events.jsonl").unlink()
    jsonl.append_all(folder / "events.jsonl", keep)
    last = record.read(folder).phases[-1]
    assert (last.name, last.end - START, last.ended) == ("fault", 300, False)


def test_a_folder_with_nothing_but_a_manifest(tmp_path):
    """A run that ended before it began is a record, an empty one."""
    folder = write(tmp_path / "run", Plan(phases=(("steady", 10, None),)))
    for name in ("counters.jsonl", "events.jsonl", "metrics.jsonl", "ledger.jsonl", "latency.hlog"):
        (folder / name).unlink()
    empty = record.read(folder)
    assert (empty.counters.seconds, empty.phases, empty.metrics, empty.ledger.books) == (0, (), (), {})
    assert empty.histograms.starts(0, 1e12) == ()


def test_the_same_metric_collected_twice_counts_once(folder):
    """Collections may overlap; the later value stands."""
    before = len(record.read(folder).metrics)
    line = jsonl.read(folder / "metrics.jsonl")[0]
    jsonl.append(folder / "metrics.jsonl", {**line, "value": 7.0})
    after = record.read(folder).metrics
    assert len(after) == before
    assert 7.0 in {point.value for point in after}


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("manifest.json", "{", "manifest.json: cannot be read as JSON"),
        ("manifest.json", "[]", "schema 'list' instead of 1"),
        ("manifest.json", '{"schema": 9}', "schema 9 instead of 1; use the version of gameday that wrote it"),
        ("manifest.json", '{"schema": 1}', "no 'run_id'"),
        ("counters.jsonl", '{"t":"x","op":"a"}\n', "line 1 is not a line of counters"),
        (
            "counters.jsonl",
            LINE + '{"op":"a","ok":1}\n',
            "line 2 is not a line of counters (KeyError: 't')",
        ),
        ("counters.jsonl", '{"t":1,"op":"a","ok":-1}\n', "a negative count"),
        ("counters.jsonl", LINE + LINE.replace('"t":1', '"t":99999999'), "its lines are not of one run"),
        ("events.jsonl", '{"kind":"load"}\n', "an event without a time"),
        ("metrics.jsonl", '{"t":1,"namespace":"a"}\n', "metrics.jsonl:1: not a metric"),
        ("ledger.jsonl", "what\n{}\n", "ledger.jsonl:1: not a JSON object"),
    ],
)
def test_malformed_files_are_named(folder, name, text, message):
    """Never a traceback of somebody else's, never a guess."""
    (folder / name).write_text(text)
    with pytest.raises(RecordError) as caught:
        record.read(folder)
    assert message in str(caught.value)
    assert name in str(caught.value)


def test_no_folder_and_no_manifest(tmp_path):
    """Both say what was expected."""
    with pytest.raises(RecordError, match="no such folder; expected the folder of a run"):
        record.read(tmp_path / "gone")
    with pytest.raises(RecordError, match="is this a run folder"):
        record.read(tmp_path)


def test_a_field_of_the_wrong_type(folder):
    """Phases that are no list of tables."""
    content = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps({**content, "phases": 3}))
    with pytest.raises(RecordError, match="a field has the wrong type"):
        record.read(folder)
