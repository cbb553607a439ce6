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
(what must be there to drive it), and the keys of its kind. Basis "baseline" goes with expressions such as
`p(99) baseline <= +10%`, which are judged against what comparable runs measured, and with no others.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from slo import sense
from slo.errors import ConfigError, ExpressionError
from slo.expression import Expression, parse, places
from slo.fields import Fields, File
from slo.kind import Shape, kinds
from slo.manifest import select
from slo.source import key_place

PHASES = ("steady", "fault", "recovered", "all")
BASES = ("documented", "derived", "baseline")
CLOCKS = ("absorption", "removal", "start")
REDUCES = ("sum", "max", "mean")

_REQUIRED = frozenset({"id", "sli", "phase", "expr", "basis", "source"})
_OPTIONAL = frozenset({"warn", "holds", "min_samples", "blocks", "note", "needs"})
_ID = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_SELECTOR = re.compile(r"@?[a-z0-9_]+")
_SERIES = re.compile(r"[A-Za-z0-9_/-]+\.[A-Za-z0-9_]+")
_SET = re.compile(r"[a-z0-9-]+")
_BUDGETS = ("errors", "availability", "latency")


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
    each: bool = False
    prices: tuple[tuple[str, float], ...] = ()

    @property
    def decides(self) -> bool:
        """Whether its failure makes the run fail."""
        return self.basis != "derived" or self.blocks


def load(path: Path, *, known: Collection[str] | None = None) -> tuple[Objective, ...]:
    """Read a file of objectives; `known` are the slugs and `@group` names there are, if that is known.

    Raises:
        ConfigError: `file:line:column: problem; expected ...`.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else f"{error.reason}, no UTF-8"
        raise ConfigError.at(path, 0, f"cannot be read ({why})", "a file of [[objective]] tables") from error
    return loads(text, path, known=known)


def loads(text: str, path: Path | str, *, known: Collection[str] | None = None) -> tuple[Objective, ...]:
    """Parse the text of such a file; `path` is for messages, `known` as in `load`."""
    file = File(path=path, text=text)
    document = file.document()
    for key in document:
        if key != "objective":
            place = key_place(text, (key,))
            file.refuse(place, f"unknown table or key {key!r}", "only [[objective]] tables")
    tables = document.get("objective", [])
    if not isinstance(tables, list) or not tables or not all(isinstance(table, dict) for table in tables):
        file.refuse(None, "no objectives", "at least one [[objective]] table")
    readers = [_Reader(file, ("objective", index), table) for index, table in enumerate(tables)]
    objectives = [reader.objective() for reader in readers]
    _refuse_same_ids(readers, objectives)
    if known is not None:
        _refuse_unknown(readers, objectives, known)
    joined = [_joined(reader, one, objectives) for reader, one in zip(readers, objectives, strict=True)]
    _refuse_same_questions(readers, joined)
    return tuple(joined)


def thresholds(
    objectives: Sequence[Objective], operations: Mapping[str, Sequence[str]]
) -> dict[str, list[float]]:
    """Seconds that the recorder must count exactly, by operation slug.

    `operations` maps slugs to their groups. Operations that no latency objective covers, nor one that is
    judged against it, are left out.
    """
    wanted: dict[str, set[float]] = {}
    for one in objectives:
        for latency in (one, one.against):
            if latency is not None and latency.sli == "latency" and not latency.expr.relative:
                limits = {e.limit for e in (latency.expr, latency.warn, latency.holds) if e is not None}
                named = (*select(latency.operations, operations), *select(one.operations, operations))
                for slug in named:
                    wanted.setdefault(slug, set()).update(limits)
    return {slug: sorted(limits) for slug, limits in sorted(wanted.items())}


class _Reader(Fields):
    """One [[objective]] table while it is being read."""

    @property
    def name(self) -> str:
        written = self.table.get("id")
        return repr(written) if isinstance(written, str) else f"number {int(self.keypath[-1]) + 1}"

    def objective(self) -> Objective:
        for key in sorted(_REQUIRED - self.table.keys()):
            self.refuse(None, f"objective {self.name} has no {key!r}", f"a key {key!r}")
        sli = self.choice("sli", tuple(kinds()))
        shape = kinds()[sli].SHAPE
        self.check_keys(sli, shape)
        expr = self.expression("expr", sli, shape)
        return Objective(
            id=self.identifier(),
            sli=sli,
            phase=self.phase(sli, shape),
            expr=expr,
            basis=self.basis(expr),
            source=self.source(),
            operations=self.names("operations", _SELECTOR, "slugs or @groups such as '@api'"),
            warn=self.warning(expr, sli, shape),
            holds=self.second("holds", expr, sli, shape),
            min_samples=self.least(expr, shape),
            blocks=self.blocking(),
            note=self.string("note"),
            needs=self.string("needs"),
            path=str(self.file.path),
            line=self.line,
            clock=self.choice("clock", CLOCKS) if "clock" in self.table else "absorption",
            backlog=self.names(
                "backlog", _SERIES, "series such as 'AWS/SQS.ApproximateNumberOfMessagesVisible'"
            ),
            sets=self.names("sets", _SET, "names of ledger sets such as 'invoices'"),
            numerator=self.names("numerator", _SERIES, "series such as 'AWS/ElastiCache.CacheHits'"),
            denominator=self.names("denominator", _SERIES, "series such as 'AWS/ElastiCache.CacheMisses'"),
            parameter=self.string("parameter"),
            dimensions=self.texts("dimensions", "a table of texts such as { Role = 'WRITER' }"),
            reduce=self.reduce(expr),
            each=self.each(expr),
            prices=self.numbers("prices", "a table of numbers such as { request = 0.0000012 }"),
        )

    def check_keys(self, sli: str, shape: Shape) -> None:
        own = shape.needs | shape.takes | ({"operations"} if shape.operations else frozenset())
        known = _REQUIRED | _OPTIONAL | own
        for key in self.table:
            if key not in known:
                expected = f"one of {', '.join(sorted(known))}"
                self.refuse_key(key, f"unknown key {key!r} for sli {sli!r}", expected)
        needed = shape.needs | ({"operations"} if shape.operations else frozenset())
        for key in sorted(needed - self.table.keys()):
            self.refuse(
                None, f"objective {self.name} has no {key!r}", f"a key {key!r}, which sli {sli!r} needs"
            )
        if "denominator" in self.table and "parameter" in self.table:
            self.refuse_key("parameter", "both 'denominator' and 'parameter'", "one of them")

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

    def basis(self, expr: Expression) -> str:
        value = self.choice("basis", BASES)
        if expr.relative and value != "baseline":
            self.refuse("basis", f"basis {value!r} of {expr.text!r}, which asks for a baseline", "'baseline'")
        if value == "baseline" and not expr.relative:
            self.refuse(
                "expr",
                f"{expr.text!r} has no baseline, which its basis promises",
                "a change such as 'p(99) baseline <= +10%'",
                offset=places(self.table["expr"])["operator"],
            )
        if value == "derived" and "note" not in self.table:
            self.refuse(
                "basis", f"derived objective {self.name} has no 'note'", "a note that says how it was derived"
            )
        return value

    def blocking(self) -> bool:
        if "blocks" in self.table and self.table["basis"] == "documented":
            self.refuse_key(
                "blocks", "'blocks' of a documented objective", "none: what is documented decides"
            )
        return self.flag("blocks")

    def expression(self, key: str, sli: str, shape: Shape) -> Expression:
        text = self.string(key)
        try:
            expression = parse(text)
        except ExpressionError as error:
            self.refuse(key, error.problem, error.expected, offset=error.offset)
        self.fits(key, sense.misfit(sli, shape, expression, share=self.share(shape)))
        return expression

    def fits(self, key: str, misfit: sense.Misfit | None) -> None:
        if misfit is not None:
            part, problem, expected = misfit
            self.refuse(key, problem, expected, offset=places(self.table[key])[part])

    def share(self, shape: Shape) -> bool:
        """Whether a ratio is a part of a whole: of arrivals, or of a sum that it is in itself."""
        top, bottom = (_texts(self.table.get(key)) for key in ("numerator", "denominator"))
        return shape.share or (self.table.get("reduce", "sum") == "sum" and set() < top < bottom)

    def second(self, key: str, expr: Expression, sli: str, shape: Shape) -> Expression | None:
        if key not in self.table:
            return None
        other = self.expression(key, sli, shape)
        if _about(other) != _about(expr):
            problem = f"{key} {other.text!r} is about something else than {expr.text!r}"
            self.refuse(key, problem, "the same metric, side and unit")
        if key == "holds" and other.relative:
            self.refuse(key, "no baseline is known before the run has ended", "no holds")
        return other

    def warning(self, expr: Expression, sli: str, shape: Shape) -> Expression | None:
        other = self.second("warn", expr, sli, shape)
        if other is not None:
            self.fits("warn", sense.untight(other, expr))
        return other

    def least(self, expr: Expression, shape: Shape) -> int:
        value = self.positive("min_samples")
        if "min_samples" in self.table:
            expected = sense.too_few(value, expr, share=self.share(shape))
            if expected:
                self.refuse("min_samples", f"{value} samples never decide {expr.text!r}", expected)
        return value

    def each(self, expr: Expression) -> bool:
        value = self.flag("each")
        if value and expr.relative:
            self.refuse_key(
                "each", f"'each' of {expr.text!r}", "a rate to keep to: operations have no baselines"
            )
        return value

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


def _texts(value: Any) -> set[str]:
    return {item for item in value if isinstance(item, str)} if isinstance(value, list) else set()


def _about(expr: Expression) -> tuple[object, ...]:
    return expr.metric, expr.quantile, expr.below, expr.unit, expr.relative


def _question(one: Objective) -> Objective:
    """What an objective asks, without who asks, why, and how sure it wants to be.

    Two promises about faults may be kept apart: an experiment names the one that it is about.
    """
    return replace(
        one,
        id="",
        source=one.source if one.phase == "fault" else Source(file="", heading="", quote=""),
        basis="",
        operations=tuple(sorted(one.operations)),
        warn=None,
        holds=None,
        min_samples=1,
        blocks=False,
        note="",
        needs="",
        line=0,
    )


def _refuse_same_ids(readers: Sequence[_Reader], objectives: Sequence[Objective]) -> None:
    lines: dict[str, int] = {}
    for reader, one in zip(readers, objectives, strict=True):
        if one.id in lines:
            reader.refuse("id", f"id {one.id!r} again, first in line {lines[one.id]}", "each id once")
        lines[one.id] = one.line


def _refuse_same_questions(readers: Sequence[_Reader], objectives: Sequence[Objective]) -> None:
    asked: dict[Objective, Objective] = {}
    for reader, one in zip(readers, objectives, strict=True):
        twin = asked.setdefault(_question(one), one)
        if twin is not one:
            reader.refuse(
                None, f"{one.id!r} asks what {twin.id!r} asks in line {twin.line}", "each question once"
            )


def _refuse_unknown(
    readers: Sequence[_Reader], objectives: Sequence[Objective], known: Collection[str]
) -> None:
    for reader, one in zip(readers, objectives, strict=True):
        for index, name in enumerate(one.operations):
            if name not in known:
                expected = f"one of {', '.join(sorted(known))}"
                reader.refuse("operations", f"operations names {name!r}, which is not sent", expected, index)


def _joined(reader: _Reader, one: Objective, objectives: Sequence[Objective]) -> Objective:
    """Put the objective that `against` names in its place."""
    if "against" not in reader.table:
        return one
    asked = reader.table["against"]
    known = {
        other.id: other
        for other in objectives
        if other.sli in _BUDGETS and not other.expr.relative and not other.each
    }
    other = known.get(asked) if isinstance(asked, str) else None
    if other is None:
        reader.refuse(
            "against",
            f"against {asked!r}",
            f"an errors, availability or latency objective: {', '.join(known) or 'there is none'}",
        )
    return replace(one, against=other)
