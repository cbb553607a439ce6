import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from detect import effects, runs
from detect.errors import DetectError
from tests.detect import made

GAMEDAY = """
import json, os, pathlib, sys
out = pathlib.Path(sys.argv[sys.argv.index("--out") + 1])
folder = out / "plan-1"
folder.mkdir()
found = {"argv": sys.argv, "sealed": os.environ.get("GAMEDAY_DEFECTS")}
(folder / "manifest.json").write_text(json.dumps(found))
print("error: no region")
sys.exit(5)
"""


def _run(tmp_path: Path, code: str, **options: object) -> runs.Run:
    return runs.run(
        Path("steady.toml"), out=tmp_path / "out", minutes=1, program=(sys.executable, "-c", code), **options
    )  # type: ignore[arg-type]


def test_defects_are_named_or_sealed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Named ones on the command line, sealed ones in the environment; whatever was there is left out."""
    monkeypatch.setenv("GAMEDAY_DEFECTS", "gremlin")
    found = _run(tmp_path, GAMEDAY, defects=["errors", "freeze/twin"])
    assert found.folder is not None
    text = (found.folder / "manifest.json").read_text()
    assert '"--defect", "errors", "--defect", "freeze/twin"' in text
    assert '"sealed": null' in text
    (found.folder / "manifest.json").unlink()
    found.folder.rmdir()
    sealed = _run(tmp_path, GAMEDAY, sealed="errors:after=3")
    assert sealed.folder is not None
    assert '"sealed": "errors:after=3"' in (sealed.folder / "manifest.json").read_text()
    assert "--defect" not in (sealed.folder / "manifest.json").read_text()


NOTING = """
import json, os, pathlib, sys
out = pathlib.Path(sys.argv[sys.argv.index("--out") + 1])
folder = out / "plan-1"
folder.mkdir()
(folder / "manifest.json").write_text("{}")
edges = [("warmup", "start", 5), ("warmup", "end", 10), ("steady", "start", 10), ("steady", "end", 20)]
events = [{"kind": "phase", "name": name, "edge": edge, "t": t} for name, edge, t in edges]
(folder / "events.jsonl").write_text("".join(json.dumps(one) + "\\n" for one in events))
noted = os.environ.get("GAMEDAY_DEFECTS_EFFECTS")
if noted is None:
    sys.exit(7)
with open(noted, "a") as sink:
    for t, name in ((9.9, "errors"), (10, "errors"), (19.9, "errors"), (20, "freeze"), (15, "pause")):
        print(json.dumps({"t": t, "defect": name}), file=sink)
"""


def test_effects_count_in_the_phase_that_is_judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those before and after it show nothing; kept beside the run; an earlier run's are not its own."""
    monkeypatch.setattr(runs.verdict, "read", lambda _folder: None)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "last-effects.jsonl").write_text('{"t": 12, "defect": "slow-tail"}\n')
    found = _run(tmp_path, NOTING, defects=["errors/twin"])
    assert found.effects == {"errors": 2, "pause": 1}
    assert (tmp_path / "out" / "plan-1.effects.jsonl").is_file()
    assert not (tmp_path / "out" / "last-effects.jsonl").exists()


def test_a_run_that_notes_nothing_had_no_effect(tmp_path: Path) -> None:
    """A folder without phases is no reason to believe otherwise."""
    found = _run(tmp_path, GAMEDAY, defects=["errors/twin"])
    assert found.effects == {}
    (tmp_path / "noted").write_text('{"t": 12, "defect": "slow-tail"}\n')
    assert effects.counted(tmp_path / "noted", tmp_path) == {}
    (tmp_path / "events.jsonl").write_text('{"kind": "phase", "name": "steady", "edge": "end", "t": 20}\n')
    assert effects.counted(tmp_path / "noted", tmp_path) == {}


def test_nothing_is_noted_under_seal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even where the caller's environment asks for it."""
    monkeypatch.setenv("GAMEDAY_DEFECTS_EFFECTS", str(tmp_path / "mine"))
    assert _run(tmp_path, NOTING, sealed="errors:after=3").code == 7


def test_a_run_without_verdicts_says_what_it_printed(tmp_path: Path) -> None:
    """It is not whole, and proves nothing."""
    found = _run(tmp_path, GAMEDAY)
    assert (found.code, found.verdicts, found.whole) == (5, None, False)
    assert "no region" in found.why
    none = _run(tmp_path, "import sys; sys.exit(2)")
    assert (none.code, none.folder) == (2, None)
    assert "nothing was printed" in none.why


def test_a_run_that_does_not_end_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And said so."""
    monkeypatch.setattr(runs, "SPARE_S", -59.5)
    with pytest.raises(DetectError, match="did not end"):
        _run(tmp_path, "import time; time.sleep(60)")


def test_an_interrupt_ends_the_child_in_order(tmp_path: Path) -> None:
    """SIGTERM first, with time to undo; nothing is left when the interrupt goes on."""
    mark = tmp_path / "undone"
    ready = tmp_path / "ready"
    code = (
        "import signal, sys, time, pathlib\n"
        f"signal.signal(signal.SIGTERM, lambda *_: (pathlib.Path({str(mark)!r}).touch(), sys.exit(130)))\n"
        f"pathlib.Path({str(ready)!r}).touch()\n"
        "time.sleep(60)\n"
    )

    def interrupt() -> None:
        ends = time.monotonic() + 10
        while not ready.exists() and time.monotonic() < ends:
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # in the background of a shell: ignored
    try:
        thread.start()
        with pytest.raises(KeyboardInterrupt):
            _run(tmp_path, code)
    finally:
        thread.join()
        signal.signal(signal.SIGINT, before)
    assert mark.exists()


def test_a_child_that_does_not_listen_is_killed_with_its_session() -> None:
    """Once patience is over."""
    code = "import signal, time; signal.signal(15, signal.SIG_IGN); print(1, flush=True); time.sleep(60)"
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, start_new_session=True)
    assert process.stdout is not None
    process.stdout.readline()
    runs.end(process, 0.1)
    process.stdout.close()
    assert process.returncode == -signal.SIGKILL


@pytest.mark.parametrize(
    ("disturbed", "word", "flaw"),
    [
        (
            "the host took it",
            "inconclusive",
            "the machine was disturbed (the host took it), undecided: error-rate",
        ),
        ("the host took it", "pass", ""),
        ("the host took it", "fail", ""),
        ("", "inconclusive", ""),
    ],
)
def test_what_a_disturbed_machine_left_open_is_tried_again(disturbed: str, word: str, flaw: str) -> None:
    """What could be decided stands, and what is open on a calm machine stays open."""
    found = made.run(disturbed=disturbed, error_rate=word)
    assert (found.whole, found.flaw) == (True, flaw)
