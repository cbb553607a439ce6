"""Small changes of a module that a test should notice.

A condition is inverted or shifted, a constant changed, a sign swapped, a function returned from at once. Each
mutant is the module's syntax tree with one node changed, written out again. Left alone are annotations,
decorators, docstrings, the texts of errors and formatted texts: what they break is wording.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

LONGEST = 70
_COMPARED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
_COMPUTED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
}
_CALLED = {"min": "max", "max": "min", "any": "all", "all": "any", "floor": "ceil", "ceil": "floor"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """A changed module; `change` says what in one line, `text` is the whole source."""

    file: str
    line: int
    function: str
    change: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Site:
    node: ast.expr | ast.stmt
    function: str
    name: str
    apply: Callable[[], None]


def count(source: str) -> int:
    """How many mutants a module has."""
    return len(_sites(ast.parse(source)))


def make(source: str, number: int, *, file: str) -> Mutant:
    """The mutant of this number, from 0."""
    tree = ast.parse(source)
    site = _sites(tree)[number]
    before = _said(site)
    site.apply()
    ast.fix_missing_locations(tree)
    return Mutant(
        file=file,
        line=site.node.lineno,
        function=site.function,
        change=f"{before} -> {_said(site)}" if not site.name else site.name,
        text=ast.unparse(tree) + "\n",
    )


def _said(site: _Site) -> str:
    text = " ".join(ast.unparse(site.node).split())
    return text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."


def _sites(tree: ast.Module) -> list[_Site]:
    finder = _Finder()
    finder.visit(tree)
    return finder.sites


class _Finder(ast.NodeVisitor):
    """Collects every change that could be made, in the order of the source."""

    def __init__(self) -> None:
        self.sites: list[_Site] = []
        self.where: list[str] = []

    def _add(self, node: ast.expr | ast.stmt, apply: Callable[[], None], name: str = "") -> None:
        self.sites.append(_Site(node=node, function=".".join(self.where), name=name, apply=apply))

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self.where.append(node.name)
        body = node.body[1:] if ast.get_docstring(node) is not None else node.body
        if len(body) > 1:
            at = len(node.body) - len(body)
            self._add(
                node, lambda: node.body.insert(at, ast.Return(value=None)), f"{node.name} returns at once"
            )
        for default in (*node.args.defaults, *(one for one in node.args.kw_defaults if one is not None)):
            self.visit(default)
        self._all(body)
        self.where.pop()

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self.where.append(node.name)
        self._all(node.body)
        self.where.pop()

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.visit(node.value)

    def visit_Raise(self, node: ast.Raise) -> None:
        del node

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        del node

    def visit_If(self, node: ast.If) -> None:
        if isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            return
        self._invert(node)
        self.generic_visit(node)

    def visit_While(self, node: ast.While) -> None:
        self._invert(node)
        self.generic_visit(node)

    def visit_IfExp(self, node: ast.IfExp) -> None:
        self._invert(node)
        self.generic_visit(node)

    def visit_comprehension(self, node: ast.comprehension) -> None:
        for at, test in enumerate(node.ifs):
            self._add(test, lambda at=at, test=test: _put(node.ifs, at, _not(test)), f"if not {_short(test)}")  # type: ignore[misc]
        self.generic_visit(node)

    def visit_Compare(self, node: ast.Compare) -> None:
        for at, operator in enumerate(node.ops):
            other = _COMPARED[type(operator)]
            self._add(node, lambda at=at, other=other: _put(node.ops, at, other()))  # type: ignore[misc]
        self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        self._add(node, lambda: setattr(node, "op", other))
        self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        other = _COMPUTED.get(type(node.op))
        if other is not None:
            self._add(node, lambda: setattr(node, "op", other()))
        self.generic_visit(node)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        other = _COMPUTED.get(type(node.op))
        if other is not None:
            self._add(node, lambda: setattr(node, "op", other()))
        self.visit(node.value)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> None:
        if isinstance(node.op, ast.USub):
            self._add(node, lambda: setattr(node, "op", ast.UAdd()))
        elif isinstance(node.op, ast.Not):
            self._add(node, lambda: setattr(node, "operand", _not(node.operand)))
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        value = node.value
        if isinstance(value, bool):
            self._add(node, lambda: setattr(node, "value", not value))
        elif isinstance(value, int):
            self._add(node, lambda: setattr(node, "value", value + 1))
        elif isinstance(value, float):
            self._add(node, lambda: setattr(node, "value", value * 1.5 if value else 1.0))

    def visit_Call(self, node: ast.Call) -> None:
        match node.func:
            case ast.Name(id=name) as called if name in _CALLED:
                self._add(node, lambda: setattr(called, "id", _CALLED[name]))
        self.generic_visit(node)

    def _invert(self, node: ast.If | ast.While | ast.IfExp) -> None:
        self._add(node, lambda: setattr(node, "test", _not(node.test)), f"if not {_short(node.test)}")

    def _all(self, body: Iterable[ast.stmt]) -> None:
        for statement in body:
            self.visit(statement)


def _not(test: ast.expr) -> ast.expr:
    return ast.UnaryOp(op=ast.Not(), operand=test)


def _put(items: list[Any], at: int, item: object) -> None:
    items[at] = item


def _short(node: ast.expr) -> str:
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."
