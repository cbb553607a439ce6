"""What can go wrong in the judge.

    SloError
    ├── ConfigError       a file that people write says something wrong
    ├── ExpressionError   an objective's expression says something wrong; a ValueError too
    └── RecordError       a run folder cannot be read

Messages name the file, line and column, what is wrong and what was expected or can be done.
"""

from pathlib import Path


class SloError(Exception):
    """Base of everything this package raises on purpose."""


class ConfigError(SloError):
    """A file that people write says something wrong: `file:line:column: problem; expected ...`."""

    @classmethod
    def at(cls, path: Path | str, line: int, problem: str, expected: str, column: int = 0) -> "ConfigError":
        """Build the message; lines and columns count from 1, 0 means the whole file or line."""
        where = ":".join([str(path), *(str(number) for number in (line, column) if number)])
        return cls(f"{where}: {problem}; expected {expected}")


class ExpressionError(SloError, ValueError):
    """An expression says something wrong.

    Attributes:
        problem: what is wrong.
        expected: what should stand there.
        offset: the character where, from 0.
    """

    def __init__(self, problem: str, expected: str, *, offset: int) -> None:
        super().__init__(f"{problem}; expected {expected}")
        self.problem, self.expected, self.offset = problem, expected, offset


class RecordError(SloError):
    """A run folder cannot be read."""
