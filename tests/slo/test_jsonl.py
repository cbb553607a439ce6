import json
import os
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slo import jsonl
from slo.errors import RecordError

_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(lines=st.lists(st.dictionaries(st.text(), _VALUES, max_size=4), max_size=6))
@settings(max_examples=40, deadline=None)
def test_what_is_appended_is_read(tmp_path_factory, lines):
    """Any JSON objects, also with line breaks inside their texts, come back in order."""
    path = tmp_path_factory.mktemp("jsonl") / "x.jsonl"
    for line in lines:
        jsonl.append(path, line)
    assert jsonl.read(path, missing_ok=True) == lines


def test_appending_from_threads_keeps_lines_whole(tmp_path):
    """Writers that share a file never tear each other's lines."""
    path = tmp_path / "x.jsonl"

    def write(writer):
        for number in range(200):
            jsonl.append(path, {"writer": writer, "number": number, "fill": "x" * 300})

    threads = [threading.Thread(target=write, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines = jsonl.read(path)
    assert len(lines) == 800
    for writer in range(4):
        assert [one["number"] for one in lines if one["writer"] == writer] == list(range(200))


@pytest.mark.parametrize("cut", range(1, 12))
def test_a_truncated_last_line_is_dropped(tmp_path, cut):
    """Wherever a killed writer stopped, the lines before it stand."""
    path = tmp_path / "x.jsonl"
    path.write_bytes(b'{"a":1}\n' + b'{"b":"\xc3\xa9 2"}'[:cut])
    assert jsonl.read(path) == [{"a": 1}]


def test_a_whole_last_line_without_newline_counts(tmp_path):
    """Only the newline is missing: nothing is lost."""
    path = tmp_path / "x.jsonl"
    path.write_text('{"a":1}\n{"b":2}')
    assert jsonl.read(path) == [{"a": 1}, {"b": 2}]


@pytest.mark.parametrize("garbage", ['{"b":', "[1]", "3", "NaN", '{"b":NaN}', '{"b":1} x', "\ufffd\x00"])
def test_garbage_is_refused_with_file_and_line(tmp_path, garbage):
    """A damaged line in the middle is named, not skipped."""
    path = tmp_path / "x.jsonl"
    path.write_text(f'{{"a":1}}\n{garbage}\n{{"c":3}}\n')
    with pytest.raises(RecordError, match=r"x\.jsonl:2: not a JSON object"):
        jsonl.read(path)


def test_a_missing_file_is_an_error_unless_allowed(tmp_path):
    """Silence is only accepted where the caller says so."""
    with pytest.raises(RecordError, match="no such file"):
        jsonl.read(tmp_path / "x.jsonl")
    assert jsonl.read(tmp_path / "x.jsonl", missing_ok=True) == []


def test_a_folder_is_not_a_file(tmp_path):
    """The operating system's word is passed on."""
    with pytest.raises(RecordError, match="cannot be read"):
        jsonl.read(tmp_path)


def test_numbers_that_json_lacks_are_not_written(tmp_path):
    """NaN would make the file unreadable for everybody else."""
    with pytest.raises(ValueError, match="JSON"):
        jsonl.append(tmp_path / "x.jsonl", {"a": float("nan")})


def test_a_short_write_is_reported(tmp_path, monkeypatch):
    """A full disk takes part of a line; the writer must hear of it."""
    monkeypatch.setattr(os, "write", lambda descriptor, content: len(content) - 1)
    with pytest.raises(RecordError, match="is the disk full"):
        jsonl.append(tmp_path / "x.jsonl", {"a": 1})


def test_many_lines_are_one_write(tmp_path, monkeypatch):
    """A flush of a second's counters reaches the file whole."""
    calls = []
    real = os.write
    monkeypatch.setattr(os, "write", lambda d, content: calls.append(content) or real(d, content))
    jsonl.append_all(tmp_path / "x.jsonl", [{"a": 1}, {"b": 2}])
    jsonl.append_all(tmp_path / "x.jsonl", [])
    assert [json.loads(line) for line in calls[0].splitlines()] == [{"a": 1}, {"b": 2}]
    assert len(calls) == 1
