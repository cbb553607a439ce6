from detect import blind, steps
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


def test_a_broken_seal_is_noticed(tmp_path) -> None:
    """The envelope's own words in any file of the run folder."""
    one = blind.Envelope(defect="slow-tail", sizes={"after": 3.0, "share": 0.02})
    (tmp_path / "manifest.json").write_text('{"defects": []}')
    assert steps.named_in(tmp_path, one) == []
    (tmp_path / "events.jsonl").write_text(f'{{"planted": "{one.text}"}}')
    assert steps.named_in(tmp_path, one) == ["events.jsonl"]
