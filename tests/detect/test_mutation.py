from functools import partial
from pathlib import Path
from threading import Event

import pytest

from detect import mutation
from detect.errors import DetectError, SetupError
from detect.mutants import Mutant, count, make
from detect.mutation import ARGUED, KILLED, SURVIVED, Trial
from detect.nearest import tests_of as nearest

SOURCE = "def sign(x):\n    return 1 if x > 0 else -1\n"
PASSES = partial(mutation._passes, stop=Event(), limit_s=60.0)
STRICT = "from slo.sign import sign\n\n\ndef test_sign():\n    assert (sign(2), sign(-2)) == (1, -1)\n"


@pytest.fixture
def room(tmp_path: Path) -> Path:
    """A workspace with one module of the judge and one test of it, which does not look at 0."""
    for name, text in {
        "slo/__init__.py": "",
        "slo/sign.py": SOURCE,
        "slo/kind.py": "import slo.sli\n",
        "slo/sli/__init__.py": "",
        "slo/sli/one.py": "from slo.sign import sign\n",
        "tests/__init__.py": "",
        "tests/helper.py": "import slo.kind\n",
        "tests/slo/__init__.py": "",
        "tests/slo/test_sign.py": STRICT,
        "tests/slo/test_other.py": "import tests.helper\n\n\ndef test_other():\n    assert tests.helper\n",
        "pytest.ini": "[pytest]\npythonpath = .\naddopts = -q -x\n",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def test_a_module_is_tried_with_the_tests_that_import_it(room: Path) -> None:
    """Themselves or through a helper; then with those that reach it, kinds by their folder."""
    found = nearest(room)
    sign, other = ("tests/slo/test_sign.py",), ("tests/slo/test_other.py",)
    assert found.of("slo/sign.py") == [sign, other]
    assert found.of("slo/kind.py") == [other]
    assert found.of("slo/sli/one.py") == [other]
    assert found.of("slo/unknown.py") == [(*other, *sign)]


def test_killed_and_survived_are_told_apart(room: Path) -> None:
    """A changed result is killed, one that no test looks at survives; the workspace is left as it was."""
    changes = [make(SOURCE, number, file="slo/sign.py").change for number in range(count(SOURCE))]
    tests = nearest(room)
    for change, fate in (("x > 0 -> x >= 0", SURVIVED), ("-1 -> +1", KILLED)):
        assert mutation.attempt(room, "slo/sign.py", changes.index(change), tests, PASSES).fate == fate
    assert (room / "slo" / "sign.py").read_text() == SOURCE


def test_a_mutant_that_does_not_end_is_killed(room: Path) -> None:
    """In the time it is given."""
    (room / "tests" / "slo" / "test_sign.py").write_text(
        "import time\nimport slo.sign\n\n\ndef test_long():\n    time.sleep(60)\n"
    )
    hasty = partial(mutation._passes, stop=Event(), limit_s=0.5)
    tests = nearest(room)
    assert tests.of("slo/sign.py")[0] == ("tests/slo/test_sign.py",)
    assert mutation.attempt(room, "slo/sign.py", 0, tests, hasty).fate == KILLED


def test_tests_that_fail_unchanged_prove_nothing(room: Path) -> None:
    """They would kill every mutant."""
    (room / "tests" / "slo" / "test_sign.py").write_text("def test_sign():\n    assert False\n")
    with pytest.raises(DetectError, match="fail without any change"):
        mutation._sound(room, nearest(room))


def test_the_sample_visits_every_mutant_once(room: Path) -> None:
    """In an order that the seed decides."""
    drawn = list(mutation.sampled(room, seed=1))
    assert sorted(drawn) == [("slo/sign.py", number) for number in range(count(SOURCE))]
    assert any(list(mutation.sampled(room, seed=seed)) != drawn for seed in range(2, 9))


def test_survivors_are_argued_with_a_reason(tmp_path: Path) -> None:
    """Only a survivor can be, and only in these words."""
    path = tmp_path / "survivors.toml"
    path.write_text(
        '[[survivor]]\nfile = "slo/a.py"\nfunction = "f"\nchange = "a < b -> a <= b"\nreason = "never"\n'
    )
    argued = mutation.arguments(path)
    one = Mutant(file="slo/a.py", line=3, function="f", change="a < b -> a <= b", text="")
    assert mutation.judged(Trial(mutant=one, fate=SURVIVED), argued).fate == ARGUED
    assert mutation.judged(Trial(mutant=one, fate=KILLED), argued).fate == KILLED
    path.write_text('[[survivor]]\nfile = "a"\nfunction = "f"\nchange = "c"\nreason = " "\n')
    with pytest.raises(SetupError, match="without a reason"):
        mutation.arguments(path)


def test_the_shipped_arguments_fit_the_sources() -> None:
    """An argument for a change that cannot be made any more is stale."""
    for file, function, change in mutation.arguments(mutation.SURVIVORS):
        source = (mutation.ROOT / file).read_text("utf-8")
        made = [make(source, number, file=file) for number in range(count(source))]
        assert (function, change) in {(one.function, one.change) for one in made}, (file, function, change)
