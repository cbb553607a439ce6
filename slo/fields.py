"""One table of a TOML file while it is being read: every refusal names file, line and column."""

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Any, NoReturn

from slo.errors import ConfigError
from slo.source import KeyPath, Place, key_place, line_of, value_place

_AT = re.compile(r" ?\(at (?:line (\d+), column (\d+)|end of document)\)")


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file's text; `path` is for messages."""

    path: Path | str
    text: str

    def document(self) -> dict[str, Any]:
        """What the text says.

        Raises:
            ConfigError: it is not TOML.
        """
        try:
            return tomllib.loads(self.text)
        except tomllib.TOMLDecodeError as error:
            found = _AT.search(str(error))
            line = int(found[1] or self.text.count("\n") + 1) if found else 0
            column = int(found[2] or 0) if found else 0
            problem = f"not TOML: {_AT.sub('', str(error))}"
            raise ConfigError.at(self.path, line, problem, "valid TOML", column) from error
        except RecursionError as error:
            raise ConfigError.at(self.path, 0, "nested too deeply", "tables such as [[objective]]") from error

    def refuse(self, place: Place | None, problem: str, expected: str) -> NoReturn:
        """Raise ConfigError for this place, or for the whole file."""
        line, column = (place.line, place.column) if place else (0, 0)
        raise ConfigError.at(self.path, line, problem, expected, column)


class Fields:
    """Reads the keys of the table that stands at `keypath`."""

    def __init__(self, file: File, keypath: KeyPath, table: dict[str, Any]) -> None:
        self.file, self.keypath, self.table = file, keypath, table

    @property
    def line(self) -> int:
        """The line of the table's header."""
        return line_of(self.file.text, self.keypath)

    def refuse(self, key: str | None, problem: str, expected: str, *inner: int, offset: int = 0) -> NoReturn:
        """Refuse a key's value, an item inside of it, or a character of its text; None: the whole table."""
        if key is None:
            place = key_place(self.file.text, self.keypath)
        else:
            place = value_place(self.file.text, (*self.keypath, key, *inner), offset)
        self.file.refuse(place, problem, expected)

    def refuse_key(self, key: str, problem: str, expected: str) -> NoReturn:
        """Refuse that the key is there at all."""
        self.file.refuse(key_place(self.file.text, (*self.keypath, key)), problem, expected)

    def choice(self, key: str, choices: Sequence[str]) -> str:
        """One of a few texts."""
        value = self.table.get(key)
        if value not in choices:
            self.refuse(key, f"{key} {value!r}", f"one of {', '.join(choices)}")
        return str(value)

    def string(self, key: str) -> str:
        """A text that is not empty; "" where there is no such key."""
        value = self.table.get(key, "")
        if not isinstance(value, str) or (key in self.table and not value):
            self.refuse(key, f"{key} {value!r}", "a text that is not empty")
        return value

    def flag(self, key: str) -> bool:
        """True or false; false where there is no such key."""
        value = self.table.get(key, False)
        if not isinstance(value, bool):
            self.refuse(key, f"{key} {value!r}", "true or false")
        return value

    def positive(self, key: str) -> int:
        """A whole number from 1; 1 where there is no such key."""
        value = self.table.get(key, 1)
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            self.refuse(key, f"{key} {value!r}", "a whole number of at least 1")
        return value

    def names(self, key: str, pattern: re.Pattern[str], expected: str) -> tuple[str, ...]:
        """A list of different names; empty where there is no such key."""
        if key not in self.table:
            return ()
        value = self.table[key]
        if not isinstance(value, list) or not value:
            self.refuse(key, f"{key} {value!r}", f"a list of {expected}")
        for index, item in enumerate(value):
            if not isinstance(item, str) or not pattern.fullmatch(item):
                self.refuse(key, f"{key} names {item!r}", expected, index)
            if item in value[:index]:
                self.refuse(key, f"{key} names {item!r} twice", "each name once", index)
        return tuple(value)

    def texts(self, key: str, expected: str) -> tuple[tuple[str, str], ...]:
        """A table of texts, sorted; empty where there is no such key."""
        value = self.table.get(key, {})
        if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
            self.refuse(key, f"{key} {value!r}", expected)
        return tuple(sorted(value.items()))

    def numbers(self, key: str, expected: str) -> tuple[tuple[str, float], ...]:
        """A table of numbers from 0, sorted by name; empty where there is no such key."""
        value = self.table.get(key, {})
        if not isinstance(value, dict) or not all(map(_is_amount, value.values())):
            self.refuse(key, f"{key} {value!r}", f"{expected}, none below 0")
        return tuple(sorted((name, float(amount)) for name, amount in value.items()))


def _is_amount(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < inf
