"""The rules by which a fault begins and ends, fed with letters: A as armed, B broken, R restored."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos.sight import ENDS, Phase, Sample, Sight

PHASES = {"A": Phase.ARMED, "B": Phase.BROKEN, "R": Phase.RESTORED}


def seen(letters: str) -> tuple[Sight, list[tuple[str, float]]]:
    sight = Sight()
    edges = [
        (edge, at.t)
        for t, letter in enumerate(letters)
        for edge, at in sight.feed(Sample(t=float(t), phase=PHASES[letter]))
    ]
    return sight, edges


@pytest.mark.parametrize(
    ("letters", "edges"),
    [
        ("AAAA", []),
        ("AABAAA", []),  # one lost answer is no fault
        ("AABBB", [("first", 2.0)]),
        ("AABBRRR", [("first", 2.0), ("last", 4.0)]),
        ("AABRRR", [("first", 2.0), ("last", 3.0)]),
        ("AARRR", [("first", 2.0), ("last", 2.0)]),  # over between two looks
        ("BBRRBRRR", [("first", 0.0), ("last", 5.0)]),  # flapping back does not end it
        ("BBAAAA", [("first", 0.0)]),  # the armed one came back: nobody else took over
        ("BBRRRBBRRR", [("first", 0.0), ("last", 2.0)]),  # each edge once
        ("ABABABB", [("first", 5.0)]),
    ],
)
def test_edges_lie_at_the_first_of_the_samples_that_confirm_them(
    letters: str, edges: list[tuple[str, float]]
) -> None:
    """Two odd looks in a row begin a fault, three restored ones in a row end it."""
    assert seen(letters)[1] == edges


@given(st.text("ABR", max_size=60))
def test_the_last_sight_never_comes_before_the_first(letters: str) -> None:
    """Whatever the order of looks, each edge comes at most once and they are in order."""
    sight, edges = seen(letters)
    assert [edge for edge, _ in edges] in ([], ["first"], ["first", "last"])
    assert sight.last is None or (sight.first is not None and sight.first.t <= sight.last.t)


@given(st.text("ABR", max_size=60))
def test_calm_counts_the_quiet_looks_since_the_last_broken_one(letters: str) -> None:
    """A broken look starts the count anew."""
    assert seen(letters)[0].calm == len(letters) - 1 - letters.rfind("B")


def test_three_restored_looks_are_needed() -> None:
    """Breaking the rule would be seen: one fewer does not end the fault."""
    assert seen("BB" + "R" * (ENDS - 1))[0].last is None
