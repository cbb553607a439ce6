"""The command around the sections: imports, exit codes, and what becomes of a section that fails."""

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from bench import __main__ as command
from bench.errors import BenchError
from bench.figures import OURS, Figure, at_least
from bench.recorder_minutes import minutes
from bench.stage import Stage
from bench.target import ROOT


def _section(monkeypatch: pytest.MonkeyPatch, measure: object) -> None:
    monkeypatch.setattr(command, "import_module", lambda _name: SimpleNamespace(measure=measure))
    monkeypatch.setattr(command.k6, "program", lambda: Path("/bin/true"))
    monkeypatch.setattr(command.cores, "two", lambda: (0, 1))


@pytest.mark.parametrize(("value", "code"), [(2.0, 0), (1.0, 1)])
def test_the_exit_code_is_whether_every_target_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: float, code: int
) -> None:
    """0 when all hold, 1 when one does not; the results are written either way, without names of machines."""

    def measure(stage: Stage) -> list[Figure]:
        assert stage.folder.is_dir()
        return [Figure(section="cost", name="n", unit="x", measured={OURS: [value]}, target=at_least(2.0))]

    _section(monkeypatch, measure)
    out = tmp_path / "results.json"
    assert command.main(["--only", "cost", "--quick", "--out", str(out)]) == code
    results = json.loads(out.read_text())
    assert results["figures"][0]["holds"] is (code == 0)
    assert set(results["machine"]) == {"processor", "cores", "memory_gib", "kernel", "load_average_before"}


def test_a_section_measured_again_leaves_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each figure says when it was measured; another machine's are not kept."""
    out = tmp_path / "results.json"

    def of(section: str, value: float) -> list[tuple[str, float]]:
        figure = Figure(section=section, name="n", unit="x", measured={OURS: [value]}, target=at_least(2.0))
        _section(monkeypatch, lambda _stage: [figure])
        command.main(["--only", section, "--quick", "--out", str(out)])
        kept = json.loads(out.read_text())["figures"]
        assert all(each["when"] for each in kept)
        return [(each["section"], each["measured"][OURS]["median"]) for each in kept]

    assert of("cost", 3.0) == [("cost", 3.0)]
    assert of("freeze", 4.0) == [("cost", 3.0), ("freeze", 4.0)]
    assert of("cost", 5.0) == [("freeze", 4.0), ("cost", 5.0)]
    out.write_text(out.read_text().replace('"cores": ', '"cores": 9'))
    assert of("cost", 6.0) == [("cost", 6.0)]


def test_a_section_that_fails_is_a_miss_and_the_others_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The reason is said; nothing unmeasured can pass."""

    def measure(_stage: Stage) -> list[Figure]:
        raise BenchError("the generator ended (exit 5)")

    _section(monkeypatch, measure)
    chosen = ["--only", "cost", "--only", "freeze", "--out", str(tmp_path / "results.json")]
    assert command.main(chosen) == 1
    assert "2 of 2 targets missed" in capsys.readouterr().out


def test_an_interrupt_is_130_and_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C leaves earlier results alone."""

    def measure(_stage: Stage) -> list[Figure]:
        raise KeyboardInterrupt

    _section(monkeypatch, measure)
    out = tmp_path / "results.json"
    assert command.main(["--only", "cost", "--out", str(out)]) == 130
    assert not out.exists()


def test_modules_import_without_locust() -> None:
    """The bench itself never loads gevent or Locust, which rewire the standard library."""
    names = [f"bench.{path.stem}" for path in (ROOT / "bench").glob("*.py")]
    names.remove("bench.engine_alone")  # a program of its own, run as one
    names += [f"bench.peers.{name}" for name in ("k6", "ours", "stock")]
    code = f"import sys, importlib\nfor n in {names!r}: importlib.import_module(n)\n"
    code += "sys.exit(bool({'locust', 'gevent'} & sys.modules.keys()))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_simulated_minutes_report_each_minute(tmp_path: Path) -> None:
    """One figure a minute, from a recorder that really writes."""
    assert len(minutes(tmp_path, 2, 5, 3)) == 2
    assert (tmp_path / "counters.jsonl").stat().st_size > 0
