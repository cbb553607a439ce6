"""Where in a TOML or JSON text a key stands, so that a refusal can name its line.

Neither tomllib nor json keeps positions. The text is scanned for what people write: `[table]`, `[[array of
tables]]` and `key =` in TOML; `"key":` and the items of lists, by nesting, in JSON. A key inside an inline
table, or one that is not there at all, gets the line of its closest parent.
"""

import re
from collections.abc import Iterator, Sequence

_HEADER = re.compile(r"^\s*(\[\[?)\s*([^\[\]]+?)\s*\]\]?\s*(?:#.*)?$")
_NAME = r"""(?:"[^"]*"|'[^']*'|[A-Za-z0-9_-]+)"""
_KEY = re.compile(rf"^\s*({_NAME}(?:\s*\.\s*{_NAME})*)\s*=")
_PART = re.compile(_NAME)
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+')

KeyPath = tuple[str | int, ...]


def line_of(text: str, keypath: Sequence[str | int]) -> int:
    """Line (from 1) of a key such as `("objective", 3, "expr")` or of its closest parent, else 1."""
    known = positions(text)
    path = tuple(keypath)
    while path:
        if path in known:
            return known[path]
        path = path[:-1]
    return 1


def positions(text: str) -> dict[KeyPath, int]:
    """First line of every key path that the text spells out."""
    found: dict[KeyPath, int] = {}
    scan = _scan_json(text) if text.lstrip()[:1] == "{" else _scan_toml(text)
    for path, line in scan:
        found.setdefault(path, line)
    return found


def _scan_toml(text: str) -> Iterator[tuple[KeyPath, int]]:
    table: KeyPath = ()
    counts: dict[KeyPath, int] = {}
    quote = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if quote:
            quote = "" if quote in line else quote
            continue
        if header := _HEADER.match(line):
            names = _names(header.group(2))
            table = _inside(names[:-1], counts) + names[-1:]
            if header.group(1) == "[[":
                index = counts.get(table, 0)
                counts[table] = index + 1
                yield table, number
                table = (*table, index)
            yield table, number
        elif key := _KEY.match(line):
            yield table + _names(key.group(1)), number
            quote = next((mark for mark in ('"""', "'''") if line.count(mark) % 2), "")


def _names(dotted: str) -> KeyPath:
    return tuple(part.strip("\"'") for part in _PART.findall(dotted))


def _inside(names: KeyPath, counts: dict[KeyPath, int]) -> KeyPath:
    """`[objective.source]` belongs to the last `[[objective]]` above it."""
    path: KeyPath = ()
    for name in names:
        path = (*path, name)
        if path in counts:
            path = (*path, counts[path] - 1)
    return path


def _scan_json(text: str) -> Iterator[tuple[KeyPath, int]]:
    stack: list[str | int | None] = []
    key: str | None = None
    line, last = 1, 0
    for token in _TOKEN.finditer(text):
        line += text.count("\n", last, token.start())
        last = token.start()
        mark = token.group()
        in_list = bool(stack) and isinstance(stack[-1], int)
        if mark == ":" and key is not None and not in_list:
            stack[-1] = key
            yield tuple(part for part in stack if part is not None), line
        elif mark == ",":
            if in_list:
                stack[-1] = int(stack[-1] or 0) + 1
        elif mark in "}]":
            if stack:
                stack.pop()
        else:
            if in_list:
                yield tuple(part for part in stack if part is not None), line
            if mark in "{[":
                stack.append(None if mark == "{" else 0)
        key = mark[1:-1] if mark[0] == '"' else None
