"""Lines read as columns say what the same lines say as objects, and refuse the same."""

import json
from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slo import counters, forms
from slo.errors import RecordError

PLAIN = {"t": 1000, "op": "a1", "planned": 2, "intended": 2, "sent": 2, "ok": 2}
_TIMES = st.one_of(st.none(), st.integers(0, 9), st.floats(0, 1e3), st.sampled_from([1e-7, 0.1, 1 / 3]))
_LINES = st.lists(
    st.fixed_dictionaries(
        {
            **{name: st.integers(0, 99) for name in ("planned", "intended", "sent")},
            "t": st.integers(1000, 1009),
            "op": st.sampled_from(["a1", "b.2", "\u00e9", 'q"']),
            "ok": st.integers(5, 2**40),
        },
        optional={
            "bad": st.dictionaries(st.sampled_from(["timeout", "http_5xx"]), st.integers(0, 5)),
            "slower": st.dictionaries(st.sampled_from(["0.1", "0.5"]), st.integers(0, 5)),
            "p50": _TIMES,
            "p99": _TIMES,
        },
    ),
    min_size=1,
    max_size=12,
)


def _both(path, monkeypatch):
    """What is read as columns where that is possible, and what is read as objects: arrays, or the refusal."""
    found = []
    for able in (True, False):
        with monkeypatch.context() as patch:
            if not able:
                patch.setattr(forms, "block", lambda content: None)
            try:
                read = counters.read(path)
                found.append(repr([getattr(read, field.name) for field in fields(read)]))
            except RecordError as error:
                found.append(str(error))
    return found


@given(lines=_LINES)
@settings(max_examples=60, deadline=None)
def test_columns_are_what_the_objects_are(tmp_path_factory, lines):
    """Bit by bit, whatever names, fields and numbers the lines have."""
    path = tmp_path_factory.mktemp("counters") / "counters.jsonl"
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))
    with np.printoptions(threshold=10**6, floatmode="unique"), pytest.MonkeyPatch.context() as patch:
        columns, objects = _both(path, patch)
    assert columns == objects


def test_usual_lines_are_read_as_columns(tmp_path):
    """Else nothing above would be compared."""
    text = json.dumps({**PLAIN, "bad": {"timeout": 1}, "slower": {"0.1": 1}, "p50": 0.02})
    block = forms.block(text.encode() + b"\n" + text.replace("0.02", "0.123456789012345678").encode())
    assert block is not None
    assert len(block.forms) == 1
    assert block.floats(block.places([block.forms[0]["p50"]])).tolist() == [0.02, 0.123456789012345678]


ODD = [
    '"ok":-1', '"ok":2.0', '"ok":2.', '"ok":02', '"ok":.2', '"ok":2e0', '"ok":true', '"ok":null', '"ok":"2"',
    '"ok":1.2.3', '"ok":1 2', '"ok":NaN', '"ok":99999999999999999999', '"ok":1099511627777', '"ok":2,"ok":1',
    '"ok":2,"p50":1e999', '"ok":2,"p50":1e5.5', '"ok":2,"p50":"0.5"', '"ok":2,"p50":-1', '"ok":2,"p50":[1]',
    '"ok":2,"p50":' + "9" * 400, '"ok":2,"p50":' + "9" * 400 + ".5", '"ok":2,"p50":007', '"ok":2,"p50":{}',
    '"ok":2,"bad":0', '"ok":2,"bad":3', '"ok":2,"bad":[]', '"ok":2,"bad":{"x":-1}', '"ok":2,"bad":{"x":1.5}',
    '"ok":2,"slower":{"0.5":3}', '"ok":2,"slower":{"soon":1}', '"ok":2,"slower":{"0.50":1,"0.5":1}',
    '"ok":2,"slower":{"0":1}', '"ok":2,"slower":false', '"ok":2,"more":[1,{"2":3}]', '"ok":2,"more":1e05',
    '"ok":2,"more":"\\u00e9"', '"ok":2,"more":"', '"ok":2}{', '"ok":2,"more":"\x00"', '"ok":2 ', "", '"ok":',
]  # fmt: skip


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("ending", ["\n", ""])
def test_what_is_odd_is_refused_or_taken_alike(tmp_path, monkeypatch, odd, ending):
    """In the same words, in the middle of the file and at its end."""
    path = tmp_path / "counters.jsonl"
    plain = json.dumps(PLAIN)
    line = plain.replace('"ok": 2', odd)
    for text in (f"{plain}\n{line}\n{plain}{ending}", f"{plain}\n{line}{ending}"):
        path.write_text(text)
        columns, objects = _both(path, monkeypatch)
        assert columns == objects


def test_a_file_of_several_pieces_counts_its_lines_through(tmp_path):
    """What is wrong behind the first thousands of lines is named with its own number."""
    path = tmp_path / "counters.jsonl"
    good = json.dumps(PLAIN) + "\n"
    path.write_text(good * 17_000 + good.replace('"sent": 2', '"sent": -2') + good)
    with pytest.raises(RecordError, match="line 17001 is not a line of counters"):
        counters.read(path)
    path.write_text(good * 16_000)
    found = counters.read(path)
    assert (found.lines, int(found.ok.sum())) == (16_000, 32_000)
