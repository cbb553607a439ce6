"""An answer that is read piece by piece, decoded, in constant memory."""

from collections.abc import Callable, Generator, Iterator
from types import TracebackType
from typing import Self

from scenarios.errors import TransportError
from scenarios.load.answer import Answer
from scenarios.load.http.coding import CodingError, Decoder
from scenarios.load.http.connection import Connection


class Stream:
    """``status`` and ``headers`` stand before the first piece; iterating ends with the body.

    TransportError while it is read like for any answer. Leaving the ``with`` block early closes the
    connection.
    """

    def __init__(
        self, pieces: Generator[bytes, None, None], connection: Connection, *, done: Callable[[], None]
    ) -> None:
        self._pieces = pieces
        self._connection = connection
        self._done = done
        head = next(pieces)
        self.answer = Answer(connection.reader.status, b"", head)
        self.status = self.answer.status
        self.headers = self.answer.headers
        self._decoder = Decoder(self.headers.get("content-encoding", ""))

    def __iter__(self) -> Iterator[bytes]:
        try:
            for piece in self._pieces:
                if decoded := self._decoder.feed(piece):
                    yield decoded
            self._decoder.finish()
        except CodingError as error:
            raise TransportError(f"{self._connection.where}: {error}", kind="protocol") from error
        if not self._connection.closed:
            self._done()

    def read(self) -> bytes:
        """The rest of the body at once."""
        return b"".join(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pieces.close()  # the connection with it, unless the body has ended
