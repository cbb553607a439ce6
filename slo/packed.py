"""The text of V2 histograms as counts: many texts at once, because one by one takes longer than all else.

A text is base64 of a header and a zlib stream; that holds another header and ZigZag LEB128 words. A word is
the count of a bucket or, below zero, how many empty buckets follow.
"""

import base64
import struct
import zlib
from binascii import a2b_base64
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

LOWEST, HIGHEST, DIGITS = 1, 3_600_000_000, 3
SIZE = 23 << 10

_COOKIE = 0x1C849303 | 0x10
_COMPRESSED = 0x1C849304 | 0x10
_KIND = 0xFFFFFFFF & ~0xF0  # the bits of a cookie that are no word size
_HEADER = struct.Struct(">IIIIQQd")
_OUTER = struct.Struct(">II")
_HEADERS = np.dtype(
    [
        ("cookie", ">u4"),
        ("size", ">u4"),
        ("offset", ">u4"),
        ("digits", ">u4"),
        ("low", ">u8"),
        ("high", ">u8"),
        ("ratio", ">f8"),
    ]
)

Text = str | bytes
Whole = NDArray[np.int64]


def pack(counts: Whole) -> str:
    """The base64 text of counts, byte for byte what hdrh encodes."""
    used = np.flatnonzero(counts)
    body = _varints(counts[: int(used[-1]) + 1]) if used.size else b""
    header = _HEADER.pack(_COOKIE, len(body), 0, DIGITS, LOWEST, HIGHEST, 1.0)
    packed = zlib.compress(header + body)
    return base64.b64encode(_OUTER.pack(_COMPRESSED, len(packed)) + packed).decode("ascii")


def sparse(text: Text) -> tuple[Whole, Whole]:
    """Bucket numbers and counts of the buckets that are not empty.

    Raises:
        ValueError: damaged, or of another layout than this project writes.
    """
    words, _ = _words(np.frombuffer(_body(text), dtype=np.uint8))
    steps = _steps(words)
    counted = words > 0
    places = (np.cumsum(steps) - steps)[counted]
    if places.size and places[-1] >= SIZE:
        raise ValueError("more counts than the layout has")
    return places, words[counted]


def together(texts: Sequence[Text]) -> tuple[NDArray[np.intp], Whole, Whole]:
    """The same of many texts at once: which text, which bucket, how many.

    Raises:
        ValueError: one of them is damaged; `sparse` says which and why.
    """
    content, edges = _bodies(texts)
    lasts = edges[1:][np.diff(edges) > 0] - 1
    if (content[lasts] >= 0x80).any():
        raise ValueError("a count is cut off")
    words, ends = _words(content)
    firsts = np.searchsorted(ends, edges)
    before = np.concatenate(([0], np.cumsum(_steps(words))))
    counted = np.flatnonzero(words > 0)
    part = np.repeat(np.arange(len(texts)), np.diff(firsts))[counted]
    places = before[counted] - before[firsts[:-1]][part]
    if (places >= SIZE).any():
        raise ValueError("more counts than the layout has")
    return part, places, words[counted]


def _bodies(texts: Sequence[Text]) -> tuple[NDArray[np.uint8], NDArray[np.intp]]:
    """The words of all texts end to end, and where those of each begin and end."""
    try:
        raws = [a2b_base64(text, strict_mode=True) for text in texts]
        contents = [zlib.decompress(raw[_OUTER.size :]) for raw in raws]
    except zlib.error as error:
        raise ValueError(f"not a V2 histogram: {error}") from error
    outer = np.frombuffer(b"".join([raw[: _OUTER.size] for raw in raws]), dtype=">u4").reshape(-1, 2)
    inner = np.frombuffer(b"".join([one[: _HEADER.size] for one in contents]), dtype=_HEADERS)
    packed = np.array([len(raw) for raw in raws], dtype=np.int64) - _OUTER.size
    sizes = np.array([len(one) for one in contents], dtype=np.int64) - _HEADER.size
    wrong = (packed < 0).any() or (sizes < 0).any()
    wrong = wrong or (outer[:, 0] & _KIND != _COMPRESSED & _KIND).any() or (outer[:, 1] != packed).any()
    wrong = wrong or (inner["cookie"] & _KIND != _COOKIE & _KIND).any() or (inner["size"] != sizes).any()
    layout = {"offset": 0, "digits": DIGITS, "low": LOWEST, "high": HIGHEST}
    if wrong or any((inner[name] != value).any() for name, value in layout.items()):
        raise ValueError("a header of another layout")
    content = np.frombuffer(b"".join([one[_HEADER.size :] for one in contents]), dtype=np.uint8)
    return content, np.concatenate(([0], np.cumsum(sizes))).astype(np.intp)


def _body(text: Text) -> bytes:
    """The words of one text; what is wrong with it is said."""
    try:
        raw = a2b_base64(text, strict_mode=True)
        cookie, length = _OUTER.unpack_from(raw)
        if cookie & _KIND != _COMPRESSED & _KIND or length != len(raw) - _OUTER.size:
            raise ValueError("not a compressed V2 histogram of that length")
        content = zlib.decompress(raw[_OUTER.size :])
        inner, size, offset, digits, lowest, high, _ = _HEADER.unpack_from(content)
    except (zlib.error, struct.error) as error:
        raise ValueError(f"not a V2 histogram: {error}") from error
    if inner & _KIND != _COOKIE & _KIND or size != len(content) - _HEADER.size:
        raise ValueError(f"not a V2 histogram of that length: cookie {inner:#x}")
    if (offset, digits, lowest, high) != (0, DIGITS, LOWEST, HIGHEST):
        raise ValueError(
            f"{digits} digits from {lowest} to {high}; expected {DIGITS} digits from {LOWEST} to {HIGHEST}"
        )
    return content[_HEADER.size :]


def _steps(words: Whole) -> Whole:
    """By how many buckets each word moves on."""
    steps = np.where(words > 0, 1, -words)
    if (steps > SIZE).any():
        raise ValueError("a longer run of zeros than the layout has buckets")
    return steps


def _words(body: NDArray[np.uint8]) -> tuple[Whole, NDArray[np.intp]]:
    """ZigZag LEB128 words and where each ends.

    They are below 2**55, so that no word needs the ninth byte, which has no flag.
    """
    if not body.size:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.intp)
    ends = np.flatnonzero(body < 0x80)
    if not ends.size or ends[-1] != body.size - 1:
        raise ValueError("a count is cut off")
    begins = np.concatenate(([0], ends[:-1] + 1))
    lengths = ends - begins + 1
    longest = int(lengths.max())
    if longest > 8:
        raise ValueError("a count beyond 2**55")
    words = (body[begins] & 0x7F).astype(np.int64)
    for place in range(1, longest):
        more = np.flatnonzero(lengths > place)
        words[more] |= (body[begins[more] + place] & 0x7F).astype(np.int64) << (7 * place)
    unsigned: Whole = (words >> 1) ^ -(words & 1)
    if (unsigned == 0).any():
        raise ValueError("a run of zeros of no length")
    return unsigned, ends


def _varints(counts: Whole) -> bytes:
    """Counts as ZigZag LEB128 words; a run of zeros is one negative word."""
    body = bytearray()
    used = np.flatnonzero(counts)
    before = -1
    for place, count in zip(used.tolist(), counts[used].tolist(), strict=True):
        if zeros := place - before - 1:
            _put(body, -zeros)
        _put(body, count)
        before = place
    return bytes(body)


def _put(body: bytearray, value: int) -> None:
    word = (value << 1) ^ (value >> 63)
    while word >= 0x80:
        body.append(word & 0x7F | 0x80)
        word >>= 7
    body.append(word)
