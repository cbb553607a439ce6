"""The rules that every experiment file keeps, each a generator of (where, what is wrong; what was expected).

They are what makes a fault safe to start: a stop alarm on customer impact, opt-in by tag, an empty target is
a failure, and an observation that proves that the fault began and ended. Shapes are botocore's own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from botocore.validate import ParamValidator

from chaos import documents, drills, probes
from fixtures.region.fis import catalog, duration

Keys = tuple[str | int, ...]
Problems = Iterator[tuple[Keys, str]]

NO_FAULT = "aws:fis:wait"
_ENVELOPE = {
    "hypothesis": str,
    "steady_state": list,
    "template": dict,
    "observe": dict,
    "judge": list,
    "stop_alarm": str,
}
_OPTIONAL = {"floor": dict, "drill": dict}
_FLOOR = {"good_ratio": (0.0, 1.0), "for_s": (1.0, 600.0)}
_ARTICLE = {str: "a text", list: "a list of objective ids", dict: "an object"}
_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_SELECTION = re.compile(r"ALL|COUNT\([1-9]\d*\)|PERCENT\(([1-9]\d?|100)\)")
_PLACEHOLDER = re.compile(r"\$\{[^}]*\}")
_QUOTA = {"actions": 20, "targets": 20, "stopConditions": 5}


def problems(data: Mapping[str, Any], *, system: str) -> Problems:
    """Every broken rule of a parsed file, the most basic first: a caller may stop at the first."""
    broken = list(_envelope(data))
    yield from broken
    if broken:
        return
    yield from _texts(data)
    yield from _drill(data, system) if "drill" in data else _asked_of_fis(data, system)
    yield from _observe(data)
    yield from _floor(data.get("floor", {}))


def _asked_of_fis(data: Mapping[str, Any], system: str) -> Problems:
    yield from _template(data["template"])
    yield from _stop(data)
    yield from _targets(data["template"], system)
    yield from _actions(data["template"])
    yield from documents.problems(data["template"], system=system)


def _envelope(data: Mapping[str, Any]) -> Problems:
    for key in data:
        if key not in _ENVELOPE | _OPTIONAL:
            yield (key,), f"unknown key {key!r}; expected {', '.join(_ENVELOPE | _OPTIONAL)}"
    for key, kind in (_ENVELOPE | _OPTIONAL).items():
        if key not in data and (key in _OPTIONAL or (key == "template" and "drill" in data)):
            continue
        if key not in data:
            yield (), f"{key} is missing; expected {', '.join(_ENVELOPE)}"
        elif not isinstance(data[key], kind):
            yield (key,), f"{key} is {data[key]!r}; expected {_ARTICLE[kind]}"


def _texts(data: Mapping[str, Any]) -> Problems:
    if len(data["hypothesis"].split()) < 3:
        yield (
            ("hypothesis",),
            f"hypothesis is {data['hypothesis']!r}; expected one sentence that can turn out wrong",
        )
    for key in ("steady_state", "judge"):
        ids = data[key]
        for index, item in enumerate(ids):
            if not isinstance(item, str) or not _ID.fullmatch(item):
                yield (key, index), f"{item!r} is no objective id; expected one such as latency-p99"
            elif item in ids[:index]:
                yield (key, index), f"{item!r} is there twice; expected each objective once"
    if not data["steady_state"]:
        yield ("steady_state",), "steady_state is empty; expected what must hold before the fault"


def _template(template: Mapping[str, Any]) -> Problems:
    # The driver sets the token; a placeholder stands for a text of whatever length the service asks for.
    stand_in = {**json.loads(_PLACEHOLDER.sub("x" * 64, json.dumps(template))), "clientToken": "x"}
    report = ParamValidator().validate(stand_in, _shape())
    if report.has_errors():
        said = report.generate_report().replace("\n", "; ")
        yield ("template",), f"not what create_experiment_template takes: {said}; expected its input"
        return
    for key, most in _QUOTA.items():
        if len(template.get(key, ())) > most:
            yield ("template", key), f"{len(template[key])} {key}; expected at most {most}, the quota of FIS"
    if not re.fullmatch(r"\$\{env\.roles\.[^}]+\}", template["roleArn"]):
        yield ("template", "roleArn"), f"roleArn is {template['roleArn']!r}; expected ${{env.roles.NAME}}"
    mode = template.get("experimentOptions", {}).get("emptyTargetResolutionMode")
    if mode != "fail":
        yield (
            ("template", "experimentOptions"),
            f'emptyTargetResolutionMode is {mode!r}; expected "fail": what hits nothing proves nothing',
        )


def _stop(data: Mapping[str, Any]) -> Problems:
    conditions = data["template"].get("stopConditions") or []
    wanted = f"${{env.alarms.{data['stop_alarm']}}}"
    for index, condition in enumerate(conditions):
        if isinstance(condition, dict) and condition.get("source") != "aws:cloudwatch:alarm":
            yield (
                ("template", "stopConditions", index, "source"),
                f"stop condition {condition.get('source')!r}; expected aws:cloudwatch:alarm, customer impact",
            )
    values = [condition.get("value") for condition in conditions if isinstance(condition, dict)]
    if wanted not in values:
        yield (
            ("template", "stopConditions"),
            f"stopConditions watch {values}; expected {wanted}, the stop_alarm of this experiment",
        )


def _targets(template: Mapping[str, Any], system: str) -> Problems:
    opt_in = {"gameday": "ready", "system": system}
    for name, target in (template.get("targets") or {}).items():
        where = ("template", "targets", name)
        tags = target.get("resourceTags") or {}
        if target.get("resourceArns"):
            yield (*where, "resourceArns"), "targets by ARN; expected resourceTags, the owner's opt-in"
        if not opt_in.items() <= tags.items():
            yield (*where, "resourceTags"), f"resourceTags are {tags}; expected at least {opt_in}"
        if not _SELECTION.fullmatch(str(target.get("selectionMode"))):
            yield (
                (*where, "selectionMode"),
                f"selectionMode is {target.get('selectionMode')!r}; expected ALL, COUNT(n) or PERCENT(n)",
            )


def _actions(template: Mapping[str, Any]) -> Problems:
    actions = template.get("actions") or {}
    if not actions:
        yield ("template", "actions"), "no actions; expected at least one"
    used = {target for action in actions.values() for target in (action.get("targets") or {}).values()}
    known = set(template.get("targets") or {})
    for name, action in actions.items():
        where = ("template", "actions", name)
        for key, target in (action.get("targets") or {}).items():
            if target not in known:
                yield (*where, "targets", key), f"no target {target!r}; expected one of {sorted(known)}"
        for other in action.get("startAfter") or []:
            if other not in actions or other == name:
                yield (
                    (*where, "startAfter"),
                    f"startAfter {other!r}; expected another action of this template",
                )
        yield from _catalogued(action, template, where)
    for name in sorted(known - used):
        yield (
            ("template", "targets", name),
            f"target {name!r} is used by no action; expected every target in use",
        )


def _catalogued(action: Mapping[str, Any], template: Mapping[str, Any], where: Keys) -> Problems:
    known = catalog.load().actions.get(action["actionId"])
    if known is None:
        yield (*where, "actionId"), f"FIS has no action {action['actionId']!r}; expected one of its own"
        return
    keys = {known.target_name} if known.target_name else set()
    asked = action.get("targets") or {}
    if set(asked) != keys:
        yield (*where, "targets"), f"{known.id} has targets {sorted(asked)}; expected {sorted(keys)}"
    for name in asked.values():
        kind = (template.get("targets") or {}).get(name, {}).get("resourceType")
        if kind not in (None, known.target_type):
            yield (
                ("template", "targets", name, "resourceType"),
                f"{kind!r}; expected {known.target_type} for {known.id}",
            )
    parameters = action.get("parameters") or {}
    for key, parameter in known.parameters.items():
        if parameter.required and key not in parameters:
            yield (*where, "parameters"), f"{key} is missing; {known.id} expected it"
    for key, value in parameters.items():
        if key not in known.parameters:
            yield (
                (*where, "parameters", key),
                f"unknown parameter {key!r}; expected {sorted(known.parameters)}",
            )
        elif key.lower().endswith("duration"):
            yield from _duration(known.parameters[key].shortest, value, (*where, "parameters", key))


def _duration(shortest: str, said: str, where: Keys) -> Problems:
    least = duration.seconds(shortest) if shortest else 1.0
    try:
        length = duration.seconds(said)
    except ValueError as error:
        yield where, f"{error}; expected one such as PT5M"
        return
    if not least <= length <= duration.LONGEST:
        yield where, f"{where[-1]} is {said}; expected {shortest or 'PT1S'} to PT12H"


def _observe(data: Mapping[str, Any]) -> Problems:
    observe = data["observe"]
    kind = observe.get("probe")
    if kind not in probes.names():
        yield ("observe", "probe"), f"no probe {kind!r}; expected one of {probes.names()}"
        return
    every = observe.get("every_s", 0.1)
    if isinstance(every, bool) or not isinstance(every, int | float) or not 0.01 <= every <= 10:
        yield ("observe", "every_s"), f"every_s is {every!r}; expected seconds from 0.01 to 10"
    found = probes.kind(kind)
    for key in sorted(found.REQUIRED - set(observe)):
        yield ("observe",), f"{key} is missing; the probe {kind} expected {sorted(found.REQUIRED)}"
    for key in observe:
        if key not in found.REQUIRED | found.OPTIONAL | {"probe", "every_s"}:
            yield (
                ("observe", key),
                f"unknown key {key!r}; the probe {kind} expected {sorted(found.REQUIRED | found.OPTIONAL)}",
            )
    actions = data.get("template", {}).get("actions", {}).values()
    harmless = {action.get("actionId") for action in actions} == {NO_FAULT}
    if harmless != (kind == "none"):
        yield (
            ("observe", "probe"),
            f"probe {kind!r}; expected none where every action is {NO_FAULT}, and only there",
        )


def _drill(data: Mapping[str, Any], system: str) -> Problems:
    drill = data["drill"]
    if "template" in data:
        yield ("drill",), "both a template and a drill; expected one of them: FIS does it, or we do"
    name = drill.get("kind")
    if name not in drills.names():
        yield ("drill", "kind"), f"no drill {name!r}; expected one of {drills.names()}"
        return
    kind = drills.kind(name)
    for key in sorted(kind.REQUIRED - set(drill)):
        yield ("drill",), f"{key} is missing; the drill {name} expected {sorted(kind.REQUIRED)}"
        return
    for key in drill:
        if key not in kind.REQUIRED | kind.OPTIONAL | {"kind"}:
            expected = sorted(kind.REQUIRED | kind.OPTIONAL)
            yield ("drill", key), f"unknown key {key!r}; the drill {name} expected {expected}"
    opt_in = {"gameday": "ready", "system": system}
    tags = drill.get("tags")
    if not isinstance(tags, dict) or not opt_in.items() <= tags.items():
        yield ("drill", "tags"), f"tags are {tags!r}; expected at least {opt_in}, the owner's opt-in"
    for key, said in kind.problems(drill):
        yield ("drill", key), said


def _floor(floor: Mapping[str, Any]) -> Problems:
    for key, value in floor.items():
        if key not in _FLOOR:
            yield ("floor", key), f"unknown key {key!r}; expected {sorted(_FLOOR)}"
            continue
        least, most = _FLOOR[key]
        if isinstance(value, bool) or not isinstance(value, int | float) or not least < value < most:
            yield ("floor", key), f"{key} is {value!r}; expected a number above {least:g} and below {most:g}"


@cache
def _shape() -> Any:
    from botocore.session import get_session  # noqa: PLC0415 - see fixtures/aws.py

    model = get_session().get_service_model("fis")
    return model.operation_model("CreateExperimentTemplate").input_shape
