"""The language of objectives: one metric, one operator, one number, one unit.

    expression = metric operator number [unit]
    metric     = "p(" quantile ")" | "rate" | "mean" | "max" | "value" | "count" | "recovery"
    quantile   = a number above 0 and below 100
    operator   = "<" | "<=" | ">" | ">=" | "=="
    unit       = time "us" "ms" "s" "m" "h" | ratio "%" | rate "/s" "/min" "/h" | none for a count

    p(99) < 500ms    rate < 0.1%    mean < 50%    max < 50%    value >= 1000/s    count == 0    recovery < 30s

What each metric may be compared with:

    p(q), recovery   a time, with < or <=
    rate             a ratio, with < or <=
    mean, max        a ratio, a time or a count, with <, <=, > or >=
    value            a ratio, a rate or a count, with <, <=, > or >=
    count            a whole number, with any operator

Inside, times are seconds, ratios run from 0 to 1, rates are per second.
"""

import re
from dataclasses import dataclass
from decimal import Decimal

_SHAPE = re.compile(
    r"""\s*(?P<metric>[a-z]+)\s*(?:\(\s*(?P<quantile>[0-9.]+)\s*\))?
        \s*(?P<operator><=|>=|==|<|>)\s*(?P<number>[0-9]+(?:\.[0-9]+)?)\s*(?P<unit>%|/?[a-z]+)?\s*""",
    re.VERBOSE,
)
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
_EITHER = ("<", "<=", ">", ">=")
_METRICS = {
    "p": (("s",), _BELOW),
    "recovery": (("s",), _BELOW),
    "rate": (("ratio",), _BELOW),
    "mean": (("ratio", "s", "count"), _EITHER),
    "max": (("ratio", "s", "count"), _EITHER),
    "value": (("ratio", "1/s", "count"), _EITHER),
    "count": (("count",), (*_EITHER, "==")),
}
_SPOKEN = {
    "s": "a time such as 500ms",
    "ratio": "a ratio such as 0.1%",
    "1/s": "a rate such as 100/s",
    "count": "a bare number",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Expression:
    """A parsed target. `limit` is in `unit`: "s", "ratio", "1/s" or "count"; `quantile` is 0.99 for p(99)."""

    text: str
    metric: str
    quantile: float | None
    operator: str
    limit: float
    unit: str

    @property
    def below(self) -> bool:
        """Whether small values are the good ones."""
        return self.operator in _BELOW

    def holds(self, value: float) -> bool:
        """Whether a value in this expression's unit satisfies it."""
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
        ValueError: says what is wrong, and after a semicolon what was expected.
    """
    shape = _SHAPE.fullmatch(text)
    if shape is None:
        raise ValueError(
            f"{text!r} is not an objective; expected metric, operator, number and unit, as in 'p(99) < 500ms'"
        )
    metric, operator, unit = shape["metric"], shape["operator"], shape["unit"] or ""
    if metric not in _METRICS:
        raise ValueError(
            f"unknown metric {metric!r} in {text!r}; expected one of p(q), {_listed(list(_METRICS)[1:])}"
        )
    if unit not in _UNITS:
        raise ValueError(
            f"unknown unit {unit!r} in {text!r}; expected one of {_listed([*list(_UNITS)[:-1], 'none'])}"
        )
    kinds, operators = _METRICS[metric]
    kind, factor = _UNITS[unit]
    if kind not in kinds:
        spoken = _listed([_SPOKEN[one] for one in kinds])
        raise ValueError(f"{metric} cannot be compared with {shape['number']}{unit}; expected {spoken}")
    if operator not in operators:
        raise ValueError(
            f"{metric} cannot be compared with {operator!r}; expected {_listed(list(operators))}"
        )
    number = Decimal(shape["number"])
    if metric == "count" and number != number.to_integral_value():
        raise ValueError(f"count cannot be {shape['number']}; expected a whole number")
    return Expression(
        text=text.strip(),
        metric=metric,
        quantile=_quantile(text, metric, shape["quantile"]),
        operator=operator,
        limit=float(number * factor),
        unit=kind,
    )


def _quantile(text: str, metric: str, written: str | None) -> float | None:
    if metric != "p":
        if written is not None:
            raise ValueError(f"{metric} takes no quantile in {text!r}; expected {metric} alone")
        return None
    try:
        quantile = Decimal(written or "")
    except ArithmeticError:
        quantile = Decimal(0)
    if not 0 < quantile < 100:
        raise ValueError(
            f"no usable quantile in {text!r}; expected p(q) with q above 0 and below 100, as in p(99)"
        )
    return float(quantile / 100)


def _listed(items: list[str]) -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} or {items[-1]}"
