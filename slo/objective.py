"""Objectives: what a document promises, as tables of `slo/targets/<system>.toml`.

    [[objective]]
    id = "latency-p99"                 # unique in the file: [a-z0-9-]
    sli = "latency"                    # a file of slo/sli/
    phase = "steady"                   # steady, fault (once per experiment), recovered or all
    operations = ["@api"]              # slugs, or @group
    expr = "p(99) < 500ms"             # slo/expression.py
    basis = "documented"               # documented, derived (say how in `note`; informs only) or baseline
    source = { file = "...", heading = "...", quote = "..." }

Optional: `warn` (an earlier expression of the same metric), `holds` (what the gate before a fault asks, if
not `expr`), `min_samples`, `blocks` (a derived objective that does decide the run's exit), `note`, `needs`
(what must be there to drive it), and the keys of its kind.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NoReturn

from slo.errors import ConfigError
from slo.expression import Expression, parse
from slo.kind import Shape, kinds
from slo.manifest import select
from slo.source import line_of

PHASES = ("steady", "fault", "recovered", "all")
BASES = ("documented", "derived", "baseline")
CLOCKS = ("absorption", "removal")
REDUCES = ("sum", "max", "mean")

_REQUIRED = frozenset({"id", "sli", "phase", "expr", "basis", "source"})
_OPTIONAL = frozenset({"warn", "holds", "min_samples", "blocks", "note", "needs"})
_ID = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_SELECTOR = re.compile(r"@?[a-z0-9_]+")
_SERIES = re.compile(r"[A-Za-z0-9_/-]+\.[A-Za-z0-9_]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where the promise stands: file, heading and its exact words."""

    file: str
    heading: str
    quote: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """One promise. The last block of fields belongs to single kinds and is empty for the others."""

    id: str
    sli: str
    phase: str
    expr: Expression
    basis: str
    source: Source
    operations: tuple[str, ...] = ()
    warn: Expression | None = None
    holds: Expression | None = None
    min_samples: int = 1
    blocks: bool = False
    note: str = ""
    needs: str = ""
    path: str = ""
    line: int = 0

    against: "Objective | None" = None
    clock: str = "absorption"
    backlog: tuple[str, ...] = ()
    sets: tuple[str, ...] = ()
    numerator: tuple[str, ...] = ()
    denominator: tuple[str, ...] = ()
    parameter: str = ""
    dimensions: tuple[tuple[str, str], ...] = ()
    reduce: str = "sum"

    @property
    def decides(self) -> bool:
        """Whether its failure makes the run fail."""
        return self.basis != "derived" or self.blocks


def load(path: Path) -> tuple[Objective, ...]:
    """Read a file of objectives.

    Raises:
        ConfigError: `file:line: problem; expected ...`.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError.at(
            path, 0, f"cannot be read ({error.strerror})", "a file of [[objective]] tables"
        ) from error
    return loads(text, path)


def loads(text: str, path: Path | str) -> tuple[Objective, ...]:
    """Parse the text of such a file; `path` is for messages."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"at line (\d+)", str(error))
        raise ConfigError.at(
            path, int(found[1]) if found else 0, f"not TOML: {error}", "valid TOML"
        ) from error
    file = _File(path=path, text=text)
    for key in document:
        if key != "objective":
            file.refuse((key,), f"unknown table or key {key!r}", "only [[objective]] tables")
    tables = document.get("objective", [])
    if not isinstance(tables, list) or not tables or not all(isinstance(table, dict) for table in tables):
        file.refuse((), "no objectives", "at least one [[objective]] table")
    objectives = [_Table(file, index, table).objective() for index, table in enumerate(tables)]
    _refuse_duplicates(file, objectives)
    return tuple(_joined(file, index, one, tables[index], objectives) for index, one in enumerate(objectives))


def thresholds(
    objectives: Sequence[Objective], operations: Mapping[str, Sequence[str]]
) -> dict[str, list[float]]:
    """Seconds that the recorder must count exactly, by operation slug.

    `operations` maps slugs to their groups. Operations that no latency objective covers are left out.
    """
    wanted: dict[str, set[float]] = {}
    for one in objectives:
        for latency in (one, one.against):
            if latency is not None and latency.sli == "latency":
                limits = {e.limit for e in (latency.expr, latency.warn, latency.holds) if e is not None}
                for slug in select(latency.operations, operations):
                    wanted.setdefault(slug, set()).update(limits)
    return {slug: sorted(limits) for slug, limits in sorted(wanted.items())}


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    path: Path | str
    text: str

    def refuse(self, keypath: tuple[str | int, ...], problem: str, expected: str) -> NoReturn:
        line = line_of(self.text, keypath) if keypath else 0
        raise ConfigError.at(self.path, line, problem, expected)


class _Table:
    """One [[objective]] table while it is being read."""

    def __init__(self, file: _File, index: int, table: dict[str, Any]) -> None:
        self.file, self.index, self.table = file, index, table
        self.name = repr(table["id"]) if isinstance(table.get("id"), str) else f"number {index + 1}"

    def objective(self) -> Objective:
        for key in sorted(_REQUIRED - self.table.keys()):
            self.refuse(None, f"objective {self.name} has no {key!r}", f"a key {key!r}")
        sli = self.choice("sli", tuple(kinds()))
        shape = kinds()[sli].SHAPE
        self.check_keys(sli, shape)
        expr = self.expression("expr", sli, shape)
        if self.table["basis"] == "derived" and "note" not in self.table:
            self.refuse(
                "basis", f"derived objective {self.name} has no 'note'", "a note that says how it was derived"
            )
        return Objective(
            id=self.identifier(),
            sli=sli,
            phase=self.phase(sli, shape),
            expr=expr,
            basis=self.choice("basis", BASES),
            source=self.source(),
            operations=self.names("operations", _SELECTOR, "slugs or @groups such as '@api'"),
            warn=self.second("warn", expr, sli, shape),
            holds=self.second("holds", expr, sli, shape),
            min_samples=self.positive("min_samples"),
            blocks=self.flag("blocks"),
            note=self.string("note"),
            needs=self.string("needs"),
            path=str(self.file.path),
            line=line_of(self.file.text, ("objective", self.index)),
            clock=self.choice("clock", CLOCKS) if "clock" in self.table else "absorption",
            backlog=self.names(
                "backlog", _SERIES, "series such as 'AWS/SQS.ApproximateNumberOfMessagesVisible'"
            ),
            sets=self.names("sets", re.compile(r"[a-z0-9-]+"), "names of ledger sets such as 'invoices'"),
            numerator=self.names("numerator", _SERIES, "series such as 'AWS/ElastiCache.CacheHits'"),
            denominator=self.names("denominator", _SERIES, "series such as 'AWS/ElastiCache.CacheMisses'"),
            parameter=self.string("parameter"),
            dimensions=self.dimensions(),
            reduce=self.reduce(expr),
        )

    def refuse(self, key: str | None, problem: str, expected: str) -> NoReturn:
        keypath: tuple[str | int, ...] = ("objective", self.index)
        self.file.refuse(keypath if key is None else (*keypath, key), problem, expected)

    def check_keys(self, sli: str, shape: Shape) -> None:
        own = shape.needs | shape.takes | ({"operations"} if shape.operations else frozenset())
        known = _REQUIRED | _OPTIONAL | own
        for key in self.table:
            if key not in known:
                self.refuse(key, f"unknown key {key!r} for sli {sli!r}", f"one of {', '.join(sorted(known))}")
        needed = shape.needs | ({"operations"} if shape.operations else frozenset())
        for key in sorted(needed - self.table.keys()):
            self.refuse(
                None, f"objective {self.name} has no {key!r}", f"a key {key!r}, which sli {sli!r} needs"
            )
        if "denominator" in self.table and "parameter" in self.table:
            self.refuse("parameter", "both 'denominator' and 'parameter'", "one of them")

    def identifier(self) -> str:
        value = self.string("id")
        if not _ID.fullmatch(value):
            self.refuse("id", f"id {value!r}", "lower-case words joined by '-', as in 'latency-p99'")
        return value

    def phase(self, sli: str, shape: Shape) -> str:
        value = self.choice("phase", PHASES)
        if value not in shape.phases:
            self.refuse(
                "phase", f"sli {sli!r} cannot be judged in phase {value!r}", " or ".join(shape.phases)
            )
        return value

    def expression(self, key: str, sli: str, shape: Shape) -> Expression:
        text = self.string(key)
        try:
            expression = parse(text)
        except ValueError as error:
            problem, _, expected = str(error).partition("; expected ")
            self.refuse(key, problem, expected)
        if (expression.metric, expression.unit) not in shape.forms:
            forms = ", ".join(f"{metric} in {unit}" for metric, unit in shape.forms)
            self.refuse(key, f"sli {sli!r} cannot be judged by {text!r}", forms)
        return expression

    def second(self, key: str, expr: Expression, sli: str, shape: Shape) -> Expression | None:
        if key not in self.table:
            return None
        other = self.expression(key, sli, shape)
        if (other.metric, other.quantile, other.below) != (expr.metric, expr.quantile, expr.below):
            self.refuse(
                key,
                f"{key} {other.text!r} is about something else than {expr.text!r}",
                "the same metric and side",
            )
        return other

    def reduce(self, expr: Expression) -> str:
        natural = {"max": "max", "mean": "mean"}.get(expr.metric, "sum")
        if "reduce" not in self.table:
            return natural
        value = self.choice("reduce", REDUCES)
        if expr.metric in ("max", "mean") and value != natural:
            self.refuse("reduce", f"reduce {value!r} contradicts {expr.text!r}", repr(natural))
        return value

    def source(self) -> Source:
        value = self.table["source"]
        keys = ("file", "heading", "quote")
        whole = isinstance(value, dict) and set(value) == set(keys)
        if not whole or not all(isinstance(value[key], str) and value[key] for key in keys):
            self.refuse(
                "source",
                "no usable source",
                "source = { file = ..., heading = ..., quote = ... }, none of them empty",
            )
        return Source(file=value["file"], heading=value["heading"], quote=value["quote"])

    def choice(self, key: str, choices: Sequence[str]) -> str:
        value = self.table.get(key)
        if value not in choices:
            self.refuse(key, f"{key} {value!r}", f"one of {', '.join(choices)}")
        return str(value)

    def string(self, key: str) -> str:
        value = self.table.get(key, "")
        if not isinstance(value, str) or (key in self.table and not value):
            self.refuse(key, f"{key} {value!r}", "a text that is not empty")
        return value

    def flag(self, key: str) -> bool:
        value = self.table.get(key, False)
        if not isinstance(value, bool):
            self.refuse(key, f"{key} {value!r}", "true or false")
        return value

    def positive(self, key: str) -> int:
        value = self.table.get(key, 1)
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            self.refuse(key, f"{key} {value!r}", "a whole number of at least 1")
        return value

    def names(self, key: str, pattern: re.Pattern[str], expected: str) -> tuple[str, ...]:
        if key not in self.table:
            return ()
        value = self.table[key]
        if not isinstance(value, list) or not value:
            self.refuse(key, f"{key} {value!r}", f"a list of {expected}")
        for item in value:
            if not isinstance(item, str) or not pattern.fullmatch(item):
                self.refuse(key, f"{key} names {item!r}", expected)
        if len(set(value)) != len(value):
            self.refuse(key, f"{key} names something twice", "each name once")
        return tuple(value)

    def dimensions(self) -> tuple[tuple[str, str], ...]:
        value = self.table.get("dimensions", {})
        if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
            self.refuse("dimensions", f"dimensions {value!r}", "a table of texts such as { Role = 'WRITER' }")
        return tuple(sorted(value.items()))


def _refuse_duplicates(file: _File, objectives: Sequence[Objective]) -> None:
    lines: dict[str, int] = {}
    meanings: dict[Objective, Objective] = {}
    for index, one in enumerate(objectives):
        if one.id in lines:
            file.refuse(
                ("objective", index, "id"),
                f"id {one.id!r} again, first in line {lines[one.id]}",
                "each id once",
            )
        lines[one.id] = one.line
        bare = replace(one, id="", source=Source(file="", heading="", quote=""), line=0, note="")
        if bare in meanings and one.sli != "recovery":
            twin = meanings[bare]
            file.refuse(("objective", index), f"{one.id!r} asks what {twin.id!r} asks", "each question once")
        meanings[bare] = one


def _joined(
    file: _File, index: int, one: Objective, table: Mapping[str, Any], objectives: Sequence[Objective]
) -> Objective:
    """Put the objective that `against` names in its place."""
    if "against" not in table:
        return one
    known = {other.id: other for other in objectives if other.sli in ("errors", "availability", "latency")}
    other = known.get(table["against"]) if isinstance(table["against"], str) else None
    if other is None:
        file.refuse(
            ("objective", index, "against"),
            f"against {table['against']!r}",
            f"an errors, availability or latency objective: {', '.join(known) or 'there is none'}",
        )
    return replace(one, against=other)
