"""Content codings: gzip, deflate, and br where the brotli package is installed; bounded against bombs."""

import zlib
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Protocol

_BROTLI: Any = import_module("brotli") if find_spec("brotli") else None
_STEP = 65_536
_AUTO = zlib.MAX_WBITS | 32  # gzip or zlib, whichever the header says

ACCEPTED = "gzip, deflate, br" if _BROTLI else "gzip, deflate"
_KNOWN = frozenset(ACCEPTED.split(", ")) | {"x-gzip"}


class CodingError(Exception):
    """The body is not what its Content-Encoding says, or larger than allowed once decoded."""


class _Coding(Protocol):
    def feed(self, data: bytes, room: int) -> bytes:
        """Decoded bytes, a few more than ``room`` at most when there is more."""

    def finish(self) -> None:
        """The body has ended; CodingError if the coding has not."""


class Decoder:
    """Decodes a body piece by piece; ``limit`` bounds what comes out in total (None: no bound).

    Codings that are unknown leave the body as it came: nobody asked for them.
    """

    def __init__(self, encoding: str, limit: int | None = None) -> None:
        names = [name.strip().lower() for name in encoding.split(",")]
        names = [name for name in names if name and name != "identity"]
        self._codings: list[_Coding] = []
        if len(names) <= 2 and all(name in _KNOWN for name in names):
            self._codings = [_coding(name) for name in reversed(names)]
        self._limit = limit
        self._made = 0
        self._begun = False

    def feed(self, data: bytes) -> bytes:
        """What these bytes decode to; CodingError."""
        self._begun = self._begun or bool(data)
        for coding in self._codings:
            if data:
                room = (1 << 62) if self._limit is None else self._limit - self._made
                data = coding.feed(data, room)
                self._refuse_more_than(room, len(data))
        self._made += len(data)
        return data

    def finish(self) -> None:
        """The body has ended; CodingError if its coding has not. Nothing at all is a body too."""
        if self._begun:
            for coding in self._codings:
                coding.finish()

    def _refuse_more_than(self, room: int, found: int) -> None:
        if found > room:
            raise CodingError(f"a body of more than {self._limit} bytes once decompressed")


def decode(body: bytes, encoding: str, limit: int) -> bytes:
    """The whole body, decoded; CodingError."""
    if not body:
        return body
    decoder = Decoder(encoding, limit)
    decoded = decoder.feed(body)
    decoder.finish()
    return decoded


class _Deflated:
    """gzip (of any number of members) and deflate, with or without zlib's wrapper."""

    def __init__(self, name: str) -> None:
        self._bare = name == "deflate"
        self._inner = zlib.decompressobj(_AUTO)
        self._begun = False

    def feed(self, data: bytes, room: int) -> bytes:
        made: list[bytes] = []
        if self._inner.eof:
            self._inner = zlib.decompressobj(_AUTO)
        while room >= 0:
            most = min(room + 1, _STEP)
            piece = self._decompress(data, most)
            made.append(piece)
            room -= len(piece)
            if self._inner.eof:
                data = self._inner.unused_data
                if not data:
                    break
                self._inner = zlib.decompressobj(_AUTO)
            else:
                data = self._inner.unconsumed_tail
                if not data and len(piece) < most:
                    break
        return b"".join(made)

    def _decompress(self, data: bytes, most: int) -> bytes:
        try:
            piece = self._inner.decompress(data, most)
        except zlib.error as error:
            if not self._bare or self._begun:
                raise CodingError(f"not what its Content-Encoding says: {error}") from error
            self._inner = zlib.decompressobj(-zlib.MAX_WBITS)
            self._begun = True
            return self._decompress(data, most)
        self._begun = True
        return piece

    def finish(self) -> None:
        if not self._inner.eof:
            raise CodingError("the compressed body ends too early")


class _Brotli:
    def __init__(self) -> None:
        self._inner = _BROTLI.Decompressor()

    def feed(self, data: bytes, room: int) -> bytes:
        made: list[bytes] = []
        try:
            while True:
                piece: bytes = self._inner.process(data, output_buffer_limit=_STEP)
                made.append(piece)
                room -= len(piece)
                data = b""
                more = len(piece) >= _STEP or not self._inner.can_accept_more_data()
                if not more or self._inner.is_finished() or room < 0:
                    return b"".join(made)
        except _BROTLI.error as error:
            raise CodingError(f"not what its Content-Encoding says: {error}") from error

    def finish(self) -> None:
        if not self._inner.is_finished():
            raise CodingError("the compressed body ends too early")


def _coding(name: str) -> _Coding:
    return _Brotli() if name == "br" else _Deflated(name)
