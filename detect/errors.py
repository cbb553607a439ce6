"""What can go wrong while the judge is put to the proof.

DetectError         a proof could not be made: the message says what failed and where its output is
└── SetupError      a file of detect/, or one that describes a defect, is not usable; exit 2
"""


class DetectError(Exception):
    """The message says what failed, where, and what to do."""


class SetupError(DetectError):
    """Nothing was started."""
