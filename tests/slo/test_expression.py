import pytest
from hypothesis import given
from hypothesis import strategies as st

from slo.expression import parse


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("p(99) < 500ms", ("p", 0.99, "<", 0.5, "s")),
        ("p(99.9)<=2s", ("p", 0.999, "<=", 2.0, "s")),
        ("p(50) < 250us", ("p", 0.5, "<", 0.00025, "s")),
        ("rate < 0.1%", ("rate", None, "<", 0.001, "ratio")),
        ("mean < 500ms", ("mean", None, "<", 0.5, "s")),
        ("max < 50%", ("max", None, "<", 0.5, "ratio")),
        ("value >= 1000/s", ("value", None, ">=", 1000.0, "1/s")),
        ("value >= 1000/h", ("value", None, ">=", 1000 / 3600, "1/s")),
        ("value > 60/min", ("value", None, ">", 1.0, "1/s")),
        ("value >= 99.9%", ("value", None, ">=", 0.999, "ratio")),
        ("value >= 10000", ("value", None, ">=", 10000.0, "count")),
        ("count == 0", ("count", None, "==", 0.0, "count")),
        ("recovery < 30s", ("recovery", None, "<", 30.0, "s")),
        ("recovery < 15m", ("recovery", None, "<", 900.0, "s")),
        ("recovery < 1h", ("recovery", None, "<", 3600.0, "s")),
    ],
)
def test_expressions(text, expected):
    """Every form of the language, in base units."""
    one = parse(text)
    metric, quantile, operator, limit, unit = expected
    assert (one.metric, one.quantile, one.operator, one.unit) == (metric, quantile, operator, unit)
    assert one.limit == pytest.approx(limit, rel=1e-12)
    assert one.text == text.strip()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "'' is not an objective; expected metric, operator, number and unit, as in 'p(99) < 500ms'"),
        ("p(99) 500ms", "'p(99) 500ms' is not an objective; expected metric, operator, number and unit"),
        ("p(99) < -5ms", "is not an objective"),
        ("p(99) < 500ms and rate < 1%", "is not an objective"),
        (
            "speed < 5s",
            "unknown metric 'speed' in 'speed < 5s'; expected one of p(q), recovery, rate, mean, max",
        ),
        (
            "p(99) < 5d",
            "unknown unit 'd' in 'p(99) < 5d'; expected one of us, ms, s, m, h, %, /s, /min, /h or none",
        ),
        ("p(99) < 5%", "p cannot be compared with 5%; expected a time such as 500ms"),
        ("p(99) < 5", "p cannot be compared with 5; expected a time such as 500ms"),
        ("rate < 5ms", "rate cannot be compared with 5ms; expected a ratio such as 0.1%"),
        ("rate > 1%", "rate cannot be compared with '>'; expected < or <="),
        ("recovery >= 3s", "recovery cannot be compared with '>='; expected < or <="),
        ("value == 3", "value cannot be compared with '=='; expected <, <=, > or >="),
        ("count == 0.5", "count cannot be 0.5; expected a whole number"),
        ("p < 5s", "no usable quantile in 'p < 5s'; expected p(q) with q above 0 and below 100"),
        ("p(0) < 5s", "no usable quantile"),
        ("p(100) < 5s", "no usable quantile"),
        ("p(9.9.9) < 5s", "no usable quantile"),
        ("rate(5) < 1%", "rate takes no quantile in 'rate(5) < 1%'; expected rate alone"),
    ],
)
def test_refusals(text, message):
    """Each refusal says what is wrong and what was expected."""
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the whole message is compared
        parse(text)
    assert message in str(caught.value)


@given(st.text(max_size=30))
def test_any_text_parses_or_is_refused(text):
    """Nothing else than ValueError ever comes out."""
    try:
        message = parse(text).text
    except ValueError as error:
        message = str(error)
        assert_that = "expected" in message
    else:
        assert_that = message == text.strip()
    assert assert_that


@pytest.mark.parametrize(
    ("operator", "below", "at", "above"),
    [
        ("<", True, False, False),
        ("<=", True, True, False),
        (">", False, False, True),
        (">=", False, True, True),
        ("==", False, True, False),
    ],
)
def test_holds_at_the_limit(operator, below, at, above):
    """The limit itself belongs to <=, >= and == only."""
    one = parse(f"count {operator} 5")
    assert (one.holds(4), one.holds(5), one.holds(6)) == (below, at, above)
