import numpy as np
import pytest
from hdrh.histogram import HdrHistogram
from hdrh.log import HistogramLogReader
from hypothesis import given, settings
from hypothesis import strategies as st

from slo import histogram
from slo.errors import RecordError

_VALUES = st.lists(st.integers(1, histogram.HIGHEST), min_size=1, max_size=60)


def _hdrh(values):
    reference = HdrHistogram(histogram.LOWEST, histogram.HIGHEST, histogram.DIGITS)
    for value in values:
        assert reference.record_value(int(value))
    return reference


@given(values=_VALUES)
@settings(max_examples=60, deadline=None)
def test_buckets_and_text_are_those_of_hdrh(values):
    """The same values make the same counts and the same bytes, and the text decodes in both directions."""
    reference = _hdrh(values)
    counts = histogram.record(np.array(values) / 1e6)
    assert counts.tolist() == list(reference.counts)
    text = histogram.encode(counts)
    assert text == reference.encode().decode()
    assert histogram.decode(text).tolist() == counts.tolist()
    assert list(HdrHistogram.decode(text).counts) == counts.tolist()


@given(values=_VALUES, q=st.floats(0.001, 1.0))
@settings(max_examples=60, deadline=None)
def test_quantiles_are_within_a_bucket_of_the_sorted_values(values, q):
    """The rank is the ceiling, never rounded down; the value is off by at most 0.1%."""
    found = histogram.quantile(histogram.record(np.array(values) / 1e6), q)
    exact = sorted(values)[max(int(np.ceil(q * len(values) - 1e-9)), 1) - 1] / 1e6
    assert found is not None
    assert exact <= found + 1e-12 <= exact * 1.001 + 2e-6


def test_missing_values_are_infinitely_slow():
    """With failures in the rank, the quantile rises and then is nowhere."""
    counts = histogram.record(np.full(98, 0.010))
    assert histogram.quantile(counts, 0.97, 100) == pytest.approx(0.010, rel=1e-3)
    assert histogram.quantile(counts, 0.99, 100) is None
    assert histogram.quantile(histogram.empty(), 0.5) is None


def test_values_out_of_range_are_clamped_not_dropped():
    """Zero counts as a microsecond, two hours as one."""
    counts = histogram.record(np.array([0.0, 7200.0]))
    assert int(counts.sum()) == 2
    assert histogram.quantile(counts, 1.0) == pytest.approx(3600, rel=1e-3)


def test_empty_and_large_counts_encode():
    """Nothing at all, and counts of several bytes beside long runs of zeros."""
    assert histogram.encode(histogram.empty()) == _hdrh([]).encode().decode()
    counts = histogram.empty()
    counts[[0, 5, 23_000]] = [1, 2**40, 129]
    assert list(HdrHistogram.decode(histogram.encode(counts)).counts) == counts.tolist()


def _log(path, start=1000.0):
    a, b = histogram.record(np.array([0.001, 0.002])), histogram.record(np.array([0.5]))
    path.write_text(
        histogram.opening(start)
        + histogram.line("read.ok", 0.0, 10.0, a)
        + histogram.line("read.bad", 0.0, 10.0, b)
        + histogram.line("read.ok", 10.0, 10.0, b)
        + histogram.line("read.ok", 0.0, 10.0, b)
    )
    return a, b


def test_a_log_reads_in_both_directions(tmp_path):
    """Intervals by tag and absolute start; repeated ones add up; hdrh reads the same file."""
    a, b = _log(tmp_path / "x.hlog")
    log = histogram.read(tmp_path / "x.hlog")
    assert {tag: sorted(starts) for tag, starts in log.intervals.items()} == {
        "read.ok": [1000.0, 1010.0],
        "read.bad": [1000.0],
    }
    assert log.merged(["read.ok"], [1000.0]).tolist() == (a + b).tolist()
    assert log.merged(["read.ok", "read.bad"]).sum() == 5
    assert log.merged(["nothing"]).sum() == 0
    reader = HistogramLogReader(str(tmp_path / "x.hlog"), _hdrh([]))
    first = reader.get_next_interval_histogram()
    assert (first.get_tag(), first.get_total_count(), first.get_start_time_stamp()) == (
        "read.ok",
        2,
        1000_000.0,
    )
    reader.input_file.close()


def test_intervals_inside_a_window(tmp_path):
    """Only those that lie in it wholly."""
    _log(tmp_path / "x.hlog")
    log = histogram.read(tmp_path / "x.hlog")
    assert log.starts(1000, 1020) == (1000.0, 1010.0)
    assert log.starts(1001, 1020) == (1010.0,)
    assert log.starts(1000, 1019.9) == (1000.0,)


def test_the_tail_is_counted_by_interval():
    """Values above the common quantile, interval by interval."""
    slow, fast = histogram.record(np.full(5, 0.9)), histogram.record(np.full(95, 0.001))
    intervals = {
        float(t): [histogram.Interval(where="x", text=histogram.encode(c))]
        for t, c in ((0, fast), (10, slow))
    }
    tail = histogram.Log(intervals={"a": intervals}).tail("a", (0.0, 10.0, 20.0), 0.95)
    assert tail.above.tolist() == [0, 5, 0]
    assert tail.every.tolist() == [95, 5, 0]
    assert tail.total.sum() == 100


def test_a_line_that_was_not_finished_is_dropped(tmp_path):
    """A killed writer leaves half a line at the end; the rest stands."""
    path = tmp_path / "x.hlog"
    _log(path)
    path.write_text(path.read_text() + "Tag=read.ok,20.000,10.000,1.000,HISTFAAA")
    assert sorted(histogram.read(path).intervals["read.ok"]) == [1000.0, 1010.0]


def test_a_line_that_is_none_is_refused(tmp_path):
    """With file and line."""
    path = tmp_path / "x.hlog"
    _log(path)
    path.write_text(path.read_text() + "nonsense\n#end\n")
    with pytest.raises(RecordError, match=r"x\.hlog:9: not an interval line"):
        histogram.read(path)


@pytest.mark.parametrize(
    "damage", [lambda t: t[:-8], lambda t: "AAAA" + t[4:], lambda t: t[:40] + "////" + t[44:]]
)
def test_damaged_text_is_refused_when_it_is_used(tmp_path, damage):
    """Lost bytes, another cookie, a flipped middle: never a wrong number."""
    path = tmp_path / "x.hlog"
    _log(path)
    lines = path.read_text().splitlines()
    head, _, text = lines[4].rpartition(",")
    path.write_text("\n".join([*lines[:4], f"{head},{damage(text)}", *lines[5:]]) + "\n")
    with pytest.raises(RecordError, match=r"x\.hlog:5: "):
        histogram.read(path).merged(["read.ok"])


def test_another_layout_is_refused():
    """Two digits do not add to three."""
    other = HdrHistogram(1, histogram.HIGHEST, 2)
    other.record_value(5)
    with pytest.raises(ValueError, match="2 digits from 1 to 3600000000; expected 3 digits"):
        histogram.decode(other.encode().decode())
