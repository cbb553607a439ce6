"""What can go wrong in the composition root.

GamedayError
├── ConfigError     a plan or an option cannot be meant: exit 2, nothing was sent
├── RegionError     the local region did not come up, or died: exit 5
├── Interrupted     Ctrl-C or SIGTERM before anything was measured: exit 130
├── LoadError       the traffic process did not start, or ended early: exit 5
│   └── WorkersLostError     every worker of a distributed load was lost: the run is invalid, exit 4
└── FolderError     a run folder cannot be made or written: exit 5
"""

from __future__ import annotations


class GamedayError(Exception):
    """Root of this package's errors."""


class ConfigError(GamedayError):
    """A plan file or an option says something that cannot be meant."""


class RegionError(GamedayError):
    """The local region did not come up or went away."""


class Interrupted(GamedayError):  # noqa: N818 - no error: somebody asked for it
    """Ctrl-C or SIGTERM came before anything was measured; what had been started is gone."""


class LoadError(GamedayError):
    """The traffic process could not start or ended before its time."""


class WorkersLostError(LoadError):
    """No worker of a distributed load is left."""


class FolderError(GamedayError):
    """A run folder could not be made, read or written."""
