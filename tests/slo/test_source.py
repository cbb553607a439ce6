import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slo.source import key_place, line_of, value_place

TOML = '''title = "x"
# [not.a.table]
[environment]
name = "local"   # comment
text = """
name = "inside a text"
"""
urls.api = "u"

[[objective]]
id = "a"
source = { file = "f" }
  [objective.more]
  deep = 1

[[objective]]
id = "b"
[ "quoted.table" . 'x' ]
key = [
  1,
]
'''
JSON = """{
  "a": {"b": [1,
    {"c": "x: {y}", "d": 2}
  ]},
  "e\\"f": [[1, 2],
    [3]]
}"""


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("title",), 1),
        (("environment",), 3),
        (("environment", "name"), 4),
        (("environment", "urls", "api"), 8),
        (("environment", "urls", "gone"), 3),
        (("objective", 0), 10),
        (("objective", 0, "id"), 11),
        (("objective", 0, "source", "file"), 12),
        (("objective", 0, "more", "deep"), 14),
        (("objective", 1, "id"), 17),
        (("objective", 1, "missing"), 16),
        (("quoted.table", "x", "key"), 19),
        (("nothing",), 1),
        ((), 1),
    ],
)
def test_lines_of_toml(path, line):
    """Keys, tables and arrays of tables; what is not spelled out gets its parent's line."""
    assert line_of(TOML, path) == line


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("a",), 2),
        (("a", "b", 0), 2),
        (("a", "b", 1), 3),
        (("a", "b", 1, "c"), 3),
        (("a", "b", 1, "d"), 3),
        (("a", "b", 2), 2),
        (('e\\\\"f'.replace("\\\\", "\\"), 1, 0), 6),
        (("z",), 1),
    ],
)
def test_lines_of_json(path, line):
    """Objects and lists by nesting; braces inside texts do not count."""
    assert line_of(JSON, path) == line


VALUES = r'''# a = 0
points = [
  [0, 100], # [9, 9]
  ["x]", 'y', { inner = "#" }],
]
  after = "a\"b\u0041c" # "d"
plain = 'it''s'
long = """
x"""
[t]
empty = []
dotted . key = { a = { b = [1, "two"] }, c = 3 }
[[list]]
x = 1
[[list]]
x = 2
'''


@pytest.mark.parametrize(
    ("path", "key", "value"),
    [
        (("points",), (2, 1), (2, 10)),
        (("points", 0, 1), (3, 7), (3, 7)),
        (("points", 1), (4, 3), (4, 3)),
        (("points", 1, 0), (4, 4), (4, 5)),
        (("points", 1, 2, "inner"), (4, 17), (4, 26)),
        (("after",), (6, 3), (6, 12)),
        (("plain",), (7, 1), (7, 10)),
        (("long",), (8, 1), (8, 8)),
        (("t",), (10, 0), (10, 0)),
        (("t", "empty"), (11, 1), (11, 9)),
        (("t", "dotted", "key", "a", "b", 1), (12, 32), (12, 33)),
        (("t", "dotted", "key", "c"), (12, 42), (12, 46)),
        (("list", 1, "x"), (16, 1), (16, 5)),
        (("list", 1, "gone"), (15, 0), (15, 0)),
        (("nowhere",), (1, 0), (1, 0)),
    ],
)
def test_columns_of_toml(path, key, value):
    """Keys, values, items of lists and keys of inline tables; no column for what is not spelled out."""
    found = key_place(VALUES, path), value_place(VALUES, path)
    assert [(one.line, one.column) for one in found] == [key, value]


def test_a_character_of_a_text():
    """Escapes before it are as long as they are written."""
    found = value_place(VALUES, ("after",), 4)
    assert VALUES.splitlines()[found.line - 1][found.column - 1] == "c"


def test_columns_of_json_are_not_known():
    """Lines are."""
    found = value_place(JSON, ("a", "b", 1, "d"))
    assert (found.line, found.column) == (3, 0)


@given(st.text(alphabet="[]{}=\"'#\\,.ab1 \n", max_size=40))
@settings(derandomize=True, deadline=None, max_examples=60)
def test_a_text_that_is_no_toml_is_no_trouble(text):
    """Places are asked for only after a parser has agreed, but nothing else breaks."""
    assert line_of(text, ("a", 0, "b")) >= 1
    assert value_place(text, ("a",), 0).line >= 1
