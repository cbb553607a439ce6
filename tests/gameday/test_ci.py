"""CI: the workflows are valid and mean what they say, and docs/ci.md quotes them as they are."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from gameday.exitcodes import ExitCode
from tests.gameday import workflows
from tests.gameday.workflows import GITHUB, ROOT

pytest_plugins = ["pytester"]
PAGE = (ROOT / "docs" / "ci.md").read_text()
FILES = sorted((GITHUB / "workflows").glob("*.yml"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_workflows_are_valid_and_every_command_in_them_parses(path, pytester):
    """GitHub's schema, click's and pytest's parsing, plans and environments that exist, least rights."""
    assert workflows.problems(path, pytester) == []


@pytest.mark.parametrize("path", sorted((GITHUB / "actions").glob("*/action.yml")), ids=str)
def test_the_actions_are_valid(path):
    """GitHub's schema of actions, and majors of those that they use."""
    assert workflows.invalid(path, "github-actions") == []
    assert list(workflows._steps(workflows.load(path)["runs"]["steps"])) == []


@pytest.mark.parametrize(
    ("broken", "expected"),
    [
        (("nightly", "runs-on:", "runs_on:"), "schema"),
        (("nightly", "cancel-in-progress: false", "cancel-in-progress: perhaps"), "schema"),
        (("nightly", "lexohub-failover]", "lexohub-failovr]"), "no plan or system 'lexohub-failovr'"),
        (("nightly", "|| 'lexohub-failover'", "|| 'nowhere'"), "no plan or system 'nowhere'"),
        (("nightly", "gameday run", "gameday runn"), "No such command 'runn'"),
        (("nightly", "--env local", "--environment local"), "No such option"),
        (("nightly", "--env local", "--env nowhere"), "nowhere"),
        (("nightly", "gameday abort", "gameday abort all"), "unexpected extra argument"),
        (("nightly", "make detect", "make detct"), "make detct"),
        (("nightly", "    timeout-minutes: 45\n", ""), "local has no timeout"),
        (("nightly", "${{ vars.GAMEDAY_STAGING_ROLE }}", "${{ secrets.ROLE }}"), "a secret"),
        (("pull-request", "--gameday lexohub-noop", "--gameday nowhere"), "no plan or system 'nowhere'"),
        (("pull-request", "--env local", "--env nowhere"), "nowhere"),
        (("pull-request", "--junitxml", "--junitxlm"), "--junitxlm"),
        (("pull-request", "checkout@v5", "checkout@main"), "not pinned"),
        (("pull-request", "contents: read", "contents: write"), "not those of a reader"),
        (("pull-request", "if: always()", "if: success()"), "no evidence"),
        (("pull-request", "actions/evidence", "actions/evidnce"), "no action"),
        (("pull-request", "make test", "make gates"), "make gates"),
    ],
)
def test_a_broken_copy_is_found_out(tmp_path, pytester, broken, expected):
    """Each thing that is checked, broken."""
    file, old, new = broken
    text = (GITHUB / "workflows" / f"{file}.yml").read_text()
    assert old in text
    copy = tmp_path / f"{file}.yml"
    copy.write_text(text.replace(old, new))
    assert expected in "\n".join(workflows.problems(copy, pytester))


def test_sunday_is_a_day_on_which_the_workflow_runs():
    """The schedule that the judge's proof asks for is one of the workflow's."""
    nightly = workflows.load(GITHUB / "workflows" / "nightly.yml")
    crons = [one["cron"] for one in nightly["on"]["schedule"]]
    asked = re.findall(r"schedule == '([^']+)'", nightly["jobs"]["detect"]["if"])
    assert asked == [one for one in crons if one.endswith(" 0")]


def test_only_staging_asks_for_a_token():
    """OIDC in one job, behind variables of the repository."""
    jobs = {name: job for path in FILES for name, job in workflows.load(path)["jobs"].items()}
    assert jobs["staging"]["permissions"] == {"contents": "read", "id-token": "write"}
    assert "vars.GAMEDAY_STAGING_ROLE != ''" in jobs["staging"]["if"]
    assert [name for name, job in jobs.items() if "permissions" in job] == ["staging"]


@pytest.mark.parametrize("code", list(ExitCode))
def test_a_game_day_hands_its_exit_code_to_the_job(tmp_path, code):
    """The step that runs it ends as it ended."""
    jobs = workflows.load(GITHUB / "workflows" / "nightly.yml")["jobs"]
    script = next(step["run"] for step in jobs["staging"]["steps"] if step.get("name") == "Game day")
    program = tmp_path / ".venv" / "bin" / "gameday"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\nexit {int(code)}\n")
    program.chmod(0o755)
    assert subprocess.run(["bash", "-e", "-c", script], cwd=tmp_path, check=False).returncode == code


def _told(folder: Path) -> str:
    """What the action `evidence` writes into the summary of a job that ran in `folder`."""
    step = workflows.load(GITHUB / "actions" / "evidence" / "action.yml")["runs"]["steps"][0]
    summary = folder / "summary.md"
    environment = {"PATH": "/usr/bin:/bin", "PLAN": "plans/nightly.toml", "GITHUB_OUTPUT": "output"}
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
    environment["GITHUB_STEP_SUMMARY"] = str(summary)
    subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)
    assert (folder / "output").read_text() == "name=nightly\n"
    return summary.read_text()


def _ended(folder: Path, code: int) -> Path:
    run = folder / "runs" / "nightly-20260102T030405Z-0a1b"
    run.mkdir(parents=True)
    (run / "verdicts.json").write_text(json.dumps({"exit": code}))
    (run / "report.md").write_text("# The report\n")
    return folder


def test_the_summary_tells_exit_codes_apart(tmp_path):
    """Each verdict has words of its own, above the report; without one it says so."""
    told = {code: _told(_ended(tmp_path / str(code), code)) for code in (0, 1, 3, 4)}
    assert "exit code 3, inconclusive or no data" in told[3]
    assert "exit code 4, invalid" in told[4]
    assert "passed" not in "".join(told[code] for code in (1, 3, 4))
    assert all(one.endswith("# The report\n") for one in told.values())
    empty = tmp_path / "empty"
    empty.mkdir()
    assert "no verdict" in _told(empty)


def _blocks(page: str = PAGE) -> list[list[str]]:
    """Indented blocks, lines without their indent."""
    found = re.findall(r"(?:^(?: {4}.*)\n)+", page, flags=re.MULTILINE)
    return [[line.strip() for line in block.splitlines()] for block in found]


def test_the_page_quotes_the_workflows_as_they_are():
    """Everything before the release gate is from a workflow; jobs, variables and codes are all named."""
    text = "".join(path.read_text() for path in FILES)
    lines = [re.sub(r"^(- )?(run: )?", "", line.strip()) for line in text.splitlines()]
    quoted = [line for block in _blocks(PAGE.split("\n## Release gate")[0]) for line in block]
    assert len(quoted) == 5
    assert [line for line in quoted if line not in lines] == []
    jobs = [name for path in FILES for name in workflows.load(path)["jobs"]]
    assert [name for name in jobs if f"`{name}`" not in PAGE] == []
    assert set(re.findall(r"`(GAMEDAY_\w+)`", PAGE)) == set(re.findall(r"vars\.(\w+)", text))
    assert re.findall(r"^\| (\d+) \|", PAGE, flags=re.MULTILINE) == [str(int(code)) for code in ExitCode]


def test_the_page_tells_gitlab_what_it_understands(tmp_path, pytester):
    """GitLab's schema takes the three lines, and their command parses."""
    job = next(block for block in _blocks() if block[0].startswith("script:"))
    path = tmp_path / "gitlab.yml"
    path.write_text("gameday:\n" + "".join(f"  {line}\n" for line in job))
    assert workflows.invalid(path, "gitlab-ci") == []
    for call in workflows.load(path)["gameday"]["script"]:
        assert workflows.wrong_call(call.split(), pytester) == []
