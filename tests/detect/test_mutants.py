import pytest

from detect.mutants import count, make

CASES = [
    ("x = a < b", ["a < b -> a <= b"]),
    ("x = a >= b", ["a >= b -> a > b"]),
    ("x = a == b != c", ["a == b != c -> a != b != c", "a == b != c -> a == b == c"]),
    ("x = a in b", ["a in b -> a not in b"]),
    ("x = a is None", ["a is None -> a is not None"]),
    ("x = a and b", ["a and b -> a or b"]),
    ("x = not a", ["not a -> not not a"]),
    ("x = a + b * c", ["a + b * c -> a - b * c", "b * c -> b / c"]),
    ("x -= y", ["x -= y -> x += y"]),
    ("x = -y", ["-y -> +y"]),
    ("x = 3", ["3 -> 4"]),
    ("x = 0.5", ["0.5 -> 0.75"]),
    ("x = 0.0", ["0.0 -> 1.0"]),
    ("x = True", ["True -> False"]),
    ("x = min(a, b)", ["min(a, b) -> max(a, b)"]),
    ("x = a if b else c", ["if not b"]),
    ("x = [a for a in b if a]", ["if not a"]),
    ("if a:\n    b()", ["if not a"]),
    ("while a:\n    b()", ["if not a"]),
    ("def f(a=1):\n    b()\n    return c", ["f returns at once", "1 -> 2"]),
]
LEFT_ALONE = [
    '"""A docstring."""',
    "def f(a: int | None) -> tuple[float, 1]:\n    return a",
    "x: list[3]",
    "raise E(1 + 2)",
    "x = f'{a + b:.3g}'",
    "if TYPE_CHECKING:\n    import a",
    "x = a | b",
    "x = 'text'",
    "@decorated(1)\ndef f():\n    return a",
]


@pytest.mark.parametrize(("source", "changes"), CASES)
def test_every_change_and_no_other(source: str, changes: list[str]) -> None:
    """One mutant each; its text is a module that differs from the original."""
    found = [make(source, number, file="m.py") for number in range(count(source))]
    assert [one.change for one in found] == changes
    plain = make("x = 1", 0, file="m.py").text
    assert plain == "x = 2\n"
    for one in found:
        compile(one.text, "m.py", "exec")
        assert " ".join(one.text.split()) != " ".join(source.split())


@pytest.mark.parametrize("source", LEFT_ALONE)
def test_wording_and_types_are_left_alone(source: str) -> None:
    """No test of a verdict could notice them."""
    assert count(source) == 0


def test_a_mutant_knows_its_place() -> None:
    """File, line of the original, and the function around it."""
    source = '"""m"""\n\nclass C:\n    def f(self, a):\n        """d"""\n        return a > 1\n'
    one = make(source, 0, file="slo/m.py")
    assert (one.file, one.line, one.function, one.change) == ("slo/m.py", 6, "C.f", "a > 1 -> a >= 1")


def test_an_early_return_stands_after_the_docstring() -> None:
    """So the function does nothing at all."""
    one = make('def f():\n    """d"""\n    a()\n    return b\n', 0, file="m.py")
    scope: dict[str, object] = {}
    exec(one.text, scope)
    assert scope["f"]() is None  # type: ignore[operator]
