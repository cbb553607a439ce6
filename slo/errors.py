"""What can go wrong in the judge.

    SloError
    ├── ConfigError   a file that people write says something wrong
    └── RecordError   a run folder cannot be read

Messages name the file and line, what is wrong and what was expected or can be done.
"""

from pathlib import Path


class SloError(Exception):
    """Base of everything this package raises on purpose."""


class ConfigError(SloError):
    """A file that people write says something wrong. The message is `file:line: problem; expected ...`."""

    @classmethod
    def at(cls, path: Path | str, line: int, problem: str, expected: str) -> "ConfigError":
        """Build the message; `line` counts from 1, 0 means the whole file."""
        where = f"{path}:{line}" if line else f"{path}"
        return cls(f"{where}: {problem}; expected {expected}")


class RecordError(SloError):
    """A run folder cannot be read."""
