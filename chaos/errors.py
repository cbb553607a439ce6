"""What can go wrong while faults are made, watched and undone.

ChaosError
- ConfigError: an experiment or series file cannot be meant: file, line, what was expected; nothing was sent
- GuardError: a lock is closed: account, region, `prod`, opt-in, stop alarm, credentials; nothing was broken
    - UnreachableError: nobody answers there, or no credentials were found
- LockError: somebody else holds the shared lock, or it cannot be asked for; nothing was started
- ProbeError: a probe cannot be armed, or cannot tell any more
- FisError: FIS refused a request or no longer answers
- ControlError: the local region does not answer or refuses
- JournalError: the journal of open faults cannot be read or written
- DriveError: a fault was started and is not proven gone; `gameday abort` goes on from the journal
- CollectError: the CloudWatch series of a run cannot be collected
"""

from __future__ import annotations

from pathlib import Path


class ChaosError(Exception):
    """Root of this package's errors."""


class ConfigError(ChaosError):
    """An experiment file cannot be meant.

    Attributes:
        path: the file.
        line: where in it, from 1.
        problem: what is wrong and what was expected.
    """

    def __init__(self, problem: str, *, path: Path, line: int = 1) -> None:
        super().__init__(f"{path}:{line}: {problem}")
        self.path = path
        self.line = line
        self.problem = problem


class GuardError(ChaosError):
    """One of the locks is closed; nothing was broken."""


class UnreachableError(GuardError):
    """The account cannot be asked: no credentials, or nobody answers."""


class LockError(ChaosError):
    """The lock that runs share is held by somebody else, or cannot be asked for."""


class ProbeError(ChaosError):
    """A probe cannot be armed or cannot tell whether the fault is there."""


class FisError(ChaosError):
    """FIS refused a request or no longer answers."""


class ControlError(ChaosError):
    """The local region's control endpoint does not answer, or refuses."""


class JournalError(ChaosError):
    """The journal of open faults cannot be read or written."""


class DriveError(ChaosError):
    """A fault was started and could not be proven gone."""


class CollectError(ChaosError):
    """The CloudWatch series of a run cannot be collected."""
