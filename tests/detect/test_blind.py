import pytest

from detect import blind, seal
from detect.setup import load
from fixtures.region.defects.choice import parse
from tests.detect.made import made


def test_one_seed_one_draw() -> None:
    """The same again for the same seed, another for another; no defect twice."""
    found = load()
    drawn = blind.draw(found, 7)
    assert drawn == blind.draw(found, 7)
    assert len({tuple(one.defect for one in blind.draw(found, seed)) for seed in range(20)}) > 10
    assert len({one.defect for one in drawn}) == blind.RUNS


def test_sizes_lie_within_their_spans() -> None:
    """And every defect takes a moment."""
    spans = made().blind["slow-tail"]
    for seed in range(30):
        for one in blind.draw(made(), seed, runs=2):
            assert "after" in one.sizes
            if one.defect == "slow-tail":
                assert all(spans[key][0] <= value <= spans[key][1] for key, value in one.sizes.items())


def test_every_envelope_can_be_planted() -> None:
    """As the region reads it, for any draw."""
    found = load()
    for seed in range(40):
        for one in blind.draw(found, seed):
            (choice,) = parse([one.text], found.defects)
            assert choice.sizes["after"] == one.sizes["after"]


def test_an_envelope_runs_with_the_plan_of_its_defect() -> None:
    """And is judged as its group is."""
    group = blind.group_of(made(), blind.Envelope(defect="suppressed-fault", sizes={}), 2)
    assert (group.name, group.plan, group.unseen) == ("blind-2", "failover", True)


TAIL = blind.Envelope(defect="slow-tail", sizes={"after": 3.0, "share": 0.02})
ERRORS = blind.Envelope(defect="errors", sizes={"after": 3.0, "share": 0.004})
LOST = blind.Envelope(defect="lost-write", sizes={"after": 3.0})


@pytest.mark.parametrize(
    ("one", "text"),
    [
        (TAIL, f'{{"note": "{TAIL.text}"}}'),
        (TAIL, "the slow-tail was planted"),
        (ERRORS, f"planted {ERRORS.text} in it"),
        (ERRORS, '{"defects": ["lost-write", "errors"]}'),
        (ERRORS, '{"defects": [\n  "errors"\n ]}'),
        (ERRORS, '{"planted": "errors"}'),
        (ERRORS, "<pre>&#34;defects&#34;: [&#34;errors&#34;]</pre>"),
        (ERRORS, '"command": "gameday run lexohub-noop --defect errors"'),
        (ERRORS, '["gameday", "run", "--defect", "errors"]'),
        (ERRORS, "errors:share=0.3"),
        (ERRORS, "errors/twin"),
        (ERRORS, "export GAMEDAY_DEFECTS=x"),
        (ERRORS, 'File "region/apps/lexohub/defects/errors.py", line 40, in find'),
        (ERRORS, "gameday_defect_errors.plant"),
        (LOST, "gameday_defect_lost_write.plant"),
    ],
)
def test_a_broken_seal_is_noticed(tmp_path, one: blind.Envelope, text: str) -> None:
    """Whoever knew of the envelope and wrote its defect down, in any file at any depth, in any form."""
    folder = tmp_path / "run" / "logs" / "api"
    folder.mkdir(parents=True)
    (tmp_path / "run" / "manifest.json").write_text('{"defects": []}')
    assert seal.named_in(tmp_path / "run", one) == []
    (folder / "api-1.log").write_text(f"one line\n{text}\nanother\n")
    assert seal.named_in(tmp_path / "run", one) == ["logs/api/api-1.log"]


def test_a_file_that_bears_the_name_is_noticed(tmp_path) -> None:
    """Also where it is empty."""
    (tmp_path / "slow-tail").mkdir()
    (tmp_path / "slow-tail" / "log").touch()
    assert seal.named_in(tmp_path, TAIL) == ["slow-tail/log"]


@pytest.mark.parametrize(
    ("one", "text"),
    [
        (ERRORS, '{"id": "error-rate", "sli": "errors", "reason": "errors: 3 of 4"}'),
        (ERRORS, '{"defects": [], "objectives": ["errors"]}'),
        (ERRORS, "scenarios/errors.py: slo/errors.py: no-errors:share=1"),
        (LOST, '{"id": "no-lost-write", "sli": "lost_writes"}'),
        (LOST, "lost-writes: 0"),
        (TAIL, '{"share": 0.02, "after": 3}'),
    ],
)
def test_ordinary_words_do_not_break_the_seal(tmp_path, one: blind.Envelope, text: str) -> None:
    """A kind of objective is called errors, and another objective no-lost-write."""
    (tmp_path / "verdicts.json").write_text(text)
    (tmp_path / "latency.hlog").write_bytes(b"\xff\x00\xfe")
    assert seal.named_in(tmp_path, one) == []
