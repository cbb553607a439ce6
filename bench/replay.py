"""The import of load balancer logs: lines per CPU-second of one core, and memory over many lines.

The log is one file of made-up traffic under several names: all of them are about the same minutes, so the
import has to put everything in order again.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from bench.errors import BenchError
from bench.figures import OURS, Figure, at_least, at_most
from bench.stage import Stage

ROOT = Path(__file__).resolve().parent.parent
FILE_LINES, QUICK_LINES = 1_000_000, 50_000
FILES = 10
RATE = 1000.0
LINES_PER_S = 200_000.0
MOST_MB = 250.0
_AGENTS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0",
    "curl/8.4.0",
    'okhttp/4.12 \\"beta\\"',
)
_LINE = (
    "h2 2026-03-01T%sZ app/shop/50dc6c495c0c9188 192.0.2.%d:2817 10.0.0.1:80 0.000 0.001 0.000 200 200 34 36 "
    '"%s HTTP/2.0" "%s" ECDHE-RSA-AES128-GCM-SHA256 TLSv1.2 '
    "arn:aws:elasticloadbalancing:us-east-2:123456789012:targetgroup/my-targets/73e2d6bc24d8a067 "
    '"Root=1-58337281-1d84f3d73c47ec4e58577259" "shop.example" '
    '"arn:aws:acm:us-east-2:123456789012:certificate/12345678-1234-1234-1234-123456789012" 1 2026-03-01T%sZ '
    '"forward" "-" "-" "10.0.0.1:80" "200" "-" "-" TID_1234abcd5678ef90\n'
)
_IMPORT = """
import json, sys, time
from pathlib import Path
begun = time.process_time()
from fixtures.replay import importer
header = importer.run(tuple(map(Path, sys.argv[2:])), "alb", Path(sys.argv[1]), importer.Wish()).header
used = time.process_time() - begun
peak_mb = int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]) / 1024
print(json.dumps({"lines": header.lines, "requests": header.requests, "cpu_s": used, "peak_rss_mb": peak_mb}))
"""


def measure(stage: Stage) -> list[Figure]:
    """Import ten million lines once (fewer in a smoke run), in a process of its own."""
    count = QUICK_LINES if stage.quick else FILE_LINES
    stage.say(f"writing {count:,} lines")
    paths = logs(stage.folder, count, FILES)
    stage.say(f"importing {count * FILES:,} lines")
    found = imported(stage.folder / "bench.workload", paths)
    if found["requests"] != count * FILES:
        raise BenchError(f"{found['requests']} of {count * FILES} requests came through the import")
    note = f"{found['lines']:,.0f} lines of {paths[0].stat().st_size / count:.0f} bytes in {FILES} files"
    return [
        Figure(
            section="replay",
            name="import of load balancer logs",
            unit="lines/CPU-s",
            measured={OURS: [found["lines"] / found["cpu_s"]]},
            target=at_least(LINES_PER_S),
            note=note,
        ),
        Figure(
            section="replay",
            name="its memory",
            unit="MB",
            measured={OURS: [found["peak_rss_mb"]]},
            target=at_most(MOST_MB),
            note=note,
        ),
    ]


def imported(out: Path, paths: list[Path]) -> dict[str, float]:
    """What an import of these files took: lines, requests, cpu_s, peak_rss_mb."""
    done = subprocess.run(
        [sys.executable, "-c", _IMPORT, str(out), *map(str, paths)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise BenchError(f"the import failed: {done.stderr.strip()}")
    found: dict[str, float] = json.loads(done.stdout)
    return found


def logs(folder: Path, count: int, files: int) -> list[Path]:
    """A log of so many lines, under so many names."""
    first = folder / "alb-0.log"
    with first.open("w") as log:
        log.writelines(lines(count))
    paths = [first]
    for number in range(1, files):
        paths.append(folder / f"alb-{number}.log")
        paths[-1].hardlink_to(first)
    return paths


def lines(count: int, *, seed: int = 1) -> Iterator[str]:
    """Lines as a load balancer writes them: ids, searches, uploads, assets; one in twenty has secrets."""
    rng = random.Random(seed)
    at = 0.0
    for number in range(count):
        at += rng.expovariate(RATE)
        created, answered = _time(at), _time(at + rng.random() / 10)
        yield _LINE % (answered, number % 256, _request(rng), _AGENTS[number % len(_AGENTS)], created)


def _request(rng: random.Random) -> str:
    which = rng.random()
    if which < 0.4:
        key = f"{rng.getrandbits(128):032x}"
        target = f"GET /api/orders/{key[:8]}-{key[8:12]}-{key[12:16]}-{key[16:20]}-{key[20:]}"
    elif which < 0.6:
        target = f"GET /api/search?q=term{rng.randrange(5000)}&page={rng.randrange(40)}"
    elif which < 0.7:
        target = f"POST /api/orders/{rng.randrange(10**6)}/files"
    elif which < 0.75:
        target = f"GET /callback?code={rng.getrandbits(96):x}&email=a{rng.randrange(999)}%40shop.example"
    else:
        target = f"GET /static/app.{rng.randrange(30)}.js"
    method, path = target.split(" ")
    return f"{method} https://shop.example:443{path}"


def _time(at: float) -> str:
    minutes, seconds = divmod(at, 60)
    return f"{9 + int(minutes) // 60 % 12:02}:{int(minutes) % 60:02}:{min(seconds, 59.999999):09.6f}"
