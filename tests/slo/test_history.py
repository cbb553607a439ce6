"""What runs leave behind, and whether tonight is out of line with it."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slo import baseline, history
from slo.baseline import IN_LINE, NO_BASELINE, OUT_OF_LINE
from slo.errors import RecordError
from tests.slo.conftest import judged


@pytest.fixture
def night(failover):
    """One night's entry."""
    return history.entry(failover.manifest, judged(failover), judged=5.0)


def test_what_is_written_is_read(tmp_path, night):
    """Every field survives, and the values are those of the verdicts."""
    path = tmp_path / history.FILE
    history.append(path, night)
    assert history.read(path).entries == (night,)
    assert night.values["latency-p99"].value is not None


def test_no_history_is_an_empty_one(tmp_path):
    """The first night has none."""
    assert history.read(tmp_path / history.FILE) == history.History(entries=(), baselines=())


def test_a_run_judged_again_counts_once(tmp_path, night):
    """The file only grows; the last word counts."""
    path = tmp_path / history.FILE
    for verdict in ("fail", "pass"):
        history.append(path, replace(night, verdict=verdict))
    (one,) = history.read(path).entries
    assert one.verdict == "pass"
    assert len(path.read_text().splitlines()) == 2


def test_only_earlier_whole_passes_of_the_same_kind_are_comparable(tmp_path, night):
    """Neither a failure, nor another place, nor a run cut short, nor a later night."""
    path = tmp_path / history.FILE
    others = {"good": {}, "failed": {"verdict": "fail"}, "cut": {"state": "cut-short"}}
    others |= {"elsewhere": {"fingerprint": "0"}, "later": {"started": night.started + 1}}
    others |= {"planted": {"sound": False}}
    for name, fields in others.items():
        history.append(path, replace(night, **{"run_id": name, "started": night.started - 1, **fields}))
    history.append(path, replace(night, verdict="fail"))
    found = history.read(path).comparable(night.fingerprint, run_id=night.run_id, started=night.started)
    assert [one.run_id for one in found] == ["good"]


def test_the_last_baseline_of_the_same_kind_counts(tmp_path, night):
    """A run that was made a baseline elsewhere is none here."""
    path = tmp_path / history.FILE
    for name, mark in (("a", night.fingerprint), ("b", night.fingerprint), ("c", "0")):
        history.append(path, replace(night, run_id=name, fingerprint=mark))
        history.set_baseline(path, name, t=1.0)
    found = history.read(path).baseline(night)
    assert found is not None
    assert found.run_id == "b"


@pytest.mark.parametrize(
    "line",
    [
        "{}",
        '{"schema": 2, "kind": "run"}',
        '{"schema": 1, "kind": "run"}',
        '{"schema": 1, "kind": "run", "values": 3}',
    ],
)
def test_a_foreign_line_is_named(tmp_path, line):
    """File and line, and no guess."""
    path = tmp_path / history.FILE
    path.write_text('{"schema": 1, "kind": "baseline", "run_id": "a"}\n' + line + "\n")
    with pytest.raises(RecordError, match=r"history\.jsonl:2"):
        history.read(path)


@pytest.mark.parametrize(
    ("value", "earlier", "below", "state"),
    [
        (1.0, [1.0] * 4, True, NO_BASELINE),
        (1.09, [1.0] * 5, True, IN_LINE),
        (1.11, [1.0] * 5, True, OUT_OF_LINE),
        (0.91, [1.0] * 5, False, IN_LINE),
        (0.89, [1.0] * 5, False, OUT_OF_LINE),
        (0.5, [1.0] * 5, True, IN_LINE),
        (1.5, [0.8, 0.9, 1.0, 1.1, 1.2], True, IN_LINE),
        (1.6, [0.8, 0.9, 1.0, 1.1, 1.2], True, OUT_OF_LINE),
        (1.11, [9.0] * 20 + [1.0] * 10, True, OUT_OF_LINE),
    ],
)
def test_out_of_line(value, earlier, below, state):
    """Worse by a tenth and by four scatters, against the last ten nights."""
    assert baseline.stand(value, earlier, below=below).state == state


@given(st.lists(st.floats(1e-6, 1e6), min_size=5, max_size=30), st.booleans())
def test_the_median_night_is_never_out_of_line(earlier, below):
    """Nor does one wild night among many move the limit to the other side."""
    found = baseline.stand(0.0, earlier, below=below)
    assert found.median is not None
    assert baseline.stand(found.median, earlier, below=below).state == IN_LINE
