"""How long an exchange may take and how much an answer may hold. Knows no sockets."""

from dataclasses import dataclass

KIB, MIB = 1024, 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """Seconds, each more than 0.

    ``connect_s`` covers looking up the name, TCP and TLS; ``read_s`` each wait for bytes of the answer;
    ``total_s`` everything from the call to the last byte of the answer.
    """

    connect_s: float = 10.0
    read_s: float = 10.0
    total_s: float = 10.0

    def __post_init__(self) -> None:
        for name in ("connect_s", "read_s", "total_s"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} is {getattr(self, name)!r}; a time-out is more than 0 s")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What an answer may hold: beyond it is a ``protocol`` failure.

    ``body_bytes`` bounds an answer on the wire, framing included, and again once it is decompressed; an
    answer that is streamed is not kept and not bounded. ``interim`` counts 1xx answers before the final one,
    ``connections`` those that are kept for each place.
    """

    head_bytes: int = 64 * KIB
    head_fields: int = 128
    body_bytes: int = 64 * MIB
    interim: int = 16
    connections: int = 8
