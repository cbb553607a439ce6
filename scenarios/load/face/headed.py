"""Several writers of one latency log: each says when its own intervals began."""

from dataclasses import dataclass

from scenarios.load.sink import Sink


@dataclass(slots=True)
class Headed:
    """Passes everything on to ``sink``; intervals of the latency log follow the start they count from.

    Engines of one process, and workers, open their logs at different moments, and a reader takes interval
    times from the last start it has read.
    """

    sink: Sink
    _head: str = ""

    def append(self, name: str, text: str) -> None:
        """Pass the lines on."""
        if name != "latency.hlog" or not text:
            self.sink.append(name, text)
        elif text.startswith("#"):
            self._head = text
        else:
            self.sink.append(name, self._head + text)


@dataclass(frozen=True, slots=True)
class Fan:
    """Gives the same lines to several sinks."""

    sinks: tuple[Sink, ...]

    def append(self, name: str, text: str) -> None:
        """Pass the lines on to each."""
        for sink in self.sinks:
            sink.append(name, text)
