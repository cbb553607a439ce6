"""What the reports say of closed models, of runs that only measured, and of the network floor."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from reports import render
from slo import jsonl
from tests.reports import sample


def amended(folder: Path, **fields: object) -> Path:
    path = folder / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))
    return folder


@pytest.mark.parametrize(
    ("model", "closed"), [("arrivals", False), ("sessions", False), ("users", True), ("locust", True)]
)
def test_a_closed_model_is_marked(tmp_path: Path, model: str, closed: bool) -> None:
    """In the line under the title, and on the page with every group of verdicts."""
    folder = amended(sample.build(tmp_path / "run"), load={"model": model})
    render.render(folder)
    page = (folder / "report.html").read_text()
    assert (page.count("closed model") > page.count('class="group"')) == closed
    for name in ("report.html", "report.md"):
        assert ("closed model" in (folder / name).read_text()) == closed


def test_a_run_that_only_measured_is_neither_green_nor_red(tmp_path: Path) -> None:
    """The page says that no objective was given; for machines its one case is skipped."""
    folder = sample.build(tmp_path / "run")
    fields = {
        "verdict": "measured",
        "exit": 0,
        "reason": "nothing was judged",
        "objectives": [],
        "not_driven": [],
    }
    sample.put(folder, "verdicts.json", sample.verdicts(**fields))
    render.render(folder)
    page = (folder / "report.html").read_text()
    assert "MEASURED" in page
    assert "No objective was given" in page
    root = ET.fromstring((folder / "junit.xml").read_text())
    assert (root.get("tests"), root.get("skipped"), root.get("errors"), root.get("failures")) == (
        "1",
        "1",
        "0",
        "0",
    )


def test_the_network_floor_stands_with_what_the_numbers_rest_on(tmp_path: Path) -> None:
    """A round trip by host, or that there is none."""
    folder = sample.build(tmp_path / "run")
    jsonl.append(folder / "events.jsonl", {"t": 1.0, "kind": "floor", "host": "127.0.0.1:80", "rtt": 0.00025})
    render.render(folder)
    assert "0.250 ms to 127.0.0.1:80" in (folder / "report.html").read_text()
