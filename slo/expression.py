"""The language of objectives: one metric, one operator, one number, one unit.

    expression = metric operator number [unit] | metric "baseline" operator sign number "%"
    metric     = "p(" quantile ")" | "rate" | "mean" | "max" | "value" | "count" | "recovery"
    quantile   = a number above 0 and below 100
    operator   = "<" | "<=" | ">" | ">=" | "=="
    unit       = time "us" "ms" "s" "m" "h" | ratio "%" | rate "/s" "/min" "/h" | none for a count
    sign       = "+" after "<" and "<=" | "-" after ">" and ">="

    p(99) < 500ms    rate < 0.1%    mean < 50%    max < 50%    value >= 1000/s    count == 0    recovery < 30s
    p(99) baseline <= +10%    value baseline >= -10%

What each metric may be compared with:

    p(q), recovery   a time, with < or <=
    rate             a ratio, with < or <=
    mean, max        a ratio, a time or a count, with <, <=, > or >=
    value            a ratio, a rate or a count, with <, <=, > or >=
    count            a whole number, with any operator; never a baseline

With "baseline" the number is the change from what comparable runs measured: +10% is a tenth more. Limits that
nothing could miss, or nothing meet, are refused. Inside, times are seconds, ratios and changes run from 0 to
1, rates are per second.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from math import inf
from typing import NoReturn

from slo.errors import ExpressionError

_WORD = re.compile(r"[a-z]+|[0-9][0-9.]*|<=|>=|==|/[a-z]*|\S")
_UNITS = {
    "us": ("s", Decimal("1e-6")),
    "ms": ("s", Decimal("1e-3")),
    "s": ("s", Decimal(1)),
    "m": ("s", Decimal(60)),
    "h": ("s", Decimal(3600)),
    "%": ("ratio", Decimal("0.01")),
    "/s": ("1/s", Decimal(1)),
    "/min": ("1/s", Decimal(1) / 60),
    "/h": ("1/s", Decimal(1) / 3600),
    "": ("count", Decimal(1)),
}
_BELOW = ("<", "<=")
_ABOVE = (">", ">=")
_EITHER = (*_BELOW, *_ABOVE)
_METRICS = {
    "p": (("s",), _BELOW),
    "recovery": (("s",), _BELOW),
    "rate": (("ratio",), _BELOW),
    "mean": (("ratio", "s", "count"), _EITHER),
    "max": (("ratio", "s", "count"), _EITHER),
    "value": (("ratio", "1/s", "count"), _EITHER),
    "count": (("count",), (*_EITHER, "==")),
}
SPOKEN = {
    "s": "a time such as 500ms",
    "ratio": "a ratio such as 0.1%",
    "1/s": "a rate such as 100/s",
    "count": "a bare number",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Expression:
    """A parsed target. `limit` is in `unit`: "s", "ratio", "1/s" or "count"; `quantile` is 0.99 for p(99).

    Where it is `relative`, `limit` is the greatest change from the baseline, a signed ratio: -0.1 allows a
    tenth less. Two that mean the same are equal, however they are written.
    """

    text: str = field(compare=False)
    metric: str
    quantile: float | None
    operator: str
    limit: float
    unit: str
    relative: bool = False

    @property
    def below(self) -> bool:
        """Whether small values are the good ones."""
        return self.operator in _BELOW

    def holds(self, value: float) -> bool:
        """Whether a value in this expression's unit (a change, where it is relative) satisfies it."""
        match self.operator:
            case "<":
                return value < self.limit
            case "<=":
                return value <= self.limit
            case ">":
                return value > self.limit
            case ">=":
                return value >= self.limit
            case _:
                return value == self.limit


def parse(text: str) -> Expression:
    """Parse one expression.

    Raises:
        ExpressionError: (a ValueError) what is wrong, what was expected, and at which character.
    """
    return _parsed(text)[0]


def places(text: str) -> Mapping[str, int]:
    """Where "metric", "operator" and "number" begin in a text that parses, as characters from 0."""
    return _parsed(text)[1]


def _parsed(text: str) -> tuple[Expression, dict[str, int]]:
    words = _Words(text)
    at = {"metric": words.at}
    metric = _metric(words)
    quantile = _quantile(words) if metric == "p" else None
    if metric != "p" and words.word == "(":
        words.refuse(f"{metric} takes no quantile", f"{metric} alone")
    relative = _baseline(words, metric)
    at["operator"] = words.at
    operator = _operator(words, metric)
    at["number"] = words.at
    limit, unit = _change(words, operator) if relative else _limit(words, metric, operator)
    if words.word:
        words.refuse(f"{words.word!r} after a whole objective", "nothing more")
    expression = Expression(
        text=text.strip(),
        metric=metric,
        quantile=quantile,
        operator=operator,
        limit=float(limit),
        unit=unit,
        relative=relative,
    )
    return expression, at


class _Words:
    """The words of a text, and the one that is read next; "" after the last."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._found = [(found.group(), found.start()) for found in _WORD.finditer(text)]
        self._next = 0

    @property
    def word(self) -> str:
        return self._found[self._next][0] if self._next < len(self._found) else ""

    @property
    def at(self) -> int:
        return self._found[self._next][1] if self._next < len(self._found) else len(self.text.rstrip())

    def take(self) -> str:
        word = self.word
        self._next += 1
        return word

    def number(self, expected: str) -> Decimal:
        try:
            value = Decimal(self.word if re.match("[0-9]", self.word) else "")
        except InvalidOperation:
            self.refuse(f"{self.found} is not a number", expected)
        self.take()
        return value

    @property
    def found(self) -> str:
        return repr(self.word) if self.word else "the end"

    def refuse(self, problem: str, expected: str, at: int | None = None) -> NoReturn:
        raise ExpressionError(f"{problem} in {self.text!r}", expected, offset=self.at if at is None else at)


def _metric(words: _Words) -> str:
    if words.word not in _METRICS:
        problem = f"unknown metric {words.word!r}" if words.word else "no metric"
        words.refuse(problem, f"one of p(q), {_listed(list(_METRICS)[1:])}, as in 'p(99) < 500ms'")
    return words.take()


def _quantile(words: _Words) -> float:
    expected = "p(q) with q above 0 and below 100, as in 'p(99) < 500ms'"
    if words.word != "(":
        words.refuse("no usable quantile", expected)
    words.take()
    at = words.at
    value = words.number(expected)
    if not 0 < float(value / 100) < 1:
        more = f"{expected}; every answer is 'max'" if value == 100 else expected
        words.refuse(f"no usable quantile: {value}", more, at)
    if words.word != ")":
        words.refuse(f"{words.found} instead of ')'", expected)
    words.take()
    return float(value / 100)


def _baseline(words: _Words, metric: str) -> bool:
    if words.word != "baseline":
        return False
    if metric == "count":
        words.refuse("count has no baseline", "a number it must keep to, as in 'count == 0'")
    words.take()
    return True


def _operator(words: _Words, metric: str) -> str:
    operators = _METRICS[metric][1]
    if words.word not in (*_EITHER, "=="):
        words.refuse(f"{words.found} instead of an operator", _listed(list(operators)))
    if words.word not in operators:
        words.refuse(f"{metric} cannot be compared with {words.word!r}", _listed(list(operators)))
    return words.take()


def _limit(words: _Words, metric: str, operator: str) -> tuple[Decimal, str]:
    at = words.at
    units = _METRICS[metric][0]
    expected = _listed([SPOKEN[one] for one in units])
    number = words.number(expected)
    written = words.word
    if written and written not in _UNITS:
        words.refuse(f"unknown unit {written!r}", f"one of {_listed([*list(_UNITS)[:-1], 'none'])}")
    words.take()
    unit, factor = _UNITS[written]
    if unit not in units:
        words.refuse(f"{metric} cannot be compared with {number}{written}", expected, at)
    if metric == "count" and number != number.to_integral_value():
        words.refuse(f"count cannot be {number}", "a whole number", at)
    if vain := _in_vain(metric, operator, number * factor, unit):
        words.refuse(*vain, at)
    return number * factor, unit


def _in_vain(metric: str, operator: str, limit: Decimal, unit: str) -> tuple[str, str] | None:
    """Why a limit asks for nothing, or for what cannot be; nothing that is measured is below zero."""
    never_below = "nothing is ever below zero, so this can never"
    checks = (
        (
            limit > 0 and not 0 < float(limit) < inf,
            "nothing of that size can be measured",
            "a limit that can be met and missed",
        ),
        (
            metric == "rate" and limit >= 1,
            "a rate of 100% or more can never be exceeded",
            "a share below 100%",
        ),
        (limit == 0 and operator == ">=", f"{never_below} fail", "a limit above zero"),
        (limit == 0 and operator == "<", f"{never_below} pass", "a limit above zero"),
        (
            limit == 0 and operator == "<=" and unit == "s",
            "everything takes some time, so this can never pass",
            "a time above zero",
        ),
        (
            limit == 0 and operator == "<=" and metric == "rate",
            "no number of arrivals shows that a rate is zero, so this can never pass",
            "a share above 0%",
        ),
    )
    return next(((problem, expected) for wrong, problem, expected in checks if wrong), None)


def _change(words: _Words, operator: str) -> tuple[Decimal, str]:
    """A change from the baseline, signed: what may be lost, never what must be gained."""
    sign = "+" if operator in _BELOW else "-"
    expected = f"a change from the baseline such as {sign}10% after {operator}"
    if words.word != sign:
        words.refuse(f"{words.found} instead of {sign!r}", expected)
    at = words.at
    words.take()
    number = words.number(expected)
    if words.word != "%":
        words.refuse(f"{words.found} instead of '%'", expected)
    words.take()
    if number == 0:
        words.refuse("no two runs are the same, so no change at all cannot be asked for", expected, at)
    if sign == "-" and number >= 100:
        words.refuse("nothing is ever below zero, so this can never fail", expected, at)
    return number / 100 * (1 if sign == "+" else -1), "ratio"


def _listed(items: list[str]) -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} or {items[-1]}"
