"""Where in a TOML or JSON text a key or its value stands, so that a refusal can name line and column.

Neither tomllib nor json keeps positions. The text is cut into words and read for its nesting alone: tables,
keys and the items of lists in TOML, `"key":` and the items of lists in JSON. A key that is not there gets the
place of its closest parent. Columns are known for TOML only.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

_NAME = re.compile(r"""(?:"[^"]*"|'[^']*'|[A-Za-z0-9_-]+)""")
_TOML = re.compile(
    r'''"""(?:\\.|[^\\])*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:\\.|[^"\\\n])*"|'[^'\n]*'|\#[^\n]*'''
    r"""|[\[\]{}=,\n]|[^\s\[\]{}=,"'\#]+""",
    re.DOTALL,
)
_JSON = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+')

KeyPath = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Line and column, from 1; column 0 is the whole line, line 0 the whole file."""

    line: int
    column: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Spot:
    """Where a key and its value begin, as characters from 0; -1 where that is not known."""

    key: int
    value: int


class _Word(NamedTuple):
    text: str
    at: int


def line_of(text: str, keypath: Sequence[str | int]) -> int:
    """Line (from 1) of a key such as `("objective", 3, "expr")` or of its closest parent, else 1."""
    spot = _nearest(text, keypath)[0]
    return 1 if spot is None else _place(text, spot.key).line


def key_place(text: str, keypath: Sequence[str | int]) -> Place:
    """Where a key stands; of its closest parent, else of the first line, the line alone."""
    spot, exact = _nearest(text, keypath)
    if spot is None:
        return Place(line=1, column=0)
    found = _place(text, spot.key)
    return found if exact and spot.value >= 0 else Place(line=found.line, column=0)


def value_place(text: str, keypath: Sequence[str | int], offset: int = 0) -> Place:
    """Where a key's value stands, or the character `offset` (from 0) of a text that is its value."""
    spot, exact = _nearest(text, keypath)
    if spot is None or not exact or spot.value < 0:
        return key_place(text, keypath)
    return _place(text, _character(text, spot.value, offset))


def positions(text: str) -> dict[KeyPath, int]:
    """First line of every key path that the text spells out."""
    return {path: _place(text, spot.key).line for path, spot in _spots(text).items()}


def _nearest(text: str, keypath: Sequence[str | int]) -> tuple[_Spot | None, bool]:
    """The spot of a key path, or of its closest parent, and whether it is the path's own."""
    known = _spots(text)
    path = tuple(keypath)
    while path:
        if path in known:
            return known[path], len(path) == len(keypath)
        path = path[:-1]
    return None, False


@lru_cache(maxsize=4)
def _spots(text: str) -> dict[KeyPath, _Spot]:
    found: dict[KeyPath, _Spot] = {}
    for path, spot in _scan_json(text) if text.lstrip()[:1] == "{" else _scan_toml(text):
        found.setdefault(path, spot)
    return found


def _place(text: str, at: int) -> Place:
    return Place(line=text.count("\n", 0, at) + 1, column=at - text.rfind("\n", 0, at))


def _character(text: str, at: int, offset: int) -> int:
    """Where a character of a text stands in the file: behind its quote, with the escapes before it."""
    if text.startswith(('"""', "'''"), at) or text[at] not in "\"'":
        return at
    if text[at] == "'":
        return at + 1 + offset
    at += 1
    for _ in range(offset):
        at += {"u": 6, "U": 10}.get(text[at + 1], 2) if text[at] == "\\" else 1
    return at


def _scan_toml(text: str) -> Iterator[tuple[KeyPath, _Spot]]:
    table: KeyPath = ()
    counts: dict[KeyPath, int] = {}
    for words in _statements(text):
        if words[0].text != "[":
            yield from _assigned(table, words)
            continue
        names = _names([word for word in words if word.text not in "[]"])
        table = _inside(names[:-1], counts) + names[-1:]
        here = _Spot(key=words[0].at, value=-1)
        if len(words) > 1 and words[1].text == "[":
            index = counts.get(table, 0)
            counts[table] = index + 1
            yield table, here
            table = (*table, index)
        yield table, here


def _statements(text: str) -> Iterator[list[_Word]]:
    """Headers and assignments: the words up to a line's end that is not inside brackets."""
    words: list[_Word] = []
    depth = 0
    for found in _TOML.finditer(text):
        word = _Word(found.group(), found.start())
        if word.text == "\n":
            if words and depth <= 0:
                yield words
                words, depth = [], 0
        elif not word.text.startswith("#"):
            depth += (word.text in "[{") - (word.text in "]}")
            words.append(word)
    if words:
        yield words


def _assigned(table: KeyPath, words: Sequence[_Word]) -> Iterator[tuple[KeyPath, _Spot]]:
    """One `key = value`, and what is inside the value."""
    equals = next((index for index, word in enumerate(words) if word.text == "="), len(words))
    path = table + _names(words[:equals])
    value = words[equals + 1 :]
    if path != table:
        yield path, _Spot(key=words[0].at, value=value[0].at if value else -1)
        yield from _nested(path, value)


def _nested(path: KeyPath, value: Sequence[_Word]) -> Iterator[tuple[KeyPath, _Spot]]:
    """The items of a list and the keys of an inline table."""
    if not value or value[0].text not in "[{":
        return
    for index, item in enumerate(_items(value)):
        if value[0].text == "{":
            yield from _assigned(path, item)
        else:
            yield (*path, index), _Spot(key=item[0].at, value=item[0].at)
            yield from _nested((*path, index), item)


def _items(value: Sequence[_Word]) -> Iterator[list[_Word]]:
    """What the commas of the outermost brackets part."""
    item: list[_Word] = []
    depth = 0
    for word in value:
        depth += word.text in "[{"
        if depth == 1 and word.text in "[{,]}":
            if item:
                yield item
            item = []
        else:
            item.append(word)
        depth -= word.text in "]}"


def _names(words: Sequence[_Word]) -> KeyPath:
    return tuple(part.strip("\"'") for part in _NAME.findall("".join(word.text for word in words)))


def _inside(names: KeyPath, counts: dict[KeyPath, int]) -> KeyPath:
    """`[objective.source]` belongs to the last `[[objective]]` above it."""
    path: KeyPath = ()
    for name in names:
        path = (*path, name)
        if path in counts:
            path = (*path, counts[path] - 1)
    return path


def _scan_json(text: str) -> Iterator[tuple[KeyPath, _Spot]]:
    stack: list[str | int | None] = []
    key: str | None = None
    at = 0
    for token in _JSON.finditer(text):
        mark = token.group()
        in_list = bool(stack) and isinstance(stack[-1], int)
        if mark == ":" and key is not None and not in_list:
            stack[-1] = key
            yield tuple(part for part in stack if part is not None), _Spot(key=at, value=-1)
        elif mark == ",":
            if in_list:
                stack[-1] = int(stack[-1] or 0) + 1
        elif mark in "}]":
            if stack:
                stack.pop()
        else:
            if in_list:
                here = _Spot(key=token.start(), value=-1)
                yield tuple(part for part in stack if part is not None), here
            if mark in "{[":
                stack.append(None if mark == "{" else 0)
        key, at = (mark[1:-1] if mark[0] == '"' else None), token.start()
