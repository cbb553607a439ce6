"""What can go wrong while measuring.

BenchError          a generator or the server did not do what a measurement needs; exit 5
├── MissingError    something a section needs is not installed; exit 2
└── SpoiltError     a tool failed while the machine's host took its share; the round is made again
"""


class BenchError(Exception):
    """The message says what failed, where its output is quoted, and what to do."""


class MissingError(BenchError):
    """A program or a core that the bench needs is not there."""


class SpoiltError(BenchError):
    """A tool failed in a round that proves nothing."""
