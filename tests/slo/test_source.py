import pytest

from slo.source import line_of

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
