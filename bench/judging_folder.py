"""A run folder of any length in the shape that a real run leaves, made in a few seconds.

A minute is drawn at random and repeated: what is measured is how long it takes to read and judge.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from slo import histogram

START = 1_790_000_000
WARMUP_S = 10
MINUTE_S = 60
LIMITS = (0.1, 0.5)
_MEDIAN_S, _SIGMA, _BAD, _LATE = 0.02, 0.5, 0.0002, 0.02
_OBJECTIVES = """
[[objective]]
id = "{id}"
sli = "{sli}"
phase = "steady"
{more}
expr = "{expr}"
basis = "documented"
source = {{ file = "bench", heading = "bench", quote = "bench" }}
"""
_ASKED = (
    ("latency-p50", "latency", 'operations = ["@api"]', "p(50) < 100ms"),
    ("latency-p99", "latency", 'operations = ["@api"]', "p(99) < 500ms"),
    ("error-rate", "errors", 'operations = ["@api"]', "rate < 0.1%"),
    ("uptime", "availability", 'operations = ["@api"]', "value >= 99.9%"),
    ("throughput", "throughput", 'operations = ["@api"]', "value >= 900/s"),
    ("connections", "metric", 'numerator = ["AWS/RDS.DatabaseConnections"]', "max < 50"),
)
_WRITTEN = ("no-lost-write", "lost_writes", 'sets = ["invoices"]', "count == 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """How long, how many requests a second, over how many operations; acknowledged writes a second."""

    seconds: int
    rate: int
    operations: int
    writes: int = 0

    @property
    def slugs(self) -> list[str]:
        """The operations."""
        return [f"op{number:02d}" for number in range(self.operations)]


def write(folder: Path, shape: Shape) -> Path:
    """Write the folder and return it."""
    folder.mkdir()
    (folder / "manifest.json").write_text(json.dumps(_manifest(shape)))
    asked = [*_ASKED, *([_WRITTEN] if shape.writes else [])]
    tables = [_OBJECTIVES.format(id=i, sli=s, more=m, expr=e) for i, s, m, e in asked]
    written = "".join(tables).replace('phase = "steady"\nsets', 'phase = "all"\nsets')
    (folder / "objectives.toml").write_text(written)
    minute = [_second(np.random.default_rng(second), shape) for second in range(MINUTE_S)]
    with (folder / "counters.jsonl").open("w") as counters, (folder / "latency.hlog").open("w") as log:
        log.write(histogram.opening(START))
        for second in range(shape.seconds):
            _put(second, minute[second % MINUTE_S], counters, log)
    _lines(folder / "events.jsonl", _events(shape))
    _lines(folder / "metrics.jsonl", _metrics(shape))
    if shape.writes:
        _ledger(folder / "ledger.jsonl", shape)
    return folder


def _second(
    rng: np.random.Generator, shape: Shape
) -> list[tuple[str, list[dict[str, Any]], list[tuple[str, str]]]]:
    """Each operation's lines of counters and parts of histograms, without their time."""
    found = []
    for number, slug in enumerate(shape.slugs):
        arrivals = shape.rate // shape.operations + (number < shape.rate % shape.operations)
        failed = int(rng.binomial(arrivals, _BAD))
        late = int(rng.binomial(arrivals - failed, _LATE))
        times = np.sort(_MEDIAN_S * np.exp(_SIGMA * rng.standard_normal(arrivals - failed)))
        first, rest = times[late:], times[:late]
        lines = [_line(slug, first, arrivals, failed)]
        if late:
            lines.append(_line(slug, rest, 0, 0))
        parts = [("ok", times), ("ok.service", times * 0.98)]
        if failed:
            parts += [("bad", np.full(failed, 0.01)), ("bad.service", np.full(failed, 0.01))]
        encoded = [(f"{slug}.{tag}", histogram.encode(histogram.record(values))) for tag, values in parts]
        found.append((slug, lines, encoded))
    return found


def _line(slug: str, times: np.ndarray[Any, Any], arrivals: int, failed: int) -> dict[str, Any]:
    line: dict[str, Any] = {"op": slug, "planned": arrivals, "intended": arrivals, "sent": arrivals}
    line |= {"ok": int(times.size), "bad": {"http_5xx": failed} if failed else {}}
    line["slower"] = {str(limit): int((times >= limit).sum()) for limit in LIMITS}
    if times.size:
        p50, p99 = (round(float(times[int(q * (times.size - 1))]), 6) for q in (0.5, 0.99))
        line |= {"p50": p50, "p99": p99, "service_p50": p50}
    return line


def _put(
    second: int,
    minute: list[tuple[str, list[dict[str, Any]], list[tuple[str, str]]]],
    counters: IO[str],
    log: IO[str],
) -> None:
    interval = second // 10 * 10
    for _, lines, parts in minute:
        for line in lines:
            counters.write(json.dumps({"t": START + second, **line}, separators=(",", ":")) + "\n")
        for tag, text in parts:
            log.write(f"Tag={tag},{interval:.3f},10.000,1.000,{text}\n")


def _lines(path: Path, lines: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines))


def _events(shape: Shape) -> list[dict[str, Any]]:
    bounds = (("warmup", 0, WARMUP_S), ("steady", WARMUP_S, shape.seconds))
    phases = [
        {"t": START + at, "kind": "phase", "name": name, "experiment": None, "edge": edge}
        for name, begin, end in bounds
        for edge, at in (("start", begin), ("end", end))
    ]
    reports = [
        {
            "t": START + second + 1,
            "kind": "generator",
            "cpu": 0.4,
            "lag_p50": 0.0002,
            "lag_p99": 0.002,
            "lag_max": 0.004,
            "in_flight": 30,
            "starts": shape.rate,
            "clock_step": 0.0,
        }
        for second in range(shape.seconds)
    ]
    return [*phases, *reports, {"t": START + shape.seconds, "kind": "load", "edge": "end"}]


def _metrics(shape: Shape) -> list[dict[str, Any]]:
    names = ["DatabaseConnections", *(f"Series{number}" for number in range(19))]
    return [
        {
            "t": START + second,
            "namespace": "AWS/RDS",
            "metric": name,
            "dimensions": {"DBClusterIdentifier": "cluster", "Role": "WRITER"},
            "stat": "Maximum",
            "period": 5,
            "value": 20.0,
        }
        for second in range(0, shape.seconds, 5)
        for name in names
    ]


def _ledger(path: Path, shape: Shape) -> None:
    count = shape.seconds * shape.writes
    with path.open("w") as file:
        for seq in range(count):
            at = START + seq / shape.writes
            write_ = {"kind": "write", "set": "invoices", "id": f"i-{seq:08d}", "op": "op00", "seq": seq}
            file.write(json.dumps({**write_, "t_send": at, "t_ack": at + 0.02, "outcome": "ok"}) + "\n")
        for seq in range(count):
            file.write(
                json.dumps({"kind": "read", "set": "invoices", "id": f"i-{seq:08d}", "count": 1}) + "\n"
            )
        closing = {"kind": "readback", "set": "invoices", "complete": True, "once": True, "read": count}
        file.write(json.dumps({**closing, "t": START + shape.seconds + 5.0, "reason": ""}) + "\n")


def _manifest(shape: Shape) -> dict[str, Any]:
    return {
        "schema": 1,
        "run_id": "bench",
        "state": "complete",
        "reason": "",
        "system": "bench",
        "plan": "bench",
        "policy": "local",
        "environment": {"name": "bench"},
        "load": {"model": "arrivals", "rate": shape.rate, "timeout_s": 10.0},
        "phases": [
            {"name": "warmup", "for_s": WARMUP_S, "experiment": None},
            {"name": "steady", "for_s": shape.seconds - WARMUP_S, "experiment": None},
        ],
        "operations": {slug: {"name": slug, "groups": ["api"]} for slug in shape.slugs},
        "objectives": [one[0] for one in (*_ASKED, *([_WRITTEN] if shape.writes else []))],
        "least_passes": 1,
        "experiments": {},
        "workers": 1,
        "started": float(START),
        "ended": float(START + shape.seconds),
    }
