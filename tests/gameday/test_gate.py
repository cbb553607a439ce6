"""The pytest gate: one item per objective, run once, and only a pass passes."""

import multiprocessing
import textwrap
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from gameday import gate_items
from slo import jsonl
from tests.run_folder import Outage, Plan, amend, write

pytest_plugins = ["pytester"]
SHORT = (("warmup", 10, None), ("steady", 130, None))
COUNTED = """
from gameday import gate_items

judge = gate_items.judge_and_report

def counted(folder):
    with open("judged", "a") as file:
        file.write("x")
    return judge(folder)

gate_items.judge_and_report = counted
"""
RAN = """
from pathlib import Path

from gameday import gate_items

def run(self):
    with open("ran", "a") as file:
        file.write("x")
    gate_items.judge_and_report(Path({healthy!r}))
    return Path({healthy!r})

questions = [gate_items.Question(phase="steady", objective=name) for name in ("latency-p50", "uptime")]
gate_items.Gate._run = run
gate_items.Gate._of_plan = lambda self: ("lexohub-noop", questions)
"""
DONE = """
from pathlib import Path
from types import SimpleNamespace

from gameday import gate_items

def run(request, say):
    with open("ran", "a") as file:
        file.write("x")
    folder = Path({folder!r})
    return SimpleNamespace(path=folder, verdicts=gate_items.judge_and_report(folder), code={code})

questions = [gate_items.Question(phase="all", objective=name, decides=False) for name in {names}]
gate_items.run = run
gate_items.past.remember = lambda path, verdicts: []
gate_items.Gate._request = lambda self: None
gate_items.Gate._of_plan = lambda self: ("lexohub-noop", questions)
"""
REPLACED = (
    (gate_items, ("judge_and_report", "run")),
    (gate_items.past, ("remember",)),
    (gate_items.Gate, ("_run", "_request", "_of_plan")),
)
ASKED = ("latency-p50", "latency-p99", "error-rate", "attainment", "search-rate")


@pytest.fixture
def pytester(pytester: pytest.Pytester, monkeypatch) -> pytest.Pytester:
    """A team's own folder, which loads the gate as a plugin; what its conftest replaces is put back."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    for place, names in REPLACED:
        for name in names:
            monkeypatch.setattr(place, name, getattr(place, name))
    # Hypothesis's plugin imports all of Hypothesis at the end of every session
    pytester.makeini("[pytest]\naddopts = -p gameday.gate -p no:hypothesispytest --strict-markers\n")
    return pytester


def _run_folder(where: Path, **fields) -> Path:
    plan = Plan(phases=SHORT, objectives=ASKED, judge=(), probe="none", seen=None, run_id="run-1", **fields)
    return write(where, plan)


@pytest.fixture(scope="module")
def healthy(tmp_path_factory) -> Path:
    """A run in which everything passes."""
    return _run_folder(tmp_path_factory.mktemp("runs") / "run-1")


@pytest.fixture(scope="module")
def sick(tmp_path_factory) -> Path:
    """A run with two per cent of errors."""
    outage = Outage(start=10, end=140, share=0.02)
    return _run_folder(tmp_path_factory.mktemp("runs") / "run-1", outages=[outage])


def test_each_objective_is_an_item_and_a_pass_passes(pytester, healthy):
    """A healthy run: every item, and the run as a whole."""
    found = pytester.runpytest_inprocess("-v", f"--run-folder={healthy}")
    found.assert_outcomes(passed=len(ASKED) + 1)
    found.stdout.fnmatch_lines(["*lexohub::steady::latency-p99*PASSED*", "*lexohub::run::verdict*PASSED*"])
    found.stdout.fnmatch_lines(["gameday pass, exit code 0: *", f"report {healthy}/report.html"])


def test_a_failure_tells_what_was_asked_and_found(pytester, sick):
    """Errors fail their objective and the run, without a traceback."""
    found = pytester.runpytest_inprocess(f"--run-folder={sick}", "-k", "error or verdict")
    found.assert_outcomes(failed=2, deselected=len(ASKED) - 1)
    text = found.stdout.str()
    assert "asked for rate < 0.1%" in text
    assert "Success Metrics" in text
    assert "gate_items.py" not in text


def test_marks_choose_phases_and_kinds(pytester, healthy):
    """By phase or by kind of indicator, with strict markers."""
    pytester.runpytest_inprocess(f"--run-folder={healthy}", "-m", "latency").assert_outcomes(
        passed=2, deselected=len(ASKED) - 1
    )
    pytester.runpytest_inprocess(f"--run-folder={healthy}", "-m", "steady").assert_outcomes(
        passed=len(ASKED), deselected=1
    )


def test_what_only_informs_does_not_fail(pytester, sick):
    """Attainment is derived: missed, it ends as xfailed."""
    found = pytester.runpytest_inprocess(f"--run-folder={sick}", "-k", "attainment")
    found.assert_outcomes(xfailed=1, deselected=len(ASKED))


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"metrics": False, "lag_p99": 0.9}, 4),
        ({"state": "cut-short"}, 3),
        ({"least_passes": 99}, 3),
        ({"rates": {}}, 3),
    ],
)
def test_nothing_but_a_pass_passes(pytester, fields, code):
    """Invalid, cut short, too few passes, no data: the run's item fails, and says its exit code."""
    folder = _run_folder(pytester.path / "run-1", **fields)
    found = pytester.runpytest_inprocess(f"--run-folder={folder}", "-k", "verdict")
    assert found.ret == pytest.ExitCode.TESTS_FAILED
    found.stdout.fnmatch_lines([f"gameday *, exit code {code}: *"])


@pytest.mark.parametrize(("fields", "code"), [({"lag_p99": 0.9}, 4), ({"state": "cut-short"}, 3)])
@pytest.mark.parametrize("name", ["latency-p50", "attainment"])
def test_no_item_of_a_run_that_is_void_or_cut_short_passes(pytester, fields, code, name):
    """Whichever were selected, also where they only inform."""
    folder = _run_folder(pytester.path / "run-1", **fields)
    found = pytester.runpytest_inprocess(f"--run-folder={folder}", "-k", name)
    found.assert_outcomes(failed=1, deselected=len(ASKED))
    assert found.ret == pytest.ExitCode.TESTS_FAILED
    found.stdout.fnmatch_lines([f"no item of this run passes: *, exit code {code}: *"])


@pytest.mark.parametrize(("words", "code"), [((), 5), (("-n", "2"), 1)])
def test_a_run_that_broke_ends_the_session(pytester, words, code):
    """With 5, as `gameday run` does; xdist's workers share its folder, and all their items fail."""
    folder = _run_folder(pytester.path / "run-1", state="cut-short")
    names = ("latency-p50", "uptime")
    pytester.makeconftest(DONE.format(folder=str(folder), code=5, names=names))
    start = pytester.runpytest_inprocess if words else pytester.runpytest_subprocess
    found = start(*words, "--gameday", "lexohub-noop")
    assert (found.ret, (pytester.path / "ran").read_text()) == (code, "x")
    if words:
        found.assert_outcomes(failed=2)
    else:
        told = "broken: inconclusive, exit code 3: the run was cut short"
        found.stdout.fnmatch_lines([f"*{told}; run folder {folder}*"])


def test_what_informs_fails_where_integrity_does(pytester):
    """A plan's item knows only from the verdicts that a write which is there twice decides."""
    folder = _run_folder(pytester.path / "run-1")
    amend(folder, objectives=[*ASKED, "workflow-once"])
    both = {"set": "workflows", "id": "w"}
    lines = [
        {"kind": "write", **both, "op": "o", "seq": 1, "t_send": 1.0, "t_ack": 1.5, "outcome": "ok"},
        {"kind": "read", **both, "count": 2, "state": "done"},
        {"kind": "readback", "set": "workflows", "complete": True, "once": True, "t": 9.0},
    ]
    jsonl.append_all(folder / "ledger.jsonl", lines)
    pytester.makeconftest(DONE.format(folder=str(folder), code=1, names=("workflow-once",)))
    found = pytester.runpytest_inprocess("--gameday", "lexohub-noop")
    found.assert_outcomes(failed=1)
    found.stdout.fnmatch_lines(["*workflow-once: fail*"])


def test_beside_a_teams_own_tests_and_with_xdist(pytester, healthy):
    """Both kinds run, spread over two workers; the run is judged once."""
    pytester.makepyfile("def test_own(): assert True")
    pytester.makeconftest(COUNTED)
    found = pytester.runpytest_inprocess("-n", "2", str(pytester.path), f"--run-folder={healthy}")
    found.assert_outcomes(passed=len(ASKED) + 2)
    found.stdout.fnmatch_lines(["gameday pass, exit code 0: *", f"report {healthy}/report.html"])
    assert (pytester.path / "judged").read_text() == "x"


def test_with_xdist_a_game_day_runs_once_and_its_report_is_named(pytester, healthy):
    """Only the one who runs it knows the folder; the summary hears of it, and nothing is left behind."""
    pytester.makeconftest(RAN.format(healthy=str(healthy)))
    session = ("-n", "2", "--testrunuid", pytester.path.name)
    found = pytester.runpytest_inprocess(*session, "--gameday", "lexohub-noop")
    found.stdout.fnmatch_lines(["gameday pass, exit code 0: *", f"report {healthy}/report.html"])
    assert (pytester.path / "ran").read_text() == "x"
    assert not gate_items.shared(pytester.path.name).exists()


def test_with_xdist_what_cannot_be_read_is_an_error_of_usage(pytester):
    """As without: one line, and no worker starts."""
    found = pytester.runpytest_inprocess("-n", "2", "--run-folder=nowhere")
    assert found.ret == pytest.ExitCode.USAGE_ERROR
    found.stderr.fnmatch_lines(["ERROR: nowhere: no manifest.json*"])


def test_names_in_junit_are_unique_and_the_same_every_night(pytester, healthy):
    """A test case is `PLAN.PHASE` and the objective, whatever the run is called."""
    pytester.makepyfile("def test_own(): assert True")
    pytester.runpytest_inprocess(str(pytester.path), f"--run-folder={healthy}", "--junitxml=all.xml")
    cases = [(one.get("classname"), one.get("name")) for one in ET.parse("all.xml").iter("testcase")]
    own, *others = cases
    assert own[1] == "test_own"
    assert sorted(others) == sorted(
        [*(("lexohub.steady", name) for name in ASKED), ("lexohub.run", "verdict")]
    )


def test_without_its_options_the_gate_is_silent(pytester):
    """A team's own session is left alone."""
    pytester.makepyfile("def test_own(): assert True")
    pytester.runpytest_inprocess().assert_outcomes(passed=1)


def test_a_plan_is_collected_without_running_it(pytester):
    """One item per objective of the plan and of its experiments, under their phases."""
    found = pytester.runpytest_inprocess("--collect-only", "-q", "--gameday", "lexohub-failover")
    text = found.stdout.str()
    assert "lexohub-failover::fault::failover" in text
    assert "lexohub-failover::run::verdict" in text


@pytest.mark.parametrize("words", [("--gameday", "nowhere"), ("--run-folder=nowhere",)])
def test_what_cannot_be_read_is_an_error_of_usage(pytester, words):
    """No item, exit 4 of pytest, and the reason in one line."""
    found = pytester.runpytest_inprocess(*words)
    assert found.ret == pytest.ExitCode.USAGE_ERROR
    assert "nowhere" in found.stderr.str()


def _make(shared: Path, log: Path) -> None:
    def run() -> str:
        with log.open("a") as file:
            file.write("x")
        return "made"

    assert gate_items.once(shared, run) == "made"


def test_two_workers_run_it_once(tmp_path):
    """Whoever comes second waits and reads."""
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=_make, args=(tmp_path / "s", tmp_path / "log")) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(30)
    assert [worker.exitcode for worker in workers] == [0] * 4
    assert (tmp_path / "log").read_text() == "x"


def test_a_run_that_broke_is_tried_by_the_next(tmp_path):
    """What raised left nothing behind to be believed."""

    def broken() -> str:
        raise OSError(textwrap.dedent("no"))

    with pytest.raises(OSError, match="no"):
        gate_items.once(tmp_path / "s", broken)
    assert gate_items.once(tmp_path / "s", lambda: "made") == "made"
