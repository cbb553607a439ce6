"""CloudWatch series: one file per system, `<system>.toml`, read by `load`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from chaos.errors import ConfigError
from slo import source

FOLDER = Path(__file__).parent
STATS = ("Sum", "Average", "Minimum", "Maximum", "SampleCount")
_KEYS = {"namespace", "metric", "stat", "dimensions"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One series, or a family: each dimension's value matches one of the patterns `dimensions[name]`."""

    namespace: str
    metric: str
    stat: str
    dimensions: Mapping[str, tuple[str, ...]]

    @property
    def exact(self) -> dict[str, str] | None:
        """Its dimensions if it is one series, None if it is a family."""
        single = {name: values[0] for name, values in self.dimensions.items() if len(values) == 1}
        plain = len(single) == len(self.dimensions) and not any(set("*?[") & set(v) for v in single.values())
        return single if plain else None

    def fits(self, dimensions: Mapping[str, str]) -> bool:
        """Whether exactly these dimensions belong to it."""
        return set(dimensions) == set(self.dimensions) and all(
            any(fnmatchcase(dimensions[name], pattern) for pattern in patterns)
            for name, patterns in self.dimensions.items()
        )


def names() -> list[str]:
    """The systems that have a file."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def load(system: str) -> tuple[Series, ...]:
    """The series of a system.

    Raises:
        ConfigError: there is no such file, or it says something that cannot be meant.
    """
    path = FOLDER / f"{system}.toml"
    try:
        text = path.read_text("utf-8")
        tables = tomllib.loads(text).get("series", [])
    except FileNotFoundError as error:
        raise ConfigError(f"no series for {system!r}; expected one of {names()}", path=path) from error
    except (OSError, ValueError) as error:
        raise ConfigError(f"cannot be read: {error}; expected [[series]] tables", path=path) from error
    for index, table in enumerate(tables):
        problem = _problem(table)
        if problem:
            raise ConfigError(problem, path=path, line=source.line_of(text, ("series", index)))
    return tuple(
        Series(
            namespace=table["namespace"],
            metric=table["metric"],
            stat=table["stat"],
            dimensions={
                name: (value,) if isinstance(value, str) else tuple(value)
                for name, value in table["dimensions"].items()
            },
        )
        for table in tables
    )


def _problem(table: Mapping[str, Any]) -> str:
    if set(table) != _KEYS:
        return f"keys {sorted(table)}; expected {sorted(_KEYS)}"
    if table["stat"] not in STATS:
        return f"stat {table['stat']!r}; expected one of {list(STATS)}"
    for name, value in table["dimensions"].items():
        patterns = [value] if isinstance(value, str) else value
        if not (isinstance(patterns, list) and patterns and all(isinstance(p, str) and p for p in patterns)):
            return f"dimension {name} is {value!r}; expected a text or a list of texts"
    return ""
