"""Plans: what ships parses, and what cannot be meant is refused with file, line and expectation."""

from __future__ import annotations

from pathlib import Path

import pytest

from gameday import plan
from gameday.errors import ConfigError

GOOD = """\
system = "lexohub"
objectives = ["latency-p99"]
least_passes = 1

[load]
rate = "300/s"

[[phase]]
name = "steady"
for = "130s"

[[phase]]
name = "fault"
for = "60s"
experiment = "aurora-failover"
"""


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "mine.toml"
    path.write_text(text, "utf-8")
    return path


@pytest.mark.parametrize("name", plan.names())
def test_every_shipped_plan_parses(name: str) -> None:
    """A shipped plan names its system, drives something and has a steady phase."""
    found = plan.load(name)
    assert found.name == name
    assert found.objectives
    assert any(phase.name == "steady" for phase in found.phases)


def test_a_plan_is_read_whole(tmp_path: Path) -> None:
    """Rates and durations arrive as numbers, defaults are filled in."""
    found = plan.load(written(tmp_path, GOOD))
    assert (found.load.rate, found.seconds, found.experiments) == (300.0, 190.0, ("aurora-failover",))
    assert (found.load.model, found.load.timeout_s, found.policy) == ("arrivals", 10.0, "local")


@pytest.mark.parametrize(
    ("old", "new", "line", "expected"),
    [
        ('rate = "300/s"', 'rate = "300"', 6, "'300/s'"),
        ('rate = "300/s"', 'rate = "0/s"', 6, "more than zero"),
        ('rate = "300/s"', 'rate = "300/s"\nrates = 1', 7, "unknown key 'rates'"),
        ('rate = "300/s"', 'rate = "300/s"\nmodel = "opne"', 7, "arrivals"),
        ('for = "130s"', 'for = "130"', 10, "'90s'"),
        ('name = "steady"', 'name = "stead"', 9, "steady"),
        ('experiment = "aurora-failover"', 'experiment = "aurora-failovr"', 15, "aurora-failover"),
        ("least_passes = 1", "least_passes = 0", 3, "1 to 1"),
        ("least_passes = 1", "least_passes = 2", 3, "1 to 1"),
        ('["latency-p99"]', "[]", 2, "at least one id"),
        ('["latency-p99"]', '["latency-p99", "latency-p99"]', 2, "each id once"),
        ('system = "lexohub"', "system = 3", 1, "a text"),
        ('system = "lexohub"', 'system = "lexohub"\npolicy = "lax"', 2, "nightly"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_line(
    tmp_path: Path, old: str, new: str, line: int, expected: str
) -> None:
    """Every refusal names file, line and what was expected."""
    path = written(tmp_path, GOOD.replace(old, new, 1))
    with pytest.raises(ConfigError) as refused:
        plan.load(path)
    assert str(refused.value).startswith(f"{path}:{line}: ")
    assert expected in str(refused.value)


def test_a_plan_that_drives_nothing_is_refused(tmp_path: Path) -> None:
    """No phases means nothing to judge."""
    path = written(tmp_path, GOOD.split("[[phase]]", maxsplit=1)[0])
    with pytest.raises(ConfigError, match="at least a steady phase"):
        plan.load(path)


def test_a_fault_before_the_steady_state_is_refused(tmp_path: Path) -> None:
    """Without a steady phase before it, a fault has no gate."""
    head, steady, fault = GOOD.split("[[phase]]")
    path = written(tmp_path, "[[phase]]".join((head, fault, steady)))
    with pytest.raises(ConfigError, match="expected steady first"):
        plan.load(path)


def test_broken_toml_and_unknown_names_are_refused(tmp_path: Path) -> None:
    """A typo in the syntax or in the plan's name says what is there instead."""
    with pytest.raises(ConfigError, match="not TOML"):
        plan.load(written(tmp_path, "system = "))
    with pytest.raises(ConfigError, match="lexohub-local"):
        plan.load("lexohub-locl")
