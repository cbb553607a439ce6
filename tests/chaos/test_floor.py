"""The driver's own view: too few good answers for too long, and only then."""

from __future__ import annotations

import pytest

from chaos.floor import Floor, Watch


class Traffic:
    """A clock and a share of good answers that the test moves."""

    def __init__(self) -> None:
        self.now = 0.0
        self.good: float | None = 1.0

    def watch(self) -> Watch:
        """What is tested, over it."""
        return Watch(floor=Floor(good_ratio=0.5, for_s=10), good=lambda: self.good, clock=lambda: self.now)


@pytest.mark.parametrize(("ratio", "seen"), [(0.2, "20% of the answers"), (None, "no answers were counted")])
def test_a_fault_ends_when_it_lasts_too_long(ratio: float | None, seen: str) -> None:
    """Not with the first bad look; no answers at all are no good ones."""
    traffic = Traffic()
    watch = traffic.watch()
    assert watch.broken() == ""
    traffic.now, traffic.good = 1.0, ratio
    assert watch.broken() == ""
    traffic.now = 10.9
    assert watch.broken() == ""
    traffic.now = 11.0
    assert seen in watch.broken()
    assert "floor of 50% for 10 s" in watch.broken()


def test_a_recovery_begins_the_count_anew() -> None:
    """Two short outages are not one long one."""
    traffic = Traffic()
    watch = traffic.watch()
    for now, good in ((0.0, 0.1), (9.0, 0.1), (9.5, 0.5), (11.0, 0.1), (20.0, 0.1)):
        traffic.now, traffic.good = now, good
        assert watch.broken() == ""
    traffic.now = 21.0
    assert watch.broken()


def test_without_traffic_nothing_is_watched() -> None:
    """An experiment that runs beside no load has no floor."""
    assert Watch(floor=Floor(for_s=0.0), good=None).broken() == ""
