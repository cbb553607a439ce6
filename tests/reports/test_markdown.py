"""report.md: the same facts, as GitHub-flavoured Markdown."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from reports.render import MOST_MARKDOWN, render
from tests.reports import sample


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The report of the sample run."""
    return render(sample.build(tmp_path_factory.mktemp("runs") / "run"))[1].read_text(encoding="utf-8")


def test_it_opens_with_the_verdict(text: str) -> None:
    """And its reason."""
    assert text.startswith("# FAIL: 1 of 6 objectives failed: throughput\n")


def test_tables_are_whole(text: str) -> None:
    """Every row of a table has as many cells as its heading."""
    for block in re.findall(r"(?:^\|.*\n)+", text, flags=re.MULTILINE):
        widths = {len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}
        assert len(widths) == 1, block


def test_headings_stand_alone(text: str) -> None:
    """A blank line before and after each, or hosts print the hashes."""
    lines = text.split("\n")
    for i, line in enumerate(lines):
        if line.startswith("#"):
            assert i == 0 or lines[i - 1] == "", line
            assert lines[i + 1] == "", line


@pytest.mark.parametrize(
    "words",
    ["31 of 52,801", "8.4 s to 13.4 s", "job-7", "req-1", "proves nothing about staging", "11 min 30 s"],
)
def test_it_holds_the_evidence(text: str, words: str) -> None:
    """The facts of the page."""
    assert words in text


def test_hostile_strings_neither_format_nor_break_out(tmp_path: Path) -> None:
    """No HTML, no link, no mention, no extra cell or line."""
    folder = sample.build(tmp_path / "run")
    nasty = "a|b\n# c <img src=x> [x](http://evil.example) @all `code` www.evil.example **bold** _it_ &lt;"
    sample.put(
        folder, "verdicts.json", sample.verdicts(reason=nasty, not_driven=[{"id": nasty, "reason": nasty}])
    )
    text = render(folder)[1].read_text(encoding="utf-8")
    assert len(re.findall(r"(?<!\\)<", text)) == 0
    assert "](" not in text.replace("\\](", "")
    assert "http://" not in text.split("## Validity")[0]
    assert "@all" not in text
    assert "\n# c" not in text
    test_tables_are_whole(text)


def test_it_stays_below_the_limit_whatever_comes(tmp_path: Path) -> None:
    """Long tables lose rows and long strings their ends; the verdict stays."""
    folder = sample.build(tmp_path / "run")
    many = [sample.objective(f"objective-{i}", "fail", reason="x" * 2000) for i in range(300)]
    sample.put(folder, "verdicts.json", sample.verdicts(objectives=many))
    events = [event | {"detail": "y" * 5000} for event in sample.examples() * 200]
    with (folder / "events.jsonl").open("a") as file:
        file.writelines(json.dumps(event) + "\n" for event in events)
    text = render(folder)[1].read_text(encoding="utf-8")
    assert len(text.encode()) < MOST_MARKDOWN
    assert text.startswith("# FAIL")
    assert "report.html" in text


def test_an_empty_folder_has_no_data(tmp_path: Path) -> None:
    """And says how to judge it."""
    text = render(tmp_path)[1].read_text(encoding="utf-8")
    assert text.startswith("# NO DATA: This run has not been judged")
