"""Which test files are worth trying with a changed module of the judge, read from what they import."""

from __future__ import annotations

import ast
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Nearest:
    """The test files of each module: those that import it, else those that reach it; and all of them."""

    by_module: Mapping[str, tuple[str, ...]]
    every: tuple[str, ...]

    def of(self, module: str) -> tuple[str, ...]:
        """The files, all of them when none is known."""
        return self.by_module.get(module) or self.every


def tests_of(room: Path) -> Nearest:
    """Which tests import which modules of the judge, read from their sources."""
    files = sorted((room / "tests" / "slo").glob("test_*.py"))
    modules = {_dotted(path, room): path for path in sorted((room / "slo").rglob("*.py"))}
    direct = {file: _imported(file, room, modules.keys()) for file in files}
    inner = {name: _imported(path, room, modules.keys()) for name, path in modules.items()}
    inner["slo.kind"] |= {name for name in modules if name.startswith("slo.sli.")}  # found by their folder
    reached = {file: _closed(names, inner) for file, names in direct.items()}
    by_module = {}
    for name, path in modules.items():
        near = [file for file in files if name in direct[file]]
        chosen = near or [file for file in files if name in reached[file]]
        by_module[str(path.relative_to(room))] = tuple(str(file.relative_to(room)) for file in chosen)
    return Nearest(by_module=by_module, every=tuple(str(file.relative_to(room)) for file in files))


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
