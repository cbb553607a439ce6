"""One connection's answers, read out of bytes: when an answer is complete, and what is wrong with it.

Knows no sockets, so any bytes can be tried on it. The parser is httptools' (llhttp), strict as it comes. The
raw head is kept and split into fields only when somebody asks. What the parser cannot know is decided here:
a HEAD answer ends with its head, an answer without a length ends with the connection, interim answers (1xx)
precede the final one, and nobody has asked for an upgrade.
"""

from typing import Any

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from scenarios.errors import TransportError
from scenarios.load.answer import Answer, fields
from scenarios.load.http.limits import Limits

_END = b"\r\n\r\n"
_WHOLE = 2048


class _RefusedError(Exception):
    """Raised inside a callback of the parser: well-formed, but not acceptable."""


class Reader:
    """``begin``, then ``feed`` until ``complete``; ``finish`` when the connection has ended.

    ``keep``: the connection may carry another answer; not so when bytes came after the end of this one, as
    they answer nothing that was asked. ``noted``: the head may have a cookie or a content coding.
    """

    __slots__ = (
        "_bodiless",
        "_interim",
        "_limits",
        "_modest",
        "_parser",
        "_small",
        "_text",
        "_unbounded",
        "chunks",
        "complete",
        "keep",
        "noted",
        "on_body",
        "received",
        "status",
        "where",
    )

    def __init__(self, limits: Limits, where: str) -> None:
        self.where = where
        self._limits = limits
        self.chunks: list[bytes] = []
        self.on_body = self.chunks.append
        self._modest = min(limits.head_bytes, limits.body_bytes)
        self._bodiless = self.noted = False
        self._parser: Any = HttpResponseParser(self)  # None once the connection is closed
        self.begin()

    def begin(self, *, bodiless: bool = False, unbounded: bool = False) -> None:
        """Expect the next answer; ``bodiless``: to HEAD; ``unbounded``: somebody takes the chunks away."""
        if self._bodiless:  # the parser still waits for a body
            self._parser = HttpResponseParser(self)
        self._bodiless = bodiless
        self._unbounded = unbounded
        self._small = 0 if bodiless else self._modest  # HEAD: looked at closely whatever its size
        self.chunks.clear()
        self._text = b""
        self._interim = self.received = self.status = 0
        self.complete = self.keep = False

    def feed(self, data: bytes) -> bool:
        """Take bytes, whether the answer is complete; TransportError (protocol) when they are no answer."""
        self.received += len(data)
        if not self.status:
            self._text += data
        try:
            self._parser.feed_data(data)
        except HttpParserError as error:
            self._fail(error)
        if self.received > self._small:
            self._weigh()
        return self.complete

    def finish(self) -> bool:
        """The server has closed: the end of an answer without a length, TransportError (reset) for others."""
        if self.status and not self.framed:
            self.complete = True
            return True
        raise TransportError(
            f"{self.where}: closed in the middle of an answer, after {self.received} bytes of it",
            kind="reset",
        )

    def drop(self) -> None:
        """Nothing more will be read: let go of the parser, which refers back to here."""
        self._parser = None
        del self.on_body

    @property
    def framed(self) -> bool:
        """Whether the head says where the body ends."""
        named = dict(fields(self.head))
        return "content-length" in named or "chunked" in named.get("transfer-encoding", "").lower()

    @property
    def head(self) -> bytes:
        """The final answer's raw head, and whatever of the body came with it."""
        text = self._text
        for _ in range(self._interim):
            text = text.lstrip(b"\r\n").partition(_END)[2]
        return text

    def answer(self, elapsed: float) -> Answer:
        """The complete answer, as it came. Sets ``noted``."""
        head = self.head if self._interim else self._text
        if len(head) > _WHOLE:  # do not keep the body twice
            head = head[: head.find(_END)]
        lower = head.lower()
        self.noted = b"\ncontent-encoding:" in lower or b"\nset-cookie:" in lower
        return Answer(self.status, b"" if self._bodiless else b"".join(self.chunks), head, elapsed)

    def take(self) -> bytes:
        """What has come of the body since the last time; nothing for HEAD."""
        taken = b"" if self._bodiless else b"".join(self.chunks)
        self.chunks.clear()
        return taken

    def on_message_begin(self) -> None:
        """Called by the parser: also for what comes after the answer."""
        self.keep = False

    def on_headers_complete(self) -> None:
        """Called by the parser."""
        if self.complete or self._parser is None:
            return
        status = self._parser.get_status_code()
        if status == 101:
            raise _RefusedError("the server switches protocols (101); nobody asked it to")
        if status < 200:
            return
        limits = self._limits
        if len(self._text) > 4 * limits.head_fields:  # the shortest field has four bytes
            found = len(fields(self.head))
            if found > limits.head_fields:
                raise _RefusedError(f"{found} header fields; the limit is {limits.head_fields}")
        self.status = status
        if self._bodiless:
            self.complete = True
            self.keep = self._persists()

    def on_message_complete(self) -> None:
        """Called by the parser."""
        if not self.status:
            self._interim += 1
            if self._interim > self._limits.interim:
                raise _RefusedError(f"more than {self._limits.interim} interim answers before a final one")
        elif not self.complete and self._parser is not None:
            self.complete = True
            self.keep = self._parser.should_keep_alive()

    def _persists(self) -> bool:
        assert self._parser is not None, "asked by the parser"
        tokens = dict(fields(self.head)).get("connection", "").lower()
        return "close" not in tokens and self._parser.get_http_version() == "1.1"

    def _weigh(self) -> None:
        limits = self._limits
        size = self._text.rfind(_END) if self.status else len(self._text)
        if size > limits.head_bytes:
            raise self._wrong(f"a head of more than {limits.head_bytes} bytes")
        if self._bodiless and self.chunks:
            self.keep = False
        if not self._unbounded and self.received - size > limits.body_bytes:
            raise self._wrong(f"a body of more than {limits.body_bytes} bytes")

    def _fail(self, error: HttpParserError) -> None:
        if self.complete:  # what came after it is wrong
            self.keep = False
            return
        refused = error.__context__
        if isinstance(error, HttpParserUpgrade):
            says = "the server switches protocols; nobody asked it to"
        else:
            says = str(refused) if isinstance(refused, _RefusedError) else f"not HTTP: {error}"
        raise self._wrong(says) from error

    def _wrong(self, says: str) -> TransportError:
        return TransportError(f"{self.where}: {says}", kind="protocol")
