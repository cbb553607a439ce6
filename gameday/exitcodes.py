"""Exit codes: what a CI system reads. Final; later versions add none with another meaning."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """Why a command ended."""

    PASS = 0  # every objective passed; or the run was to measure only, and did
    FAIL = 1  # an objective failed
    USAGE = 2  # usage or configuration error: nothing was sent
    INCONCLUSIVE = 3  # inconclusive or no data: never a pass
    INVALID = 4  # the generator, not the system, was the bottleneck; or a worker was lost
    BROKEN = 5  # the suite or the environment broke
    INTERRUPTED = 130  # interrupted, after faults were undone
