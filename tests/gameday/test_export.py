"""`gameday export`: what is printed is what the AWS command line takes."""

from __future__ import annotations

import json
from pathlib import Path

import botocore.session
import pytest
from botocore.validate import ParamValidator
from click.testing import CliRunner, Result

from chaos import experiment
from gameday.cli import main
from gameday.exitcodes import ExitCode

LOADED = [experiment.load(path) for path in sorted(experiment.FOLDER.glob("*/*.json"))]
SHIPPED = [f"{one.system}/{one.name}" for one in LOADED if not one.drill]
DRILLS = [f"{one.system}/{one.name}" for one in LOADED if one.drill]


def export(*words: str) -> Result:
    return CliRunner().invoke(main, ["export", "fis", *words])


@pytest.mark.parametrize("name", SHIPPED)
def test_every_experiment_is_printed_as_aws_takes_it(name: str) -> None:
    """Nothing is left to fill in, and botocore's own check of the input has nothing to say."""
    shown = export(name, "--env", "local")
    assert shown.exit_code == ExitCode.PASS, shown.stderr
    given = json.loads(shown.stdout)
    model = botocore.session.get_session().get_service_model("fis")
    shape = model.operation_model("CreateExperimentTemplate").input_shape
    report = ParamValidator().validate({**given, "clientToken": "x"}, shape)
    assert not report.has_errors(), report.generate_report()
    assert "${" not in shown.stdout
    for action in given["actions"].values():
        assert all(len(text) <= 1024 for text in action.get("parameters", {}).values())


def test_the_environment_s_own_roles_and_account_stand_in_it(tmp_path: Path) -> None:
    """Another environment, another account."""
    text = Path("fixtures/environments/local.toml").read_text("utf-8").replace("123456789012", "210987654321")
    (tmp_path / "other.toml").write_text(text, "utf-8")
    shown = export("aurora-failover", "--env", str(tmp_path / "other.toml"))
    given = json.loads(shown.stdout)
    assert "210987654321" in given["roleArn"]
    assert "123456789012" not in shown.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nonesuch",), "expected one of ['lexohub/"),
        (("nowhere.json",), "nowhere.json"),
        (("aurora-failover", "--env", "mars"), "local-async"),
    ],
)
def test_what_is_not_there_is_said(words: tuple[str, ...], said: str) -> None:
    """Exit 2 with the names that there are, and nothing is printed."""
    shown = export(*words)
    assert (shown.exit_code, shown.stdout) == (ExitCode.USAGE, "")
    assert said in shown.stderr


@pytest.mark.parametrize("name", DRILLS)
def test_a_drill_is_no_business_of_fis(name: str) -> None:
    """It has no template, and says so."""
    shown = export(name)
    assert (shown.exit_code, shown.stdout) == (ExitCode.USAGE, "")
    assert "drill" in shown.stderr
