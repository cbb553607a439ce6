"""Experiment files: the shipped ones are sound, and every broken rule is named with file and line."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator

from chaos import experiment, probes
from chaos.errors import ConfigError
from chaos.floor import Floor
from fixtures import environment
from slo import objective

SHIPPED = sorted(experiment.FOLDER.glob("*/*.json"))
TEMPLATES = [path for path in SHIPPED if "drill" not in json.loads(path.read_text("utf-8"))]
TARGETS = Path(objective.__file__).parent / "targets"
FAILOVER = experiment.FOLDER / "lexohub" / "aurora-failover.json"


def written(tmp_path: Path, data: Any) -> Path:
    folder = tmp_path / "lexohub"
    folder.mkdir(exist_ok=True)
    path = folder / "mine.json"
    path.write_text(data if isinstance(data, str) else json.dumps(data, indent=2), "utf-8")
    return path


def changed(keys: tuple[str | int, ...], value: Any) -> dict[str, Any]:
    """The failover experiment with one value replaced; `...` removes it."""
    data: Any = json.loads(FAILOVER.read_text("utf-8"))
    inner = data
    for key in keys[:-1]:
        inner = inner[key]
    if value is ...:
        del inner[keys[-1]]
    else:
        inner[keys[-1]] = copy.deepcopy(value)
    return dict(data)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_shipped_experiment_is_what_boto3_takes(path: Path) -> None:
    """Each loads, resolves for the local environment, and passes botocore's own validation."""
    found = experiment.load(path)
    template = experiment.resolve(found, environment.load("local"))
    shape = (
        botocore.session.get_session().get_service_model("fis").operation_model("CreateExperimentTemplate")
    )
    report = ParamValidator().validate({**template, "clientToken": "x"}, shape.input_shape)
    assert not report.has_errors(), report.generate_report()
    assert "${" not in json.dumps(template)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_shipped_experiment_names_objectives_that_exist(path: Path) -> None:
    """Whatever judges an experiment stands in the targets of its system."""
    found = experiment.load(path)
    known = {item.id for item in objective.load(TARGETS / f"{found.system}.toml")}
    assert not {*found.judge, *found.steady_state} - known


def test_a_floor_of_its_own_replaces_the_usual_one(tmp_path: Path) -> None:
    """As far as it is said."""
    assert experiment.load(written(tmp_path, changed(("floor",), {"for_s": 90}))).floor == Floor(for_s=90.0)
    assert experiment.load(FAILOVER).floor == Floor()


@pytest.mark.parametrize("system", sorted({path.parent.name for path in SHIPPED}))
def test_every_system_has_a_noop(system: str) -> None:
    """No fault is the first experiment: it shows that the gate does not cry wolf."""
    noop = experiment.load(experiment.FOLDER / system / "noop.json")
    assert (noop.probe, noop.actions) == ("none", ("aws:fis:wait",))


@pytest.mark.parametrize(
    ("keys", "value", "expected"),
    [
        (("hypotesis",), "x", "unknown key 'hypotesis'; expected hypothesis"),
        (("hypothesis",), ..., "hypothesis is missing; expected"),
        (("hypothesis",), "  ", "expected one sentence"),
        (("judge",), "mttr", "expected a list of objective ids"),
        (("judge", 0), "Fail Over", "'Fail Over' is no objective id; expected"),
        (("judge", 1), "failover", "is there twice; expected"),
        (("steady_state",), [], "steady_state is empty; expected"),
        (("template", "rolearn"), "x", "expected its input"),
        (("template", "description"), ..., "expected its input"),
        (("template", "roleArn"), "arn:aws:iam::1:role/admin", "expected ${env.roles.NAME}"),
        (("template", "experimentOptions"), {"emptyTargetResolutionMode": "skip"}, 'expected "fail"'),
        (("template", "stopConditions", 0), {"source": "none"}, "expected aws:cloudwatch:alarm"),
        (("template", "stopConditions"), [], "expected ${env.alarms.customer-impact}"),
        (("stop_alarm",), "errors", "expected ${env.alarms.errors}, the stop_alarm"),
        (("template", "targets", "cluster", "resourceTags"), {"gameday": "ready"}, "expected at least"),
        (("template", "targets", "cluster", "resourceTags", "system"), "writlix", "expected at least"),
        (
            ("template", "targets", "cluster", "resourceArns"),
            ["arn:aws:rds:::cluster:x"],
            "expected resourceTags",
        ),
        (("template", "targets", "cluster", "selectionMode"), "COUNT(0)", "expected ALL, COUNT(n)"),
        (("template", "targets", "cluster", "resourceType"), "aws:rds:db", "expected aws:rds:cluster"),
        (("template", "actions", "failover", "actionId"), "aws:rds:explode", "expected one of its own"),
        (("template", "actions", "failover", "targets"), {"Tasks": "cluster"}, "expected ['Clusters']"),
        (
            ("template", "actions", "failover", "targets"),
            {"Clusters": "other"},
            "expected one of ['cluster']",
        ),
        (("template", "actions", "failover", "startAfter"), ["failover"], "expected another action"),
        (("template", "actions", "failover", "parameters"), {"duration": "PT1M"}, "unknown parameter"),
        (("template", "actions"), {}, "no actions; expected"),
        (("floor",), "0.1", "expected an object"),
        (("floor",), {"good": 0.1}, "unknown key 'good'; expected ['for_s', 'good_ratio']"),
        (("floor",), {"good_ratio": 1.5}, "expected a number above 0 and below 1"),
        (("floor",), {"for_s": True}, "expected a number above 1 and below 600"),
        (("observe", "probe"), "crystal-ball", f"expected one of {probes.names()}"),
        (("observe", "probe"), "none", "unknown key 'url'"),
        (("observe",), {"probe": "none"}, "expected none where every action is aws:fis:wait"),
        (("observe", "field"), ..., "field is missing"),
        (("observe", "every_s"), 0, "expected seconds from 0.01 to 10"),
        (("observe", "url"), "${env.url.api}/x", "unknown name '${env.url.api}'; expected"),
        (("observe", "url"), "${HOME}/x", "unknown name '${HOME}'; expected"),
        (("observe", "url"), "${env.urls.api", "unknown name '${env.urls.api'; expected"),
        (("template", "description"), "for ${env.roles}", "unknown name '${env.roles}'; expected"),
    ],
)
def test_a_broken_rule_is_named(
    tmp_path: Path, keys: tuple[str | int, ...], value: Any, expected: str
) -> None:
    """A file that breaks one rule is refused with that rule and a line of the file."""
    path = written(tmp_path, changed(keys, value))
    with pytest.raises(ConfigError) as caught:
        experiment.load(path)
    assert expected in str(caught.value)
    assert str(caught.value).startswith(f"{path}:{caught.value.line}: ")
    assert "expected" in caught.value.problem


def test_the_line_is_the_key_s_own(tmp_path: Path) -> None:
    """The refused key is found where it stands."""
    path = written(tmp_path, changed(("template", "targets", "cluster", "selectionMode"), "SOME"))
    wanted = next(n for n, line in enumerate(path.read_text().splitlines(), 1) if "selectionMode" in line)
    with pytest.raises(ConfigError) as caught:
        experiment.load(path)
    assert caught.value.line == wanted


@pytest.mark.parametrize("length", ["PT59S", "PT13H", "one minute"])
def test_a_wait_is_at_least_a_minute(tmp_path: Path, length: str) -> None:
    """FIS refuses shorter waits and longer experiments, so the file is refused first."""
    data = json.loads((FAILOVER.parent / "noop.json").read_text("utf-8"))
    data["template"]["actions"]["wait"]["parameters"]["duration"] = length
    with pytest.raises(ConfigError, match="expected"):
        experiment.load(written(tmp_path, data))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{\n "hypothesis": \n}', r"mine\.json:3: not JSON"),
        ("[]", "expected one object"),
        ('{"judge": [], "judge": []}', "'judge' appears twice"),
    ],
)
def test_what_is_no_experiment_is_refused(tmp_path: Path, text: str, expected: str) -> None:
    """Broken JSON, another shape and a key given twice are said."""
    with pytest.raises(ConfigError, match=expected):
        experiment.load(written(tmp_path, text))


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    """No such file is a ConfigError too."""
    with pytest.raises(ConfigError, match="cannot be read"):
        experiment.load(tmp_path / "nothing.json")


def test_an_alarm_that_the_environment_lacks_is_named_with_its_line() -> None:
    """Resolving says which name is missing, where it is used and where it belongs."""
    env = environment.load("local")
    bare = replace(env, aws=replace(env.aws, alarms={}))
    with pytest.raises(ConfigError, match=r"aurora-failover\.json:\d+: .*has no alarms\.customer-impact"):
        experiment.resolve(experiment.load(FAILOVER), bare)


def test_probe_options_are_resolved() -> None:
    """The probe's address comes from the environment."""
    env = replace(environment.load("local"), urls={"api": "http://127.0.0.1:9"})
    options = experiment.observe_options(experiment.load(FAILOVER), env)
    assert options == {"url": "http://127.0.0.1:9/health/writer", "field": "writer"}
