"""What the figures were measured on, and with which versions; no names of hosts, users or folders."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from bench.peers import k6

PACKAGES = ("gameday", "locust", "gevent", "geventhttpclient", "httptools", "numpy")


def description() -> dict[str, Any]:
    """Processor, cores this process may use, memory, kernel."""
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(pages / 2**30, 1),
        "kernel": f"{platform.system()} {platform.release().split('-')[0]}",
        "load_average_before": round(os.getloadavg()[0], 2),
    }


def versions() -> dict[str, str]:
    """Python, ours, and the peers'."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    found["k6"] = _k6()
    return found


def _processor() -> str:
    """The model as /proc/cpuinfo has it, else the architecture."""
    try:
        names = re.findall(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except OSError:
        names = []
    return names[0].strip() if names else platform.machine()


def _k6() -> str:
    said = subprocess.run([str(k6.program()), "version"], capture_output=True, text=True, check=False)
    words = said.stdout.split()
    return words[1] if len(words) > 1 else "unknown"
