"""How many sessions are connected, without asking each of ten thousand every second."""


class Tally:
    """``open``: sessions with at least one open connection; each tells of its first and of its last."""

    __slots__ = ("open",)

    def __init__(self) -> None:
        self.open = 0
