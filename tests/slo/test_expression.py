import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slo.errors import ExpressionError
from slo.expression import parse, places


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("p(99) < 500ms", ("p", 0.99, "<", 0.5, "s")),
        ("p(99.9)<=2s", ("p", 0.999, "<=", 2.0, "s")),
        ("p(50) < 250us", ("p", 0.5, "<", 0.00025, "s")),
        ("rate < 0.1%", ("rate", None, "<", 0.001, "ratio")),
        ("mean < 500ms", ("mean", None, "<", 0.5, "s")),
        ("max < 50%", ("max", None, "<", 0.5, "ratio")),
        ("max <= 0", ("max", None, "<=", 0.0, "count")),
        ("value >= 1000/s", ("value", None, ">=", 1000.0, "1/s")),
        ("value >= 1000/h", ("value", None, ">=", 1000 / 3600, "1/s")),
        ("value > 60/min", ("value", None, ">", 1.0, "1/s")),
        ("value >= 99.9%", ("value", None, ">=", 0.999, "ratio")),
        ("value >= 10000", ("value", None, ">=", 10000.0, "count")),
        ("count == 0", ("count", None, "==", 0.0, "count")),
        ("recovery < 30s", ("recovery", None, "<", 30.0, "s")),
        ("recovery < 15m", ("recovery", None, "<", 900.0, "s")),
        ("recovery < 1h", ("recovery", None, "<", 3600.0, "s")),
        ("p(99) baseline <= +10%", ("p", 0.99, "<=", 0.1, "ratio")),
        ("rate baseline < + 50 %", ("rate", None, "<", 0.5, "ratio")),
        ("mean baseline <= +5%", ("mean", None, "<=", 0.05, "ratio")),
        ("value baseline >= -10%", ("value", None, ">=", -0.1, "ratio")),
        ("recovery baseline <= +100%", ("recovery", None, "<=", 1.0, "ratio")),
    ],
)
def test_expressions(text, expected):
    """Every form of the language, in base units."""
    one = parse(text)
    metric, quantile, operator, limit, unit = expected
    assert (one.metric, one.quantile, one.operator, one.unit) == (metric, quantile, operator, unit)
    assert one.limit == pytest.approx(limit, rel=1e-12)
    assert one.text == text.strip()
    assert one.relative == ("baseline" in text)


@pytest.mark.parametrize(
    ("text", "offset", "message"),
    [
        ("", 0, "no metric in ''; expected one of p(q), recovery, rate, mean, max, value or count, as in"),
        ("  ", 0, "no metric in '  '"),
        ("p(99) 500ms", 6, "'500' instead of an operator in 'p(99) 500ms'; expected < or <="),
        ("p(99) < -5ms", 8, "'-' is not a number in 'p(99) < -5ms'; expected a time such as 500ms"),
        ("p(99) < 500ms and rate < 1%", 14, "'and' after a whole objective"),
        ("speed < 5s", 0, "unknown metric 'speed' in 'speed < 5s'; expected one of p(q), recovery, rate"),
        ("p(99) < 5d", 9, "unknown unit 'd' in 'p(99) < 5d'; expected one of us, ms, s, m, h, %, /s, /min"),
        ("value > 5/day", 9, "unknown unit '/day'"),
        ("p(99) < 5%", 8, "p cannot be compared with 5% in 'p(99) < 5%'; expected a time such as 500ms"),
        ("p(99) < 5", 8, "p cannot be compared with 5 in"),
        ("rate < 5ms", 7, "rate cannot be compared with 5ms in 'rate < 5ms'; expected a ratio such as 0.1%"),
        ("rate > 1%", 5, "rate cannot be compared with '>' in 'rate > 1%'; expected < or <="),
        ("recovery >= 3s", 9, "recovery cannot be compared with '>='"),
        ("value == 3", 6, "value cannot be compared with '==' in 'value == 3'; expected <, <=, > or >="),
        ("count == 0.5", 9, "count cannot be 0.5 in 'count == 0.5'; expected a whole number"),
        ("p < 5s", 2, "no usable quantile in 'p < 5s'; expected p(q) with q above 0 and below 100"),
        ("p(0) < 5s", 2, "no usable quantile: 0"),
        ("p(100) < 5s", 2, "as in 'p(99) < 500ms'; every answer is 'max'"),
        ("p(99.99999999999999999999) < 5s", 2, "no usable quantile"),
        ("p(9.9.9) < 5s", 2, "'9.9.9' is not a number"),
        ("p() < 5s", 2, "')' is not a number"),
        ("rate(5) < 1%", 4, "rate takes no quantile in 'rate(5) < 1%'; expected rate alone"),
        ("rate < 100%", 7, "a rate of 100% or more can never be exceeded"),
        ("rate <= 0%", 8, "no number of arrivals shows that a rate is zero"),
        ("mean < 0", 7, "nothing is ever below zero, so this can never pass"),
        ("max <= 0ms", 7, "everything takes some time"),
        ("value >= 0", 9, "nothing is ever below zero, so this can never fail"),
        (f"p(99) < {'9' * 400}s", 8, "nothing of that size can be measured"),
        ("p(99) baseline <= 10%", 18, "'10' instead of '+' in"),
        ("p(99) baseline <= -10%", 18, "expected a change from the baseline such as +10% after <="),
        ("value baseline >= +10%", 18, "expected a change from the baseline such as -10% after >="),
        ("value baseline >= -100%", 18, "this can never fail"),
        ("p(99) baseline <= +0%", 18, "no two runs are the same"),
        ("p(99) baseline <= +10", 21, "the end instead of '%'"),
        ("count baseline <= +10%", 6, "count has no baseline"),
    ],
)
def test_refusals(text, offset, message):
    """Each refusal says what is wrong, what was expected, and at which character."""
    with pytest.raises(ExpressionError) as caught:
        parse(text)
    assert message in str(caught.value)
    assert caught.value.offset == offset


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.text(max_size=30))
def test_any_text_parses_or_is_refused(text):
    """Nothing else than ExpressionError ever comes out."""
    try:
        message = parse(text).text
    except ExpressionError as error:
        message = str(error)
        assert_that = "; expected " in message and 0 <= error.offset <= len(text)
    else:
        assert_that = message == text.strip()
    assert assert_that


_PIECES = st.sampled_from(
    [
        *"p()<+-%. ",
        ">=",
        "==",
        "rate",
        "value",
        "count",
        "baseline",
        "99",
        "0",
        "100",
        "10",
        "0.1",
        "ms",
        "/s",
    ]
)


@settings(derandomize=True, deadline=None, max_examples=150)
@given(st.lists(_PIECES, max_size=9).map("".join))
def test_any_words_of_the_language_in_any_order(text):
    """What parses has a finite limit that some value meets and some value misses."""
    try:
        one = parse(text)
    except ExpressionError:
        return
    values = [one.limit - 1e-6, one.limit, one.limit + 1e-6, 2 * one.limit + 1, 0.0]
    assert {one.holds(value) for value in values if one.relative or value >= 0} == {True, False}


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


def test_a_change_from_the_baseline():
    """Relative limits hold against the change, as a signed ratio."""
    slower, fewer = parse("p(99) baseline <= +10%"), parse("value baseline >= -10%")
    assert (slower.holds(0.1), slower.holds(0.11), slower.holds(-0.5)) == (True, False, True)
    assert (fewer.holds(-0.1), fewer.holds(-0.11), fewer.holds(0.5)) == (True, False, True)


def test_the_same_in_other_words_is_equal():
    """Blanks and units are how it is written, not what it says."""
    assert parse("p(99)<0.5s") == parse("p(99) < 500ms")
    assert parse("p(99) < 500ms") != parse("p(99) <= 500ms")


def test_places():
    """Where the parts of a good expression stand."""
    assert places(" p(99) baseline <= +10%") == {"metric": 1, "operator": 16, "number": 19}
