from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slo.ledger import of_lines
from slo.ledger.versions import all_versions, versions
from tests.slo.ledger_lines import back, held, version, write

OUTCOMES = ("ok", "ok", "refused", "unknown, came", "unknown, never came")


@dataclass(frozen=True)
class Op:
    """An attempt to write a key: it takes effect at `t`, in the order of the list, or not at all."""

    id: str
    outcome: str
    t: float
    before: float
    after: float

    @property
    def came(self):
        """Whether it took effect."""
        return self.outcome in ("ok", "unknown, came")

    def line(self, key):
        """What the client knew of it."""
        word = self.outcome.split(",")[0]
        line = write(self.id, word, t=self.t - self.before, key=key)
        return line | {"t_ack": self.t + self.after if word == "ok" else None}


def ops(key, overlap):
    """Attempts 10 s apart, each sent before and answered after its effect."""
    reach = st.floats(0.1, 25.0 if overlap else 4.9)
    made = st.lists(st.tuples(st.sampled_from(OUTCOMES), reach, reach), min_size=1, max_size=8)
    return made.map(
        lambda drawn: [
            Op(f"{key}-{place}", outcome, 100.0 + 10 * place, before, after)
            for place, (outcome, before, after) in enumerate(drawn)
        ]
    )


def story(keys, shown, *, numbered, read_versions=True):
    """Lines of these keys, where `shown` tells how many of the effects of each survived."""
    lines, read = [], 0
    for key, every in keys.items():
        effects = [op for op in every if op.came]
        lines += [op.line(key) for op in every]
        if numbered:
            lines += [version(op.id, n) for n, op in enumerate(effects, start=1) if op.outcome == "ok"]
        if kept := effects[: shown[key]]:
            read += 1
            more = {"version": len(kept)} if numbered and read_versions else {}
            lines.append(held(key, last=kept[-1].id, **more))
    return of_lines([*lines, back(keys=read)])


def effects_of(every):
    return sum(op.came for op in every)


@given(ops("a", overlap=True), ops("b", overlap=True), st.booleans())
@settings(max_examples=80, deadline=None)
def test_a_true_store_is_silent(one, two, numbered):
    """Whatever overlapped, whatever became of the unknown ones, with and without versions."""
    keys = {"a": one, "b": two}
    found = versions(story(keys, {k: effects_of(v) for k, v in keys.items()}, numbered=numbered), "s")
    assert (found.lost, found.unexpected, found.untold, found.doubt) == (0, 0, 0, "")
    assert found.ok == sum(op.outcome == "ok" for op in (*one, *two))
    last = [next((op for op in reversed(every) if op.came), None) for every in keys.values()]
    assert found.recovered == sum(op is not None and op.outcome != "ok" for op in last)


@given(ops("a", overlap=True), ops("b", overlap=True), st.data())
@settings(max_examples=80, deadline=None)
def test_a_store_that_forgets_is_counted_exactly(one, two, data):
    """With versions every acknowledged write after the one that is read is lost, and no other."""
    keys = {"a": one, "b": two}
    shown = {key: data.draw(st.integers(0, effects_of(every))) for key, every in keys.items()}
    gone = [
        op.id
        for key, every in keys.items()
        for op in [op for op in every if op.came][shown[key] :]
        if op.outcome == "ok"
    ]
    found = versions(story(keys, shown, numbered=True), "s")
    assert (found.lost, found.lost_ids) == (len(gone), tuple(sorted(gone)))


@given(ops("a", overlap=False), st.data())
@settings(max_examples=80, deadline=None)
def test_time_alone_tells_where_nothing_overlaps(every, data):
    """Without versions; a key that shows an attempt of unknown outcome may rightly do so."""
    effects = [op for op in every if op.came]
    shown = data.draw(st.integers(0, len(effects)))
    found = versions(story({"a": every}, {"a": shown}, numbered=False), "s")
    open_ = shown > 0 and effects[shown - 1].outcome != "ok"
    lost = [op for op in effects[shown:] if op.outcome == "ok"]
    assert found.lost == (0 if open_ else len(lost))
    assert found.recovered == open_


@given(ops("a", overlap=True), st.data())
@settings(max_examples=80, deadline=None)
def test_time_alone_never_cries_wolf(every, data):
    """Writes that overlapped may be read in any order: no more is lost than was forgotten."""
    effects = [op for op in every if op.came]
    shown = data.draw(st.integers(0, len(effects)))
    forgotten = {op.id for op in effects[shown:] if op.outcome == "ok"}
    assert set(versions(story({"a": every}, {"a": shown}, numbered=False), "s").lost_ids) <= forgotten


@given(st.lists(st.integers(1, 3), min_size=1, max_size=6))
@settings(max_examples=40, deadline=None)
def test_writes_that_overwrote_each_other_unseen(sizes):
    """Several acknowledged with one version: none of them saw the others, and one is left."""
    lines, last = [], ""
    for number, size in enumerate(sizes, start=1):
        for twin in range(size):
            last = f"{number}-{twin}"
            lines += [write(last, t=10.0 * number + twin, key="k"), version(last, number)]
    lines += [held("k", version=len(sizes), last=last), back(keys=1)]
    assert versions(of_lines(lines), "s").lost == sum(sizes) - len(sizes)
    gone = [f"{number}-{twin}" for number, size in enumerate(sizes, start=1) for twin in range(size - 1)]
    assert versions(of_lines(lines), "s").lost_ids == tuple(sorted(gone))


def test_of_twins_the_one_that_is_read_is_kept():
    """Also where it was sent before the others."""
    lines = [line for n in range(3) for line in (write(f"{n}", t=float(n), key="k"), version(f"{n}", 7))]
    for last in ("0", "1", "2"):
        found = versions(of_lines([*lines, held("k", version=7, last=last), back(keys=1)]), "s")
        assert found.lost_ids == tuple(sorted({"0", "1", "2"} - {last}))


def test_one_version_of_two_is_not_enough():
    """Then time tells; where the read-back names no write, nothing does."""
    lines = [write("a", t=1.0, key="k"), version("a", 2), write("b", t=1.5, key="k")]
    books = of_lines([*lines, held("k", version=2), back(keys=1)])
    assert (versions(books, "s").lost, versions(books, "s").untold) == (0, 1)
    books = of_lines([*lines, held("k", last="a"), back(keys=1)])  # b was sent when a was acknowledged
    assert (versions(books, "s").lost_ids, versions(books, "s").untold) == (("b",), 0)
    early = [line | {"t_send": 1.4} if line["id"] == "b" else line for line in lines]
    assert versions(of_lines([*early, held("k", last="a"), back(keys=1)]), "s").lost == 0


def test_a_version_that_somebody_else_bears():
    """An attempt without an answer stands under the version that an acknowledged write was given."""
    lines = [write("a", key="k"), version("a", 2), write("b", "unknown", key="k")]
    found = versions(of_lines([*lines, held("k", version=2, last="b"), back(keys=1)]), "s")
    assert found.lost_ids == ("a",)
    newer = versions(of_lines([*lines, held("k", version=3, last="b"), back(keys=1)]), "s")
    assert (newer.lost, newer.recovered) == (0, 1)


def test_what_nobody_wrote():
    """A stranger's write, and one that was for another key."""
    lines = [write("a", key="k"), write("b", key="l"), held("k", last="b"), held("l", last="x"), back(keys=2)]
    found = versions(of_lines(lines), "s")
    assert (found.unexpected, found.unexpected_keys) == (2, ("k", "l"))


@pytest.mark.parametrize(
    ("lines", "doubt"),
    [
        ([], "the read-back is incomplete"),
        ([back()], "the overwritten keys were not read back"),
        ([back(complete=False, keys=0, reason="HTTP 500")], "HTTP 500"),
        ([held("k", version=4), back(keys=1)], "nothing tells which write 1 keys show"),
    ],
)
def test_what_was_not_read_is_not_called_lost(lines, doubt):
    """Without keys read back, or without anything to tell versions by."""
    found = versions(of_lines([write("a", key="k"), *lines]), "s")
    assert (found.lost, found.unexpected) == (0, 0)
    assert doubt in found.doubt


def test_a_version_alone_is_enough():
    """The read-back need not name the write, if every acknowledged one has its version."""
    lines = [write("a", key="k"), version("a", 2), write("b", key="k", t=5.0), version("b", 3)]
    for shown, lost in ((4, ()), (3, ()), (2, ("b",)), (1, ("a", "b"))):
        found = versions(of_lines([*lines, held("k", version=shown), back(keys=1)]), "s")
        assert (found.lost_ids, found.doubt) == (lost, "")


def test_windows_choose_by_sending():
    """Lost before the fault is not lost in it; what is later is known from all writes."""
    lines = [write(f"{t}", t=float(t), key="k") for t in range(1, 7)]
    books = of_lines([*lines, held("k", last="2"), back(keys=1)])
    assert versions(books, "s").lost_ids == ("3", "4", "5", "6")
    (found,) = all_versions(books, ["s", "gone"], [(4.0, 6.0)])
    assert (found.ok, found.lost_ids) == (2, ("4", "5"))
