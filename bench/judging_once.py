"""``python -m bench.judging_once FOLDER``: judge a run folder, then render it; prints what that took.

The verdict must be a pass: a judge that gives up early is fast for the wrong reason.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

from reports import render
from slo import judge, objective, record, verdict


def once(folder: Path) -> dict[str, float]:
    """Seconds of judging and of rendering, and the most memory (MB) that judging held."""
    begun = time.perf_counter()
    found = judge.judge(record.read(folder), objective.load(folder / "objectives.toml"))
    verdict.write(folder, found)
    judged = time.perf_counter()
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    if found.verdict != "pass":
        raise SystemExit(f"{found.verdict}: {found.reason}")
    render.render(folder)
    return {
        "seconds": round(judged - begun, 3),
        "mb": round(held, 1),
        "report_seconds": round(time.perf_counter() - judged, 3),
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(once(Path(sys.argv[1]))) + "\n")
