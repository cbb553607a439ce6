"""What can go wrong while a run is printed.

ReportError
`-- FolderError     there is no run folder to print
"""

from __future__ import annotations


class ReportError(Exception):
    """A report could not be written; the message says what, where and what to do."""


class FolderError(ReportError):
    """The folder named is missing or is no folder."""
