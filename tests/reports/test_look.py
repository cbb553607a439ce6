"""How report.html lays itself out in a real browser: it never scrolls sideways."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from reports.render import render
from tests.reports import sample

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
MEASURE = """<!doctype html><title>-</title>{frames}<pre id="out"></pre><script>
addEventListener("load", () => {{
  out.textContent = [...document.querySelectorAll("iframe")].map((frame) => {{
    const page = frame.contentDocument, width = page.documentElement.clientWidth;
    const boxes = [...page.querySelectorAll("svg.plot, .ruler > svg, .ruler text, figcaption, dl, h1, p")];
    const free = boxes.filter((box) => !box.closest(".scroll"));
    const wide = free.filter((box) => box.getBoundingClientRect().right > width + 1).length;
    return [width, page.documentElement.scrollWidth, wide, page.querySelectorAll("h2").length];
  }}).map((row) => row.join(",")).join(";");
}});
</script>"""
FRAME = '<iframe src="report.html" width="{width}" height="900" style="border:0"></iframe>'


def test_the_page_fits_a_phone_and_a_desk(tmp_path: Path) -> None:
    """Nothing but the boxes around wide tables is wider than the window, however long the words."""
    browser = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if browser is None:
        pytest.skip("no Chromium on PATH to lay the page out with")
    folder = sample.build(tmp_path / "run", run_id="lexohub-" + "x" * 300)
    long = sample.objective("one", "fail", reason="y" * 400, expr="p(99) < 500ms")
    sample.put(folder, "verdicts.json", sample.verdicts(objectives=[long], reason="z" * 300))
    render(folder)
    frames = "".join(FRAME.format(width=width) for width in (400, 1280))
    (folder / "measure.html").write_text(MEASURE.format(frames=frames))
    flags = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--no-first-run",
        "--disable-background-networking",
    ]
    local = [
        "--allow-file-access-from-files",
        f"--user-data-dir={tmp_path / 'profile'}",
        "--hide-scrollbars",
    ]
    command = [browser, *flags, *local, "--dump-dom", (folder / "measure.html").as_uri()]
    dumped = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    found = re.search(r'<pre id="out">([^<]+)</pre>', dumped)
    assert found is not None, dumped[-500:]
    rows = [tuple(int(number) for number in row.split(",")) for row in found[1].split(";")]
    assert rows == [(400, 400, 0, 8), (1280, 1280, 0, 8)]
