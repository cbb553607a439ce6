"""What the machine's host takes, and how soon the kernel lets the load in."""

import subprocess
import sys
from pathlib import Path

import pytest

from scenarios.load import host, slices
from scenarios.load.host import Host

SLICE = (
    "from scenarios.load import slices; print(slices.shorten(), [line.split()[-1] for line in "
    "open('/proc/self/sched') if line.startswith('se.slice')])"
)


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


@pytest.mark.skipif(not Path("/proc/self/sched").exists(), reason="this kernel shows no time slices")
def test_short_time_slices() -> None:
    """A process that asks has them afterwards, where the kernel grants them."""
    done = subprocess.run([sys.executable, "-c", SLICE], capture_output=True, text=True, check=True)
    granted, shown = done.stdout.strip().split(" ", 1)
    if granted == "False":
        pytest.skip("this kernel grants no short slices")
    assert shown == f"['{slices.SHORTEST_NS}']"


@pytest.mark.parametrize(("system", "machine"), [("Darwin", "arm64"), ("Linux", "s390x")])
def test_elsewhere_nothing_is_asked(monkeypatch: pytest.MonkeyPatch, system: str, machine: str) -> None:
    """A system without the call, or with an unknown number for it, is left alone."""
    monkeypatch.setattr(slices.platform, "system", lambda: system)
    monkeypatch.setattr(slices.platform, "machine", lambda: machine)
    assert not slices.shorten()
