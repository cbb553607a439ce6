"""A run folder with everything a report prints: one failover, failed answers, examples, every verdict."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from slo import histogram, jsonl
from tests.run_folder import START, Outage, Plan, write

PHASES = (
    ("warmup", 10, None),
    ("steady", 40, None),
    ("fault", 30, "aurora-failover"),
    ("recovered", 30, None),
)
RATES = {"matter_read": 12, "invoice_create": 4, "search": 10, "static_app_js": 3}
T0, T_END = START + 55.0, START + 63.0
SOURCE = {
    "file": "design.txt",
    "heading": "Success Metrics",
    "quote": "**Latency:** < 100ms (p50), < 500ms (p99)",
}


def build(folder: Path, **plan: Any) -> Path:
    """Write the folder; keywords replace fields of the plan."""
    fields: dict[str, Any] = {
        "phases": PHASES,
        "rates": RATES,
        "seen": (55.0, 63.0),
        "outages": [Outage(start=55, end=60), Outage(start=60, end=63, bad="timeout", groups=("write",))],
    }
    write(folder, Plan(**fields | plan))
    failed = histogram.record(np.full(60, 0.004))
    with (folder / "latency.hlog").open("a") as file:
        file.write(histogram.line("invoice_create.bad", 50.0, 10.0, failed))
    jsonl.append_all(folder / "events.jsonl", examples())
    put(folder, "verdicts.json", verdicts())
    return folder


def put(folder: Path, name: str, value: object) -> None:
    """Write a JSON document."""
    (folder / name).write_text(json.dumps(value), encoding="utf-8")


def examples() -> list[dict[str, Any]]:
    """A failed request and the slowest one."""
    both = {"kind": "exemplar", "op": "invoice_create"}
    return [
        {"t": T0 + 1, **both, "class": "http_5xx", "detail": "503 no writer", "request_id": "req-1"},
        {"t": T_END + 1, **both, "class": "slowest", "detail": "1.942 s", "request_id": "req-2"},
    ]


def objective(name: str, verdict: str, **fields: Any) -> dict[str, Any]:
    """One entry of verdicts.json."""
    return {
        "id": name,
        "instance": None,
        "phase": "steady",
        "sli": "latency",
        "operations": ["@api"],
        "expr": "p(99) < 500ms",
        "verdict": verdict,
        "reason": f"the reason of {name}",
        "measured": 0.0812,
        "measured_text": "81.2 ms",
        "unit": "s",
        "k": 31,
        "n": 52_801,
        "n_eff": 44_900.0,
        "deff": 1.18,
        "interval": [0.00042, 0.00081],
        "budget": 0.01,
        "margin": 0.941,
        "minutes_needed": 0.0,
        "blocks": 30,
        "basis": "documented",
        "decides": True,
        "warned": False,
        "source": SOURCE,
    } | fields


def bare(name: str, verdict: str, **fields: Any) -> dict[str, Any]:
    """An entry without samples."""
    empty = dict.fromkeys(
        ("k", "n", "n_eff", "deff", "interval", "budget", "margin", "minutes_needed", "blocks")
    )
    return objective(name, verdict, **empty | {"measured": None, "measured_text": ""} | fields)


def verdicts(**fields: Any) -> dict[str, Any]:
    """A document with one objective of each verdict, passing ones first as no report should print them."""
    return {
        "schema": 1,
        "run_id": "lexohub-local-20251121T114500Z-3f9a",
        "judged_at": START + 130.0,
        "verdict": "fail",
        "exit": 1,
        "reason": "1 of 6 objectives failed: throughput",
        "state": "complete",
        "policy": "local",
        "objectives": [
            objective("latency-p99", "pass"),
            objective("latency-p50", "pass", expr="p(50) < 100ms", budget=0.5),
            bare("cache-hit", "no-data", expr="value > 80%", unit="ratio", sli="metric"),
            objective("error-rate", "inconclusive", expr="rate < 0.1%", unit="ratio", minutes_needed=11.5),
            bare("throughput", "fail", expr="value >= 1000/s", unit="1/s", measured=25.4, n=40, margin=-0.97),
            bare("db-connections", "invalid", expr="max < 50%", unit="ratio", reason="void"),
            bare(
                "failover",
                "pass",
                expr="recovery < 30s",
                phase="fault",
                instance="aurora-failover",
                measured=8.4,
                interval=[8.4, 13.4],
                margin=0.72,
            ),
        ],
        "not_driven": [{"id": "backup-recovery", "reason": "the plan has no restore drill"}],
        "recovery": [
            {
                "experiment": "aurora-failover",
                "state": "recovered",
                "operations": [],
                "t0": T0,
                "t_end": T_END,
                "t1": T0 + 0.6,
                "t2": T_END + 0.4,
                "absorption": [8.4, 13.4],
                "after_removal": [0.4, 5.4],
                "relapses": [],
                "arrivals": 900,
                "bad": 450,
                "budget_share": 0.0042,
                "api_start": T0 - 0.4,
            }
        ],
        "ledger": [
            account("invoices"),
            account(
                "pdf-jobs",
                once=False,
                duplicated=3,
                lost=2,
                lost_ids=["job-7", "job-8"],
                lost_between=[T0 - 0.2, T0 + 0.1],
            ),
        ],
        "validity": {
            "valid": True,
            "causes": [],
            "start_lag_p99": 0.0012,
            "cpu_max": 0.44,
            "misses_generator": 0,
            "attainment": 0.9993,
        },
        "steadiness": {
            "steady": True,
            "cut_s": 5.0,
            "cut_share": 0.125,
            "before": 0.0083,
            "after": 0.0081,
            "reason": "",
        },
    } | fields


def account(name: str, **fields: Any) -> dict[str, Any]:
    """One set of the ledger."""
    return {
        "set": name,
        "attempted": 2100,
        "ok": 2080,
        "refused": 6,
        "unknown": 14,
        "read": 2085,
        "lost": 0,
        "recovered": 5,
        "duplicated": 0,
        "unexpected": 0,
        "unfinished": 0,
        "once": True,
        "complete": True,
        "reason": "",
        "lost_ids": [],
        "unfinished_ids": [],
        "duplicated_ids": [],
        "lost_between": None,
    } | fields
