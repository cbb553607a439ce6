"""report.html: what it says, in which order, and that it stands alone."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from reports.errors import FolderError
from reports.render import render
from slo import objective, record, verdict
from slo.judge import judge
from tests.reports import sample
from tests.reports.page_parser import Page, parse
from tests.run_folder import Plan, write


@pytest.fixture(scope="module")
def whole_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample run; tests that change it copy it."""
    return sample.build(tmp_path_factory.mktemp("runs") / "lexohub-local-20251121T114500Z-3f9a")


@pytest.fixture(scope="module")
def html(whole_run: Path) -> str:
    """The report of the sample run."""
    return render(whole_run)[0].read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    """The same, parsed."""
    return parse(html)


def test_the_page_is_well_formed_and_stands_alone(page: Page, html: str) -> None:
    """Every element closes, every label exists, nothing is fetched, no script is needed."""
    assert page.faults == []
    assert page.loose_headers == 0
    assert "<script" not in html


def test_the_verdict_comes_first_and_the_sections_follow_in_order(page: Page) -> None:
    """A reader who stops after one line knows the outcome."""
    assert page.verdicts[0] == "fail"
    assert page.headings == [
        "Objectives",
        "Timelines",
        "Faults and recovery",
        "Ledger of writes",
        "Latency by operation",
        "Validity and steadiness",
        "Slowest and failed requests",
        "How it was run",
    ]


def test_a_local_run_says_what_it_does_not_prove(html: str) -> None:
    """Before any figure."""
    said = "it rehearses the suite and proves nothing about staging"
    assert 0 < html.index(said) < html.index('class="figures"')


def test_objectives_are_grouped_with_failing_ones_first(page: Page) -> None:
    """Whatever order the judge wrote them in."""
    assert page.verdicts[1:] == ["fail", "invalid", "inconclusive", "no-data", "pass", "pass", "pass"]


@pytest.mark.parametrize(
    "words",
    [
        "31 of 52,801",
        "worth 44,900 independent ones",
        "0.042% to 0.081%",
        "budget 1%",
        "+94.1%",
        "\N{MINUS SIGN}97%",
        "11 min 30 s",
        "**Latency:** < 100ms (p50), < 500ms (p99)",
        "Success Metrics",
        "design.txt",
        "the plan has no restore drill",
        "8.4 s to 13.4 s",
        "0.4 s to 5.4 s",
        "0.42%",
        "lost job-7, job-8, acknowledged 11:45:54.8 to 11:45:55.1",
        "3 (allowed)",
        "503 no writer",
        "req-1",
        "44% of a core",
        "gameday run lexohub --env local",
        "Nobody notices.",
        "undone and verified",
        "http_5xx",
        "aurora-failover, seen by its probe 11:45:55.0 to 11:46:03.0",
        "first sight of the fault",
        "2025-11-21 11:45:00 UTC",
    ],
)
def test_evidence_is_printed(page: Page, words: str) -> None:
    """Each fact of the run folder that a reader needs."""
    assert words in " ".join("".join(page.words).split())


def test_every_chart_has_a_title_and_a_description(page: Page, html: str) -> None:
    """Six panels over one axis, each readable without seeing it."""
    assert html.count('class="plot"') >= 5
    assert html.count("<desc") == html.count('class="plot"')
    assert ("svg", "role", "img") in page.attributes


def test_the_fault_and_both_recovery_marks_are_on_every_chart(html: str) -> None:
    """One shade and one line each for t1 and t2, per panel and on the ruler."""
    panels = html.count('class="plot"') + 1
    assert html.count('<rect class="fault"') == panels
    assert html.count('class="mark t1"') == html.count('class="mark t2"') == panels


def test_targets_are_drawn_where_latency_is_drawn(html: str) -> None:
    """The line of each p(q) objective carries its expression."""
    panel = html[html.index("chart-latency-title") : html.index("chart-connections")]
    assert set(re.findall(r'<text class="rule"[^>]*>([^<]*)', panel)) == {
        "p(99) &lt; 500ms",
        "p(50) &lt; 100ms",
    }


def test_percentiles_need_enough_answers(page: Page) -> None:
    """Sixty failed answers have a p50 and no p99."""
    text = " ".join(page.words)
    assert re.search(
        r"invoice_create(\s+\S+ m?s|\s+[\d,]+|\s+\N{EN DASH})+\s+60\s+4.\d+ ms\s+\N{EN DASH}\s+4", text
    )


HOSTILE = (
    '</td></table><script>alert(1)</script><img src="http://evil.example/x" onerror=alert(1)>\x00\x1b[31m"\''
)


def _poison(value: object) -> object:
    """Every string of a document replaced, numbers kept."""
    if isinstance(value, dict):
        return {key: _poison(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_poison(item) for item in value]
    return HOSTILE + value if isinstance(value, str) else value


def test_hostile_strings_stay_text(tmp_path: Path) -> None:
    """Whatever a system answers, it cannot become markup."""
    folder = sample.build(tmp_path / "run")
    kept = ("verdict", "unit", "expr", "state")
    verdicts = json.loads((folder / "verdicts.json").read_text())
    verdicts["objectives"] = [
        {key: value if key in kept else _poison(value) for key, value in row.items()}
        for row in verdicts["objectives"]
    ]
    for part in ("not_driven", "recovery", "ledger", "validity", "steadiness", "reason"):
        verdicts[part] = _poison(verdicts[part])
    sample.put(folder, "verdicts.json", verdicts)
    manifest = json.loads((folder / "manifest.json").read_text())
    operations = {HOSTILE + slug: {"name": HOSTILE, "groups": ["api"]} for slug in manifest["operations"]}
    sample.put(folder, "manifest.json", _poison(manifest | {"operations": operations}))
    events = [json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines()]
    spoiled = [{k: v if k in ("kind", "edge") else _poison(v) for k, v in event.items()} for event in events]
    (folder / "events.jsonl").write_text("".join(json.dumps(event) + "\n" for event in spoiled))
    html = render(folder)[0].read_text(encoding="utf-8")
    page = parse(html)
    assert page.faults == []
    assert any("<script>alert(1)" in words for words in page.words)
    assert "<script>" not in html


def test_a_run_cut_short_says_so_and_why(tmp_path: Path) -> None:
    """At the top, with what was recorded by then."""
    folder = sample.build(
        tmp_path / "run", state="cut-short", manifest={"reason": "interrupted by the operator"}
    )
    sample.put(
        folder,
        "verdicts.json",
        sample.verdicts(state="cut-short", verdict="inconclusive", reason="cut short"),
    )
    html = render(folder)[0].read_text(encoding="utf-8")
    assert html.index("Cut short: interrupted by the operator.") < html.index('class="figures"')
    assert parse(html).verdicts[0] == "inconclusive"


def test_a_run_that_died_says_that_it_never_ended(tmp_path: Path) -> None:
    """The manifest still says running and nobody judged."""
    folder = sample.build(tmp_path / "run", state="running")
    (folder / "verdicts.json").unlink()
    html = render(folder)[0].read_text(encoding="utf-8")
    page = parse(html)
    assert page.verdicts == ["no-data"]
    assert "its manifest still says running" in html
    assert "has not been judged" in html
    assert "not judged" in " ".join(page.words)


@pytest.mark.parametrize(
    "part",
    [
        "manifest.json",
        "counters.jsonl",
        "latency.hlog",
        "events.jsonl",
        "metrics.jsonl",
        "ledger.jsonl",
        "verdicts.json",
    ],
)
@pytest.mark.parametrize("harm", ["missing", "empty", "torn", "noise"])
def test_a_missing_or_damaged_part_is_said_and_the_rest_is_printed(
    tmp_path: Path, part: str, harm: str, whole_run: Path
) -> None:
    """No part is needed for the page to stand."""
    folder = Path(shutil.copytree(whole_run, tmp_path / "run"))
    path = folder / part
    whole = path.read_bytes()
    match harm:
        case "missing":
            path.unlink()
        case "empty":
            path.write_bytes(b"")
        case "torn":
            path.write_bytes(whole[: len(whole) * 2 // 3])
        case _:
            path.write_bytes(b'[1, null, "x"]\n{"t": "soon", "op": 3, "bad": [], "p99": "NaN"}\n\xff\xfe\n')
    html = render(folder)[0].read_text(encoding="utf-8")
    assert parse(html).faults == []
    if harm == "missing" or part.endswith(".json"):
        assert part in html[html.index("Missing or damaged parts") :]


def test_a_damaged_interval_costs_only_itself(tmp_path: Path, whole_run: Path) -> None:
    """The other percentiles stay."""
    folder = Path(shutil.copytree(whole_run, tmp_path / "run"))
    lines = (folder / "latency.hlog").read_text().splitlines(keepends=True)
    lines[6] = lines[6][:60] + "AAAA" + lines[6][64:]
    (folder / "latency.hlog").write_text("".join(lines))
    html = render(folder)[0].read_text(encoding="utf-8")
    assert "interval left out" in html
    assert "No latency was recorded." not in html


def test_a_judged_run_prints_every_objective(tmp_path: Path) -> None:
    """The judge's own document, with the targets that ship."""
    objectives = objective.load(Path(objective.__file__).parent / "targets" / "lexohub.toml")
    driven = [one.id for one in objectives if not one.needs]
    folder = write(
        tmp_path / "run", Plan(objectives=driven, phases=(("steady", 60, None),), rates=sample.RATES)
    )
    judged = judge(record.read(folder), objectives, now=0.0)
    verdict.write(folder, judged)
    html = render(folder)[0].read_text(encoding="utf-8")
    page = parse(html)
    assert page.faults == []
    assert page.verdicts[0] == judged.verdict
    assert len(page.verdicts) == 1 + len(judged.objectives)
    assert {one.id for one in objectives} <= set(" ".join(page.words).split())


def test_an_empty_folder_has_no_data(tmp_path: Path) -> None:
    """Silence is never a pass."""
    html = render(tmp_path)[0].read_text(encoding="utf-8")
    page = parse(html)
    assert page.faults == []
    assert page.verdicts == ["no-data"]
    said = " ".join(page.words)
    assert "PASS" not in said
    assert "No fault was injected" not in said


def test_what_is_no_folder_is_refused(tmp_path: Path) -> None:
    """With what to name instead."""
    with pytest.raises(FolderError, match="no run folder here"):
        render(tmp_path / "nowhere")


def test_a_fault_that_was_never_judged_is_still_shown(tmp_path: Path) -> None:
    """Its probe's sights shade the charts; an end that nobody saw is said."""
    folder = sample.build(tmp_path / "run")
    (folder / "verdicts.json").unlink()
    lines = (folder / "events.jsonl").read_text().splitlines(keepends=True)
    (folder / "events.jsonl").write_text("".join(line for line in lines if '"last"' not in line))
    html = render(folder)[0].read_text(encoding="utf-8")
    assert "aurora-failover, seen by its probe 11:45:55.0 to its end was not seen" in html
    assert "The faults of this run were not judged." in html


def test_a_censored_recovery_is_a_lower_bound(tmp_path: Path) -> None:
    """The upper end means nothing when the run ended first."""
    folder = sample.build(tmp_path / "run")
    row = sample.verdicts()["recovery"][0] | {"state": "censored", "t2": None, "absorption": [41.0, 46.0]}
    sample.put(folder, "verdicts.json", sample.verdicts(recovery=[row | {"relapses": [sample.T_END + 9]}]))
    html = render(folder)[0].read_text(encoding="utf-8")
    assert "&gt; 41 s (the run ended first)" in html
    assert "not recovered when the run ended" in html
    assert "1: 11:46:12.0" in html


def test_ten_minutes_of_traffic_stay_small(tmp_path: Path) -> None:
    """A page that a mail server accepts."""
    folder = sample.build(tmp_path / "run", phases=(("warmup", 30, None), ("steady", 570, None)))
    html, markdown, *_ = render(folder)
    assert html.stat().st_size < 1_500_000
    assert markdown.stat().st_size < 60_000


def test_reports_are_replaced_not_appended(tmp_path: Path) -> None:
    """Printing twice gives the same bytes and leaves no drafts."""
    folder = sample.build(tmp_path / "run")
    before = [path.read_bytes() for path in render(folder)]
    assert [path.read_bytes() for path in render(folder)] == before
    assert not list(folder.glob(".*"))


def test_a_fault_says_how_many_arrivals_it_spoilt(html: str) -> None:
    """Also where two windows in a row were never bad enough to call it an impact."""
    assert "450 of 900 arrivals bad during the fault" in html
