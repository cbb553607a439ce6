"""What can go wrong while measuring.

BenchError          a generator or the server did not do what a measurement needs; exit 5
└── MissingError    something a section needs is not installed; exit 2
"""


class BenchError(Exception):
    """The message says what failed, where its output is quoted, and what to do."""


class MissingError(BenchError):
    """A program or a core that the bench needs is not there."""
