"""What is deployed for fault injection: sound templates, narrow roles, documents that can be carried out."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cfnlint.decode import decode

from chaos import documents, experiment
from fixtures.region.ssm import automation, scripts

FOLDER = scripts.FOLDER.parent
TEMPLATES = sorted(FOLDER.glob("*.yaml"))
DOCUMENTS = sorted(scripts.FOLDER.glob("*.yaml"))
READS = re.compile(r"(Describe|Get|List)[A-Z]")


def template(name: str) -> dict[str, Any]:
    found, problems = decode(str(FOLDER / name))
    assert not problems
    return dict(found)


def statements() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every statement of a role's rights, with the role's name in the template."""
    for name, resource in template("account.yaml")["Resources"].items():
        for policy in resource["Properties"].get("Policies", []):
            for one in policy["PolicyDocument"]["Statement"]:
                yield name, one


def actions(statement: dict[str, Any]) -> list[str]:
    found = statement["Action"]
    return [found] if isinstance(found, str) else list(found)


def test_cfn_lint_has_nothing_to_say() -> None:
    """No error and no warning, for the regions of an ordinary account."""
    program = Path(sys.executable).parent / "cfn-lint"
    command = [program, "--regions", "us-east-1", "eu-west-1", "--", *TEMPLATES]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_breaks_something_asks_for_the_owner_s_opt_in() -> None:
    """Each right to change what is not ours alone is conditioned on the tag."""
    ours = ("ssm:", "iam:", "s3:", "scheduler:")
    changing = [
        (role, one)
        for role, one in statements()
        if any(
            not READS.match(action.split(":")[1]) and not action.startswith(ours) for action in actions(one)
        )
    ]
    assert {role for role, _ in changing} == {
        "DatabaseRole", "TasksRole", "CacheRole", "QueueAutomationRole", "DomainAutomationRole",
    }  # fmt: skip
    for role, one in changing:
        assert one["Condition"] == {"StringEquals": {"aws:ResourceTag/gameday": "ready"}}, role


def test_nothing_is_allowed_everywhere_but_reading() -> None:
    """A wildcard for the resource goes with reading only, and no action is a wildcard."""
    for role, one in statements():
        assert not any("*" in action for action in actions(one)), role
        if one["Resource"] == "*":
            assert all(READS.match(action.split(":")[1]) for action in actions(one)), role
        if "iam:PassRole" in actions(one):
            assert one["Condition"]["StringEquals"]["iam:PassedToService"] in {
                "ssm.amazonaws.com",
                "scheduler.amazonaws.com",
            }


def test_roles_are_taken_by_their_services_for_this_account_only() -> None:
    """Nobody else's experiment can borrow a role."""
    roles = [one for one in template("account.yaml")["Resources"].values() if one["Type"] == "AWS::IAM::Role"]
    assert len(roles) == 9
    for role in roles:
        (trust,) = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        assert set(trust["Principal"]) == {"Service"}
        assert trust["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}


def test_the_stop_alarm_takes_silence_for_harm() -> None:
    """It watches what users get, and missing data is breaching."""
    alarm = template("system.yaml")["Resources"]["CustomerImpact"]["Properties"]
    assert (alarm["Namespace"], alarm["MetricName"]) == ("Gameday", "GoodRatio")
    assert alarm["TreatMissingData"] == "breaching"
    assert alarm["ComparisonOperator"] == "LessThanThreshold"


def test_every_document_is_deployed_under_its_name() -> None:
    """The template includes each file, as gameday-STEM, with the owner's opt-in."""
    found = {
        one["Properties"]["Name"]: one["Properties"]
        for one in template("account.yaml")["Resources"].values()
        if one["Type"] == "AWS::SSM::Document"
    }
    assert set(found) == {f"gameday-{path.stem}" for path in DOCUMENTS}
    for name, properties in found.items():
        included = properties["Content"]["Fn::Transform"]["Parameters"]["Location"]
        assert (FOLDER / included).stem == name.removeprefix("gameday-")
        assert properties["Tags"] == [{"Key": "gameday", "Value": "ready"}]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.stem)
def test_a_document_can_be_carried_out_here(path: Path) -> None:
    """The local region reads it, and knows its scripts; none has braces that Automation would fill in."""
    text = path.read_text("utf-8")
    body = scripts.read(text)
    document = automation.read(body)
    scripts.check(document)
    for step in document.steps.values():
        script = step.inputs.get("Script", "")
        compile(script, path.stem, "exec")
        assert "{{" not in script
        assert "}}" not in script
    assert not re.search(r": [&*]\w", text), "CloudFormation takes no aliases"
    if "Hold" in document.steps:
        assert {one.on_cancel for name, one in document.steps.items() if name != "Allow"} == {"step:Allow"}
        assert {one.on_failure for name, one in document.steps.items() if name != "Allow"} == {"step:Allow"}


@pytest.mark.parametrize("name", ["pdf-queue-throttle", "search-outage"])
def test_experiments_give_documents_what_they_take(name: str) -> None:
    """Every parameter without a default is given, none is strange, and the document is one of ours."""
    found = experiment.load(experiment.FOLDER / "lexohub" / f"{name}.json")
    (action,) = [one for one in found.template["actions"].values() if one["actionId"] == documents.ACTION]
    stem = action["parameters"]["documentArn"].rsplit("/gameday-", 1)[1]
    known = automation.read(scripts.read((scripts.FOLDER / f"{stem}.yaml").read_text("utf-8"))).parameters
    given = json.loads(action["parameters"]["documentParameters"])
    assert set(given) <= set(known)
    assert {key for key, default in known.items() if default is None} <= set(given)


CLASSES = {
    "rds": "database",
    "ecs": "tasks",
    "elasticache": "cache",
    "lambda": "functions",
    "ssm": "documents",
}


@pytest.mark.parametrize("path", sorted(experiment.FOLDER.glob("*/*.json")), ids=lambda path: path.stem)
def test_an_experiment_has_the_role_of_its_class(path: Path) -> None:
    """One that fails databases over cannot stop tasks; one that only waits can do nothing."""
    found = experiment.load(path)
    if found.drill:
        return
    services = {action.split(":")[1] for action in found.actions} - {"fis"}
    (name,) = {f"fis-{CLASSES[service]}" for service in services} or {"fis"}
    assert found.template["roleArn"] == f"${{env.roles.{name}}}"
    deployed = {
        one["Properties"]["RoleName"]["Fn::Sub"].removeprefix("${Prefix}-")
        for one in template("account.yaml")["Resources"].values()
        if one["Type"] == "AWS::IAM::Role"
    }
    assert name in deployed
