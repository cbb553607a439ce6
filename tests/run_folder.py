"""Writes synthetic run folders of LexoHub: deterministic, complete, and easy to break.

    folder = write(tmp_path / "run", Plan(outages=[Outage(start=142, end=155, groups=("write",))]))

Seconds in a plan count from the start of the load. Every second and operation has the same number of
arrivals.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from slo import histogram, jsonl

START = 1_763_725_500
GROUPS: dict[str, tuple[str, ...]] = {
    "matter_read": ("api", "read", "user"),
    "matter_list": ("api", "read", "user"),
    "matter_update": ("api", "write", "user"),
    "invoice_create": ("api", "write", "user"),
    "pdf_request": ("api", "pdf", "user"),
    "search": ("api", "search", "user"),
    "static_app_js": ("static",),
}
RATES = {
    "matter_read": 90,
    "matter_list": 50,
    "matter_update": 10,
    "invoice_create": 20,
    "pdf_request": 5,
    "search": 105,
    "static_app_js": 20,
}
PHASES: tuple[tuple[str, float, str | None], ...] = (
    ("warmup", 10, None),
    ("steady", 130, None),
    ("fault", 40, "aurora-failover"),
    ("recovered", 120, "aurora-failover"),
)
LIMITS = (0.1, 0.5)


@dataclass(kw_only=True)
class Outage:
    """A `share` of the arrivals of [start, end) goes wrong as `bad`; no groups means all operations."""

    start: float
    end: float
    groups: tuple[str, ...] = ()
    bad: str = "http_5xx"
    share: float = 1.0


@dataclass(kw_only=True)
class Plan:
    """What to write. The default is a healthy run with a fault that a probe saw and nobody felt."""

    run_id: str = "lexohub-local-20251121T114500Z-3f9a"
    phases: Sequence[tuple[str, float, str | None]] = PHASES
    rates: Mapping[str, int] = field(default_factory=lambda: dict(RATES))
    outages: Sequence[Outage] = ()
    median: float = 0.008
    spread: float = 0.6
    seed: int = 1
    objectives: Sequence[str] = ("latency-p50", "latency-p99", "error-rate", "uptime")
    judge: Sequence[str] = ("failover", "mttr")
    probe: str = "identity"
    seen: tuple[float, float] | None = (142.0, 150.0)
    time_scale: float = 1.0
    least_passes: int = 0
    state: str = "complete"
    max_connections: int = 100
    cpu: float = 0.3
    lag_p99: float = 0.002
    metrics: bool = True
    ledger: bool = True
    manifest: Mapping[str, Any] = field(default_factory=dict)

    @property
    def seconds(self) -> int:
        """Length of the load."""
        return int(sum(length for _, length, _ in self.phases))


def write(folder: Path, plan: Plan | None = None) -> Path:
    """Write a run folder and return it."""
    plan = plan or Plan()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "manifest.json").write_text(json.dumps(_manifest(plan), indent=1))
    jsonl.append_all(folder / "events.jsonl", _events(plan))
    _traffic(folder, plan)
    if plan.metrics:
        jsonl.append_all(folder / "metrics.jsonl", _metrics(plan))
    if plan.ledger:
        jsonl.append_all(folder / "ledger.jsonl", _ledger(plan))
    return folder


def rewrite(path: Path, change: Callable[[dict[str, Any]], dict[str, Any] | None]) -> None:
    """Pass every line of a JSONL file through `change`; None drops the line."""
    changed = [change(line) for line in jsonl.read(path)]
    path.unlink()
    jsonl.append_all(path, [line for line in changed if line is not None])


def amend(folder: Path, **fields: Any) -> None:
    """Replace fields of the manifest."""
    path = folder / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))


def _manifest(plan: Plan) -> dict[str, Any]:
    experiments = {
        name: {
            "hypothesis": "Nobody notices.",
            "judge": list(plan.judge),
            "observe": {"probe": plan.probe},
            "steady_state": ["error-rate"],
        }
        for _, _, name in plan.phases
        if name
    }
    return {
        "schema": 1,
        "run_id": plan.run_id,
        "state": plan.state,
        "reason": "",
        "system": "lexohub",
        "plan": "lexohub",
        "policy": "local",
        "environment": {
            "name": "local",
            "kind": "region",
            "size": "small",
            "urls": {"api": "http://127.0.0.1:8080"},
            "time_scale": plan.time_scale,
            "detection_s": 6.0,
            "max_connections": plan.max_connections,
            "documents": 20_000,
            "replication": {"mode": "sync", "lag_ms": 0},
        },
        "load": {
            "model": "arrivals",
            "rate": float(sum(plan.rates.values())),
            "max_in_flight": 600,
            "seed": plan.seed,
            "only": [],
            "timeout_s": 10.0,
            "mix": {"browse": 1},
        },
        "phases": [{"name": n, "for_s": s, "experiment": e} for n, s, e in plan.phases],
        "operations": {slug: {"name": slug, "groups": list(GROUPS[slug])} for slug in plan.rates},
        "flows": {"browse": {"weight": 1, "operations": list(plan.rates), "tags": ["user"]}},
        "thresholds": {"*": list(LIMITS)},
        "objectives": list(plan.objectives),
        "least_passes": plan.least_passes,
        "experiments": experiments,
        "git": {"commit": "0" * 40, "dirty": False},
        "versions": {"python": "3.11"},
        "seed": plan.seed,
        "command": "gameday run lexohub --env local",
        "workers": 1,
        "allow_hosts": ["127.0.0.1"],
        "started": float(START),
        "ended": float(START + plan.seconds),
        **plan.manifest,
    }


def _events(plan: Plan) -> list[Mapping[str, Any]]:
    events: list[dict[str, Any]] = [{"t": START, "kind": "load", "edge": "start"}]
    at = float(START)
    for name, length, experiment in plan.phases:
        both = {"kind": "phase", "name": name, "experiment": experiment}
        events.append({"t": at, **both, "edge": "start"})
        if name == "fault":
            events.extend(_fault(plan, experiment, at))
        at += length
        events.append({"t": at, **both, "edge": "end"})
    events.extend(_generator(plan, second) for second in range(plan.seconds))
    events.append({"t": at, "kind": "load", "edge": "end"})
    events.append({"t": at + 1, "kind": "load", "edge": "drained"})
    return list(events)


def _generator(plan: Plan, second: int) -> dict[str, Any]:
    return {
        "t": START + second + 1,
        "kind": "generator",
        "cpu": plan.cpu,
        "lag_p50": plan.lag_p99 / 10,
        "lag_p99": plan.lag_p99,
        "lag_max": plan.lag_p99 * 3,
        "in_flight": 4,
        "dropped_system": 0,
        "dropped_generator": 0,
        "clock_step": 0.0,
    }


def _fault(plan: Plan, experiment: str | None, at: float) -> list[dict[str, Any]]:
    both = {"experiment": experiment}
    events: list[dict[str, Any]] = [
        {"t": at, "kind": "gate", **both, "holds": True, "reason": "error-rate holds"},
        {"t": at + 1, "kind": "fis", **both, "id": "EXP1", "state": "running", "actions": {}, "reason": ""},
    ]
    if plan.seen and plan.probe != "none":
        probe = {"kind": "probe", **both, "probe": plan.probe, "detail": {}}
        events.append({"t": START + plan.seen[0], **probe, "edge": "first"})
        events.append({"t": START + plan.seen[1], **probe, "edge": "last"})
    events.append({"t": at + 20, "kind": "fis", **both, "id": "EXP1", "state": "completed", "actions": {}})
    events.append({"t": at + 21, "kind": "undo", **both, "verified": True, "detail": ""})
    return events


def _lost_to(plan: Plan, slug: str, second: int, arrivals: int) -> dict[str, int]:
    bad: dict[str, int] = {}
    for outage in plan.outages:
        overlap = max(0.0, min(outage.end, second + 1) - max(outage.start, second))
        if overlap and (not outage.groups or set(outage.groups) & set(GROUPS[slug])):
            left = arrivals - sum(bad.values())
            count = min(left, round(arrivals * overlap * outage.share))
            if count:
                bad[outage.bad] = bad.get(outage.bad, 0) + count
    return bad


def _traffic(folder: Path, plan: Plan) -> None:
    random = np.random.default_rng(plan.seed)
    lines: list[Mapping[str, Any]] = []
    log = [histogram.opening(START)]
    for slug, rate in plan.rates.items():
        for begun in range(0, plan.seconds, 10):
            heard = []
            for second in range(begun, min(begun + 10, plan.seconds)):
                bad = _lost_to(plan, slug, second, rate)
                ok = rate - sum(bad.values())
                latency = np.sort(plan.median * np.exp(plan.spread * random.standard_normal(ok)))
                heard.append(latency)
                lines.append(_line(second, slug, rate, bad, latency))
            whole = histogram.line(f"{slug}.ok", begun, 10.0, histogram.record(np.concatenate(heard)))
            log += [whole, whole.replace(".ok,", ".ok.service,", 1)]
    lines.sort(key=lambda line: float(line["t"]))
    jsonl.append_all(folder / "counters.jsonl", lines)
    (folder / "latency.hlog").write_text("".join(log))


def _line(second: int, slug: str, rate: int, bad: dict[str, int], latency: Any) -> dict[str, Any]:
    """`latency` is sorted, in seconds, of the good answers."""
    last = latency.size - 1
    p50, p99 = (float(latency[round(q * last)]) if last >= 0 else None for q in (0.5, 0.99))
    return {
        "t": START + second,
        "op": slug,
        "planned": rate,
        "intended": rate,
        "sent": rate,
        "ok": int(latency.size),
        "bad": bad,
        "slower": {str(limit): int((latency >= limit).sum()) for limit in LIMITS},
        "p50": p50,
        "p99": p99,
        "service_p50": p50,
    }


_SERIES: tuple[tuple[str, str, dict[str, str], str, float], ...] = (
    ("AWS/ElastiCache", "CacheHits", {"CacheClusterId": "lexohub-redis-001"}, "Sum", 900.0),
    ("AWS/ElastiCache", "CacheMisses", {"CacheClusterId": "lexohub-redis-001"}, "Sum", 100.0),
    (
        "AWS/RDS",
        "DatabaseConnections",
        {"DBClusterIdentifier": "lexohub-cluster", "Role": "WRITER"},
        "Maximum",
        20.0,
    ),
    ("AWS/SQS", "ApproximateNumberOfMessagesVisible", {"QueueName": "lexohub-pdf"}, "Maximum", 0.0),
)


def _metrics(plan: Plan) -> list[Mapping[str, Any]]:
    return [
        {
            "t": t,
            "namespace": namespace,
            "metric": metric,
            "dimensions": dimensions,
            "stat": stat,
            "period": 5,
            "value": value,
        }
        for t in range(START, START + plan.seconds, 5)
        for namespace, metric, dimensions, stat, value in _SERIES
    ]


_SETS = (
    ("invoices", "invoice_create", True),
    ("matter-changes", "matter_update", True),
    ("pdf-jobs", "pdf_request", False),
)


def _ledger(plan: Plan) -> list[Mapping[str, Any]]:
    lines: list[Mapping[str, Any]] = []
    for name, slug, once in _SETS:
        writes = list(_writes(plan, name, slug))
        read = [write for write in writes if write["outcome"] == "ok"]
        lines.extend(writes)
        for write in read:
            entry = {"kind": "read", "set": name, "id": write["id"], "count": 1}
            if name == "pdf-jobs":
                entry |= {"state": "done", "done_at": write["t_ack"] + 0.5}
            lines.append(entry)
        lines.append(
            {
                "kind": "readback",
                "set": name,
                "complete": True,
                "once": once,
                "read": len(read),
                "t": START + plan.seconds + 5,
                "reason": "",
            }
        )
    return lines


def _writes(plan: Plan, name: str, slug: str) -> Iterable[dict[str, Any]]:
    rate = plan.rates.get(slug, 0)
    seq = 0
    for second in range(plan.seconds):
        failed = sum(_lost_to(plan, slug, second, rate).values())
        for place in range(rate):
            seq += 1
            sent = START + second + place / rate
            ok = place >= failed
            yield {
                "kind": "write",
                "set": name,
                "id": f"{name}-{seq:06d}",
                "op": slug,
                "seq": seq,
                "t_send": sent,
                "t_ack": sent + 0.01 if ok else None,
                "outcome": "ok" if ok else "unknown",
            }
