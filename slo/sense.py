"""Whether an expression makes sense for a kind of objective: its form, its side, a limit that decides.

Each question answers with None, or with the part of the expression that is wrong ("metric", "operator" or
"number"; see `slo.expression.places`), what is wrong with it and what was expected.
"""

from slo.expression import SPOKEN, Expression
from slo.kind import Shape
from slo.statistics import least_samples

Misfit = tuple[str, str, str]


def misfit(sli: str, shape: Shape, expr: Expression, *, share: bool) -> Misfit | None:
    """Why this kind cannot be judged by this expression; `share`: it is about a part of a whole."""
    said = f"sli {sli!r} cannot be judged by {expr.text!r}"
    metrics = {metric for metric, _ in shape.forms}
    if expr.metric not in metrics:
        return "metric", said, _forms(shape)
    if not expr.relative and (expr.metric, expr.unit) not in shape.forms:
        return "number", said, _forms(shape)
    if shape.side and not _on_side(expr, shape.side):
        good = "small values are good here" if shape.side == "below" else "great values are good here"
        wanted = "< or <=" if shape.side == "below" else "> or >="
        exact = ", or == 0" if shape.side == "below" and expr.unit == "count" else ""
        return "operator", f"{said}: {good}", wanted + exact
    if share and expr.unit == "ratio" and not expr.relative and not 0 < expr.limit < 1:
        vain = "can never fail" if expr.holds(0.0) and expr.holds(1.0) else "can never be shown"
        return "number", f"{expr.text!r} {vain}: it is about a share", "more than 0% and less than 100%"
    return None


def untight(warn: Expression, expr: Expression) -> Misfit | None:
    """Why a warning would never come before the failure."""
    if expr.operator == "==":
        return "metric", f"warn {warn.text!r}: nothing comes before {expr.text!r}", "no warn"
    tighter = warn.limit < expr.limit if expr.below else warn.limit > expr.limit
    if tighter:
        return None
    side = "below" if expr.below else "above"
    return "number", f"warn {warn.text!r} is not tighter than {expr.text!r}", f"a limit {side} that one"


def too_few(samples: int, expr: Expression, *, share: bool) -> str | None:
    """Why so few samples could never decide; what was expected."""
    if expr.relative:
        return None
    if expr.quantile is not None:
        least = least_samples(1 - expr.quantile)
    elif share and expr.unit == "ratio":
        least = least_samples(expr.limit if expr.below else 1 - expr.limit)
    else:
        return None
    return None if samples >= least else f"at least {least}, which {expr.text!r} needs without a bad one"


def _on_side(expr: Expression, side: str) -> bool:
    if expr.operator == "==":
        return side == "below" and expr.limit == 0
    return expr.below == (side == "below")


def _forms(shape: Shape) -> str:
    """As in `p(q) or max with a time such as 500ms`."""
    units: dict[str, list[str]] = {}
    for metric, unit in shape.forms:
        units.setdefault(unit, []).append("p(q)" if metric == "p" else metric)
    return "; ".join(f"{' or '.join(metrics)} with {SPOKEN[unit]}" for unit, metrics in units.items())
