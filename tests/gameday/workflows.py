"""Reads workflows and says what is wrong with them."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import click
import pytest
from check_jsonschema import main as check_jsonschema
from click.testing import CliRunner
from ruamel.yaml import YAML

from fixtures import environment
from gameday import gate_items, prepare
from gameday.cli import main

ROOT = Path(__file__).parents[2]
GITHUB = ROOT / ".github"
EVIDENCE = "./.github/actions/evidence"
_CALL = re.compile(r"(?:\.venv/bin/|\bmake )")
_ASKED = re.compile(r"\$\{\{ *(?:vars|matrix)\.(\w+)(?: *\|\| *'([^']*)')? *\}\}")


def load(path: Path) -> dict[str, Any]:
    """The document."""
    document: dict[str, Any] = YAML(typ="safe", pure=True).load(path.read_text())
    return document


def invalid(path: Path, schema: str) -> list[str]:
    """What the vendored schema has against a file."""
    shown = CliRunner().invoke(check_jsonschema, ["--builtin-schema", f"vendor.{schema}", str(path)])
    return [f"schema: {shown.output}"] if shown.exit_code else []


def commands(job: dict[str, Any]) -> Iterator[list[str]]:
    """Every call of gameday, pytest or make in a job, for each of its matrix, its variables filled in."""
    for plan in job.get("strategy", {}).get("matrix", {}).get("plan", [""]):
        for line in "\n".join(step.get("run", "") for step in job["steps"]).splitlines():
            if _CALL.search(line):
                for name, value in job.get("env", {}).items():
                    line = line.replace(f"${name}", value)  # noqa: PLW2901 - step by step
                words = shlex.split(_filled(line, plan).split(" | ")[0])
                yield words[1:] if words[0] == "exec" else words


def _filled(text: str, plan: str) -> str:
    """A variable of the repository is its default, or stands for `local`, an environment that is here."""
    return _ASKED.sub(lambda found: plan if found[1] == "plan" else found[2] or "local", text)


def wrong_call(words: list[str], pytester: pytest.Pytester) -> list[str]:
    """Why a command line would not do what it says; nothing is started."""
    program, *rest = words
    try:
        match program:
            case "make":
                subprocess.run(["make", "-n", *rest], cwd=ROOT, check=True, capture_output=True)
            case ".venv/bin/gameday":
                _gameday(rest)
            case ".venv/bin/pytest":
                config = pytester.parseconfig("-p", "gameday.gate", *rest)
                _prepared(config.getoption("gameday"), config.getoption("gameday_env"))
            case _:
                return [f"{program} is none of make, gameday, pytest"]
    except (click.UsageError, pytest.UsageError, subprocess.CalledProcessError) as error:
        return [f"{shlex.join(words)}: {error}"]
    except gate_items.USAGE_ERRORS as error:
        return [f"{shlex.join(words)}: {error}"]
    return []


def _gameday(rest: list[str]) -> None:
    command: click.Command = main
    name: str | None = "gameday"
    while isinstance(command, click.Group):
        name, found, rest = command.resolve_command(click.Context(command), rest)
        assert found is not None
        command = found
    given = command.make_context(name, rest).params
    if "plan" in given:
        _prepared(given["plan"], given["env_name"])
    else:
        environment.load(given["env_name"])


@cache
def _prepared(plan: str, env: str) -> None:
    """Both exist and fit; the scenario's file is read in another process, so once for each."""
    prepare.request(plan, prepare.Options(env=env))


def unsafe(text: str, document: dict[str, Any]) -> Iterator[str]:
    """More rights, time or trust than the job needs."""
    if document.get("permissions") != {"contents": "read"}:
        yield "permissions are not those of a reader"
    if "concurrency" not in document:
        yield "no concurrency group"
    if "secrets." in text:
        yield "a secret"
    for name, job in document["jobs"].items():
        if "timeout-minutes" not in job:
            yield f"{name} has no timeout"
        if set(job.get("permissions", {}).items()) - {("contents", "read")} and name != "staging":
            yield f"{name} asks for more than reading"
        yield from (f"{name}: {one}" for one in _steps(job["steps"]))


def _steps(steps: list[dict[str, Any]]) -> Iterator[str]:
    for step in steps:
        used = step.get("uses", "")
        if used.startswith("./"):
            if not (ROOT / used / "action.yml").is_file():
                yield f"no action {used}"
        elif used and not re.fullmatch(r"[\w-]+/[\w/-]+@v\d+", used):
            yield f"{used} is not pinned to a major version"
        if "checkout" in used and step["with"] != {"persist-credentials": False}:
            yield "a checkout that keeps its credentials"
    for i, step in enumerate(steps):
        if re.search(r"gameday run|--gameday", step.get("run", "")):
            kept = [one for one in steps[i:] if one.get("uses") == EVIDENCE]
            if not kept or kept[0].get("if") != "always()":
                yield "no evidence of a game day that failed"


def problems(path: Path, pytester: pytest.Pytester) -> list[str]:
    """Everything that is wrong with a workflow."""
    document = load(path)
    if found := invalid(path, "github-workflows"):
        return found
    calls = [words for job in document["jobs"].values() for words in commands(job)]
    wrong = [said for words in calls for said in wrong_call(words, pytester)]
    return [*wrong, *unsafe(path.read_text(), document)]
