"""Which test files are worth trying with a changed module of the judge, read from what they import."""

from __future__ import annotations

import ast
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Nearest:
    """The test files that import a module, and those that reach it through other modules; and all of them."""

    near: Mapping[str, tuple[str, ...]]
    far: Mapping[str, tuple[str, ...]]
    every: tuple[str, ...]

    def of(self, module: str) -> list[tuple[str, ...]]:
        """The files to be tried, a group after the other: all at once when none imports the module."""
        groups = [self.near.get(module, ()), self.far.get(module, ())]
        return [group for group in groups if group] or [self.every]


def tests_of(room: Path) -> Nearest:
    """Which tests import which modules of the judge, read from their sources."""
    files = sorted((room / "tests" / "slo").glob("test_*.py"))
    modules = {_dotted(path, room): path for path in sorted((room / "slo").rglob("*.py"))}
    direct = {file: _imported(file, room, modules.keys()) for file in files}
    inner = {name: _imported(path, room, modules.keys()) for name, path in modules.items()}
    inner["slo.kind"] |= {name for name in modules if name.startswith("slo.sli.")}  # found by their folder
    reached = {file: _closed(names, inner) for file, names in direct.items()}
    names = {file: str(file.relative_to(room)) for file in files}
    near, far = {}, {}
    for name, path in modules.items():
        own = str(path.relative_to(room))
        near[own] = tuple(names[file] for file in files if name in direct[file])
        far[own] = tuple(names[file] for file in files if name in reached[file] - direct[file])
    return Nearest(near=near, far=far, every=tuple(names.values()))


def _dotted(path: Path, room: Path) -> str:
    parts = path.relative_to(room).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imported(path: Path, room: Path, known: Collection[str]) -> set[str]:
    """Modules of the judge that a file imports itself, or through a helper of the tests."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {one.name for one in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {node.module, *(f"{node.module}.{one.name}" for one in node.names)}
    helpers = {
        room.joinpath(*name.split(".")).with_suffix(".py") for name in names if name.startswith("tests.")
    }
    for helper in helpers:
        if helper.is_file() and helper != path:
            names |= _imported(helper, room, known)
    return {name for name in names if name in known}


def _closed(names: set[str], inner: Mapping[str, set[str]]) -> set[str]:
    """Everything that these modules import in the end."""
    found: set[str] = set()
    left = list(names)
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            left += inner.get(name, ())
    return found
