"""junit.xml: the same verdicts for machines that only read test results.

One suite for each phase and one test case for each objective in it. Nothing but a pass is green: `fail` is a
failure; `invalid`, `inconclusive` and `no-data` are errors of that type; what was not driven is skipped, and
so is an objective that only informs and did not pass. The suite `run` holds one case that is green only when
the run as a whole can be relied on, and skipped if it was to measure only, so a file without a red case never
stands for a run that did not pass.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections import Counter

from reports import formats
from reports.fields import flag, mapping, number, rows, text
from reports.folder import Folder
from reports.judged import Judged, groups, headline
from reports.run import Run

_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write(run: Run) -> bytes:
    """The document, UTF-8."""
    folder = run.folder
    objectives = [objective for group in groups(folder) for objective in group.objectives]
    root = ET.Element("testsuites", name=_clean(text(folder.manifest, "run_id", folder.path.name)))
    system = text(folder.manifest, "system", "unknown")
    for phase in dict.fromkeys(objective.phase for objective in objectives):
        suite = _suite(root, run, phase)
        names: Counter[str] = Counter()
        for objective in objectives:
            if objective.phase == phase:
                _case(suite, f"{system}.{phase}", _unique(objective, names), objective)
    skipped = rows(folder.verdicts, "not_driven")
    if skipped:
        suite = _suite(root, run, "not driven")
        for i, (name, reason) in enumerate(
            _named([(text(row, "id"), text(row, "reason")) for row in skipped])
        ):
            case = _element(
                suite, "testcase", classname=f"{system}.not-driven", name=name or f"objective {i + 1}"
            )
            _element(case, "skipped", message=reason)
    _whole(_suite(root, run, "run"), system, folder, objectives)
    _count(root)
    ET.indent(root)
    return (
        b"<?xml version='1.0' encoding='utf-8'?>\n" + ET.tostring(root, encoding="unicode").encode() + b"\n"
    )


def _clean(words: str) -> str:
    """Without the characters XML cannot carry."""
    return _FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", words)


def _element(parent: ET.Element, tag: str, **attributes: str) -> ET.Element:
    return ET.SubElement(parent, tag, {name: _clean(value) for name, value in attributes.items()})


def _suite(root: ET.Element, run: Run, name: str) -> ET.Element:
    phase = run.phase(name)
    suite = _element(root, "testsuite", name=name or "no phase")
    started = phase.start if phase else number(run.folder.manifest, "started")
    if started is not None:
        suite.set("timestamp", formats.iso(started))
    suite.set("time", f"{phase.end - phase.start:.1f}" if phase else "0")
    return suite


def _unique(objective: Judged, names: Counter[str]) -> str:
    name = f"{objective.id}[{objective.instance}]" if objective.instance else objective.id
    return _numbered(name, names)


def _numbered(name: str, names: Counter[str]) -> str:
    names[name] += 1
    if names[name] == 1:
        return name
    other = f"{name} #{names[name]}"
    while names[other]:
        other += "'"
    names[other] += 1
    return other


def _named(pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    names: Counter[str] = Counter()
    return [(_numbered(name, names), reason) for name, reason in pairs]


def _case(suite: ET.Element, classname: str, name: str, objective: Judged) -> None:
    case = _element(suite, "testcase", classname=classname, name=name)
    body = "\n".join(_numbers(objective))
    if objective.verdict == "pass":
        _element(case, "system-out").text = _clean(body)
        return
    if not objective.decides:
        _element(
            case, "skipped", message=f"informs only, {objective.verdict}: {objective.reason}"
        ).text = _clean(body)
        return
    kind = "failure" if objective.verdict == "fail" else "error"
    _element(case, kind, type=objective.verdict, message=objective.reason).text = _clean(body)


def _numbers(objective: Judged) -> list[str]:
    said = [
        ("target", f"{objective.expr} ({objective.sli}, {objective.basis})"),
        ("measured", objective.measured),
        ("counted", " ".join(part for part in (objective.counted, objective.effective) if part)),
        ("95% interval", f"{objective.interval}{f', budget {objective.budget}' if objective.budget else ''}"),
        ("margin", objective.margin),
        *([("baseline", objective.baseline)] if objective.baseline else []),
        ("still needed", objective.minutes),
        ("reason", objective.reason),
        ("source", ", ".join(part for part in (objective.file, objective.heading, objective.quote) if part)),
    ]
    return [f"{name}: {value}" for name, value in said]


def _whole(suite: ET.Element, system: str, folder: Folder, objectives: list[Judged]) -> None:
    """Green when the run is complete and valid, and its verdict is explained by its objectives."""
    case = _element(suite, "testcase", classname=f"{system}.run", name="complete, valid and judged")
    head = headline(folder)
    explained = head.verdict == "pass" or any(
        objective.verdict == head.verdict and objective.decides for objective in objectives
    )
    if not folder.verdicts:
        _element(case, "error", type="no-data", message=head.reason)
    elif flag(mapping(folder.verdicts, "validity"), "valid") is False:
        _element(case, "error", type="invalid", message=head.reason)
    elif "cut-short" in (text(folder.verdicts, "state"), text(folder.manifest, "state")):
        _element(case, "error", type="cut-short", message=head.reason)
    elif head.verdict == "measured":
        _element(case, "skipped", message=head.reason)
    elif not explained:
        kind = "failure" if head.verdict == "fail" else "error"
        _element(case, kind, type=head.verdict, message=head.reason)
    _element(case, "system-out").text = _clean(f"{head.word}: {head.reason}\n" + "\n".join(head.cautions))


def _count(root: ET.Element) -> None:
    for suite in root:
        for attribute, path in (
            ("tests", "testcase"),
            ("failures", "testcase/failure"),
            ("errors", "testcase/error"),
            ("skipped", "testcase/skipped"),
        ):
            suite.set(attribute, str(len(suite.findall(path))))
    for attribute in ("tests", "failures", "errors", "skipped"):
        root.set(attribute, str(sum(int(suite.get(attribute, "0")) for suite in root)))
