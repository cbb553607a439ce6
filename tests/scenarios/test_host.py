"""What the machine's host takes."""

from pathlib import Path

import pytest

from scenarios.load import host
from scenarios.load.host import Host


def test_the_share_since_the_last_report() -> None:
    """Stolen ticks over all ticks; nothing at first, nor where no time has passed or nothing is known."""
    told = iter([(10, 1000), (60, 1200), (60, 1200), None, (70, 1300)])
    watched = Host(ticks=lambda: next(told))
    assert [watched.report() for _ in range(5)] == [{}, {"stolen": 0.25}, {}, {}, {}]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cpu  10 0 5 80 1 0 2 7 3 0\ncpu0 1 1 1 1 1 1 1 1 1 1\n", (7, 105)),
        ("cpu  10 0 5 80 1 0 2\n", None),
        ("intr 1 2 3 4 5 6 7 8\n", None),
        ("", None),
    ],
    ids=["whole", "an old kernel", "another line", "empty"],
)
def test_the_kernels_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, expected: tuple[int, int] | None
) -> None:
    """The eighth column is what was stolen; guests' time stands in the first two already."""
    monkeypatch.setattr(host, "STAT", tmp_path / "stat")
    (tmp_path / "stat").write_text(text)
    assert host.ticks() == expected


def test_no_such_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is no /proc nothing is told."""
    monkeypatch.setattr(host, "STAT", tmp_path / "none")
    assert Host().report() == {}
