import pytest

from slo.errors import ConfigError
from slo.objective import load, loads
from tests.slo.malformed.samples import OBJECTIVES, SOURCE, changed, place

AVAILABILITY = f"""[[objective]]
id = "up"
sli = "availability"
phase = "steady"
operations = ["@api"]
expr = "value >= 99.9%"
basis = "documented"
{SOURCE}
"""
HITS = f"""[[objective]]
id = "hits"
sli = "metric"
phase = "steady"
expr = "value > 80%"
numerator = ["AWS/ElastiCache.CacheHits"]
denominator = ["AWS/ElastiCache.CacheHits", "AWS/ElastiCache.CacheMisses"]
basis = "documented"
{SOURCE}
"""
LEDGER = f"""[[objective]]
id = "lost"
sli = "lost_writes"
phase = "all"
expr = "count == 0"
sets = ["invoices"]
basis = "documented"
{SOURCE}
"""
SESSIONS = f"""[[objective]]
id = "users"
sli = "sessions"
phase = "steady"
expr = "value >= 100"
basis = "documented"
{SOURCE}
"""


def _refusal(text: str, **options: object) -> str:
    with pytest.raises(ConfigError) as caught:
        loads(text, "x.toml", **options)
    return str(caught.value)


# What is replaced, by what, where the refusal must point, and what it must say.
EXPRESSIONS = [
    ("p(99) < 500ms", "", '"\nwarn', "expr ''; expected a text that is not empty"),
    ("p(99) < 500ms", "speed < 5s", "speed", "unknown metric 'speed'"),
    ("p(99) < 500ms", "P(99) < 500ms", "P(99)", "unknown metric 'P'"),
    ("p(99) < 500ms", "p99 < 500ms", "99 < 500", "no usable quantile"),
    ("p(99) < 500ms", "p(100) < 500ms", "100) <", "every answer is 'max'"),
    ("p(99) < 500ms", "p(0) < 500ms", "0) <", "no usable quantile: 0"),
    ("p(99) < 500ms", "p(99.9.9) < 500ms", "99.9.9)", "'99.9.9' is not a number"),
    ("p(99) < 500ms", "p(99 < 500ms", "< 500ms", "'<' instead of ')'"),
    ("p(99) < 500ms", "p(99) 500ms", "500ms", "'500' instead of an operator .. expected < or <="),
    ("p(99) < 500ms", "p(99) = 500ms", "= 500ms", "'=' instead of an operator"),
    ("p(99) < 500ms", "p(99) > 500ms", "> 500ms", "p cannot be compared with '>' .. expected < or <="),
    ("p(99) < 500ms", "p(99) <", '"\nwarn', "the end is not a number"),
    ("p(99) < 500ms", "p(99) < -5ms", "-5ms", "'-' is not a number"),
    ("p(99) < 500ms", "p(99) < 1.2.3s", "1.2.3s", "'1.2.3' is not a number"),
    ("p(99) < 500ms", "p(99) < 500", '500"', "p cannot be compared with 500 .. expected a time"),
    ("p(99) < 500ms", "p(99) < 5%", "5%", "p cannot be compared with 5% .. expected a time such as 500ms"),
    ("p(99) < 500ms", "p(99) < 5d", 'd"\nwarn', "unknown unit 'd'"),
    ("p(99) < 500ms", "p(99) < 500ms and more", "and more", "'and' after a whole objective"),
    ("p(99) < 500ms", "p(99) < 0ms", "0ms", "this can never pass"),
    ("p(99) < 500ms", "p(99) <= 0s", "0s", "this can never pass"),
    (
        "p(99) < 500ms",
        "rate < 1%",
        "rate < 1%",
        "sli 'latency' cannot be judged by 'rate < 1%'; expected p(q)",
    ),
    ("p(99) < 500ms", "max < 50%", "50%", "expected p(q) or max with a time"),
    ("p(99) < 500ms", "max > 1s", "> 1s", "small values are good here; expected < or <="),
    ("rate < 0.1%", "rate < 100%", "100%", "can never be exceeded .. expected a share below 100%"),
    ("rate < 0.1%", "rate <= 0%", "0%", "this can never pass .. expected a share above 0%"),
    ("rate < 0.1%", "rate baseline < 10%", "10%", "'10' instead of '+' .. expected a change"),
    ("rate < 0.1%", "rate(5) < 1%", "(5)", "rate takes no quantile"),
    ("recovery < 30s", "recovery >= 3s", ">= 3s", "recovery cannot be compared with '>='"),
    ("recovery < 30s", "recovery <= 0s", "0s", "this can never pass"),
    ("max < 50%", "max >= 0%", "0%", "this can never fail .. expected a limit above zero"),
    ("max < 50%", "count == 0.5", "0.5", "count cannot be 0.5 .. expected a whole number"),
    (
        "baseline <= +10%",
        "baseline <= 10%",
        "10%",
        "'10' instead of '+' .. expected a change from the baseline",
    ),
    ("baseline <= +10%", "baseline <= -10%", "-10%", "'-' instead of '+'"),
    ("baseline <= +10%", "baseline <= +10ms", "ms", "'ms' instead of '%'"),
    ("baseline <= +10%", "baseline <= +0%", "+0%", "no change at all cannot be asked for"),
    ("baseline <= +10%", "baseline >= -10%", ">= -10%", "p cannot be compared with '>='"),
    ("p(99) baseline", "baseline p(99)", "baseline p", "unknown metric 'baseline'"),
    ("p(99) baseline", "p(99) basline", "basline", "'basline' instead of an operator"),
]


@pytest.mark.parametrize(("old", "new", "needle", "words"), EXPRESSIONS)
def test_an_expression_is_refused_at_its_column(old, new, needle, words):
    """The refusal points at the word inside the text of the TOML file, and says what was expected there."""
    text = changed(OBJECTIVES, old, new)
    said = _refusal(text)
    where = place(text, needle, text.index(new))
    assert said.startswith(f"x.toml:{where}: "), said
    assert all(part in said for part in (*words.split(" .. "), "; expected ")), said


TABLES = [
    ("[[objective]]", "title = 1\n[[objective]]", "title", "unknown table or key 'title'; expected only"),
    ('id = "latency"', "x = 1", 1, "objective number 1 has no 'id'; expected a key 'id'"),
    ('id = "latency"', 'id = "Latency"', "Latency", "id 'Latency'; expected lower-case words"),
    ('id = "latency"', "id = 3", "3\nsli", "id 3; expected a text that is not empty"),
    ('id = "errors"', 'id = "latency"', 'latency"\nsli = "errors"', "id 'latency' again, first in line 1"),
    ('sli = "latency"', 'sli = "speed"', "speed", "sli 'speed'; expected one of a"),
    ('sli = "latency"', "sli = [1]", "[1]", "sli [1]; expected one of"),
    ('phase = "steady"', 'phase = "calm"', "calm", "phase 'calm'; expected one of steady, fault"),
    (
        'phase = "fault"',
        'phase = "steady"',
        'steady"\noperations = ["@w',
        "cannot be judged in phase 'steady'",
    ),
    (
        'operations = ["@api"]\n',
        "",
        13,
        "has no 'operations'; expected a key 'operations', which sli 'errors'",
    ),
    ('["@api", "search"]', "[]", "[]", "operations []; expected a list of slugs or @groups"),
    ('["@api", "search"]', '"@api"', '@api"\nexpr', "operations '@api'; expected a list of"),
    ('["@api", "search"]', '["@api", "a.b"]', "a.b", "operations names 'a.b'; expected slugs or @groups"),
    ('["@api", "search"]', '["a", "a"]', 'a"]\nexpr', "operations names 'a' twice; expected each name once"),
    ('"p(99) < 400ms"', '"p(50) < 400ms"', "p(50)", "warn 'p(50) < 400ms' is about something else"),
    (
        '"p(99) < 400ms"',
        '"p(99) < 600ms"',
        "600ms",
        "is not tighter than 'p(99) < 500ms'; expected a limit below",
    ),
    ('"p(99) < 400ms"', '"p(99) < 500ms"', '500ms"\nholds', "is not tighter"),
    ('"p(99) < 1s"', '"p(99) baseline < +5%"', "p(99) baseline < ", "is about something else"),
    ("min_samples = 300", "min_samples = 0", "0\nbasis", "min_samples 0; expected a whole number"),
    ("min_samples = 300", "min_samples = true", "true\nbasis", "min_samples True; expected a whole number"),
    (
        "min_samples = 300",
        "min_samples = 298",
        "298",
        "298 samples never decide 'p(99) < 500ms'; expected at least 299",
    ),
    ("min_samples = 300", "colour = 3", "colour", "unknown key 'colour' for sli 'latency'; expected one of"),
    ("min_samples = 300", "each = true", "each", "unknown key 'each' for sli 'latency'"),
    (
        "min_samples = 300",
        'clock = "removal"',
        'clock = "removal"\nbasis',
        "unknown key 'clock' for sli 'latency'",
    ),
    ("min_samples = 300", "blocks = false", "blocks = false", "'blocks' of a documented objective"),
    ('basis = "documented"', 'basis = "rumour"', "rumour", "basis 'rumour'; expected one of documented"),
    (
        'basis = "documented"',
        'basis = "baseline"',
        "< 500ms",
        "'p(99) < 500ms' has no baseline, which its basis",
    ),
    ('basis = "baseline"', 'basis = "documented"', None, "which asks for a baseline; expected 'baseline'"),
    (
        'basis = "baseline"',
        'basis = "baseline"\nholds = "p(99) baseline < +5%"',
        None,
        "no baseline is known before",
    ),
    ('note = "chosen"\n', "", 'derived"', "derived objective 'errors' has no 'note'; expected a note"),
    ("blocks = true", "blocks = 1", "1\nnote", "blocks 1; expected true or false"),
    (
        '< 0.1%"\nbasis = "derived"\nblocks = true',
        'baseline < +10%"\nbasis = "baseline"\neach = true',
        "each",
        "no baselines",
    ),
    ("blocks = true", "each = 1", "1\nnote", "each 1; expected true or false"),
    (SOURCE, 'source = "f.txt"', "f.txt", "no usable source; expected source = { file"),
    ('quote = "q"', 'quote = ""', "{ file", "no usable source"),
    ('against = "errors"', 'against = "connections"', 'connections"\nclock', "expected an errors"),
    ('against = "errors"', "against = 3", "3\nclock", "against 3; expected an errors"),
    ("blocks = true", "blocks = true\neach = true", 'errors"\nclock', "against 'errors'; expected an errors"),
    ('against = "errors"\n', "", 24, "has no 'against'"),
    ('clock = "removal"', 'clock = "wall"', "wall", "clock 'wall'; expected one of absorption, removal"),
    ('"AWS/RDS.DatabaseConnections"', '"DatabaseConnections"', "DatabaseConnections", "numerator names"),
    ('parameter = "max_connections"', 'reduce = "sum"', 'sum"\ndim', "reduce 'sum' contradicts 'max < 50%'"),
    (
        'parameter = "max_connections"',
        'parameter = "m"\ndenominator = ["a.b"]',
        "parameter",
        "both 'denominator' and 'parameter'; expected one of them",
    ),
    (
        '{ Role = "WRITER" }',
        "{ Role = 3 }",
        "{ Role = 3",
        "dimensions {'Role': 3}; expected a table of texts",
    ),
]


@pytest.mark.parametrize(("old", "new", "needle", "words"), TABLES)
def test_a_table_is_refused_where_it_is_wrong(old, new, needle, words):
    """File, line and column of the key or value; the line of the table for what is missing."""
    text = changed(OBJECTIVES, old, new)
    said = _refusal(text)
    where = needle if isinstance(needle, int) else needle and place(text, needle)
    assert said.startswith(f"x.toml:{where}: " if where else "x.toml:"), said
    assert all(part in said for part in (*words.split(" .. "), "; expected ")), said


WHOLE = [
    ("", "x.toml: no objectives; expected at least one [[objective]] table"),
    ("objective = 3", "x.toml: no objectives; expected"),
    ("objective = [3]", "x.toml: no objectives; expected"),
    ("a = [", "x.toml:1: not TOML"),
    ("[[objective]]\nid = latency", "x.toml:2:6: not TOML"),
    ("[[objective]]\nid = 'a'\nid = 'b'\nsli = 'c'", "x.toml:3:9: not TOML: Cannot overwrite a value"),
    ("[[objective]\nid = 'a'", "x.toml:1:12: not TOML"),
    ("\x00", "x.toml:1:1: not TOML"),
    ("a = " + "[" * 100_000, "x.toml: nested too deeply"),
]


@pytest.mark.parametrize(("text", "words"), WHOLE)
def test_a_file_that_is_none(text, words):
    """No TOML, or TOML without an objective."""
    assert words in _refusal(text)


OTHERS = [
    (
        AVAILABILITY,
        "value >= 99.9%",
        "value < 0.1%",
        "< 0.1%",
        "great values are good here; expected > or >=",
    ),
    (AVAILABILITY, "value >= 99.9%", "value >= 100%", "100%", "can never be shown: it is about a share"),
    (AVAILABILITY, "value >= 99.9%", "value >= 0%", "0%", "this can never fail"),
    (AVAILABILITY, "value >= 99.9%", "value >= 99.9", "99.9", "expected value with a ratio such as 0.1%"),
    (AVAILABILITY, "value >= 99.9%", "value baseline >= -100%", "-100%", "this can never fail"),
    (AVAILABILITY, 'basis = "doc', 'min_samples = 2994\nbasis = "doc', "2994", "expected at least 2995"),
    (
        AVAILABILITY,
        'basis = "doc',
        'warn = "value >= 99.5%"\nbasis = "doc',
        "99.5%",
        "expected a limit above that one",
    ),
    (HITS, "value > 80%", "value > 100%", "100%", "can never be shown: it is about a share"),
    (HITS, "value > 80%", "value <= 100%", "100%", "can never fail: it is about a share"),
    (HITS, "value > 80%", "value > 80ms", "80ms", "value cannot be compared with 80ms .. expected a ratio"),
    (HITS, 'basis = "doc', 'min_samples = 5\nbasis = "doc', "5\n", "5 samples never decide"),
    (LEDGER, "count == 0", "count >= 1", ">= 1", "small values are good here; expected < or <=, or == 0"),
    (LEDGER, "count == 0", "count == 1", "== 1", "small values are good here"),
    (LEDGER, "count == 0", "count < 0", "0", "this can never pass"),
    (LEDGER, "count == 0", "count >= 0", "0", "this can never fail"),
    (LEDGER, "count == 0", "count baseline <= +5%", "baseline", "count has no baseline"),
    (LEDGER, "count == 0", "count == 0%", "0%", "count cannot be compared with 0% .. expected a bare number"),
    (
        LEDGER,
        'basis = "doc',
        'warn = "count == 0"\nbasis = "doc',
        'count == 0"\nbasis',
        "nothing comes before",
    ),
    (
        LEDGER,
        '["invoices"]',
        '["Invoices"]',
        "Invoices",
        "sets names 'Invoices'; expected names of ledger sets",
    ),
    (LEDGER, 'phase = "all"', 'phase = "steady"', "steady", "cannot be judged in phase 'steady'"),
    (LEDGER, 'sets = ["invoices"]', 'operations = ["@api"]', "operations", "unknown key 'operations'"),
    (SESSIONS, "value >= 100", "value <= 100", "<= 100", "great values are good here"),
]


@pytest.mark.parametrize(("good", "old", "new", "needle", "words"), OTHERS)
def test_combinations_that_cannot_be_meant(good, old, new, needle, words):
    """Sides, shares, samples and units that a kind cannot have; the unbroken table is fine."""
    assert loads(good, "x.toml")
    text = changed(good, old, new)
    said = _refusal(text)
    assert said.startswith(f"x.toml:{place(text, needle, text.index(new))}: "), said
    assert all(part in said for part in (*words.split(" .. "), "; expected ")), said


def test_the_same_question_twice():
    """Also with another id, warning or order of operations; a promise about another fault is another."""
    first = OBJECTIVES.split("\n\n", 1)[0]
    twin = first.replace('id = "latency"', 'id = "twin"').replace('"@api", "search"', '"search", "@api"')
    twin = twin.replace('warn = "p(99) < 400ms"\n', "").replace("p(99) < 500ms", "p(99)<0.5s")
    assert "x.toml:55: 'twin' asks what 'latency' asks in line 1" in _refusal(f"{OBJECTIVES}\n{twin}")
    recovery = OBJECTIVES.split("\n\n")[2].replace('id = "failover"', 'id = "other"')
    assert "'other' asks what 'failover' asks" in _refusal(f"{OBJECTIVES}\n{recovery}")
    other = recovery.replace('quote = "q"', 'quote = "about readers"')
    assert loads(f"{OBJECTIVES}\n{other}", "x.toml")


def test_operations_that_nobody_sends():
    """Where it is known what is sent, a slip of the pen is found at its column."""
    said = _refusal(OBJECTIVES, known={"@api", "@write", "serach"})
    assert said == (
        f"x.toml:{place(OBJECTIVES, 'search')}: operations names 'search', which is not sent; "
        "expected one of @api, @write, serach"
    )
    assert loads(OBJECTIVES, "x.toml", known={"@api", "@write", "search"})


def test_escapes_before_the_column():
    """What the file says counts, not what the text says."""
    text = changed(OBJECTIVES, '"p(99) < 500ms"', r'"p(99) \u003c 500\u006ds!"')
    assert _refusal(text).startswith(f"x.toml:{place(text, '!')}: '!' after a whole objective")
    text = changed(OBJECTIVES, '"p(99) < 500ms"', "'p(99) < 500ms!'")
    assert _refusal(text).startswith(f"x.toml:{place(text, '!')}: ")


@pytest.mark.parametrize("content", [b"\xff\xfe", b'[[objective]]\nid = "\xe9"\n'])
def test_a_file_that_is_not_text(tmp_path, content):
    """Bytes of another encoding."""
    path = tmp_path / "x.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"x\.toml: cannot be read \(.*no UTF-8\); expected"):
        load(path)


def test_a_folder_instead_of_a_file(tmp_path):
    """Said with its path."""
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path)
