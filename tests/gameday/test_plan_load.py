"""The [load] table of a plan: models, stages, and refusals that name file, line and expectation."""

from __future__ import annotations

from pathlib import Path

import pytest

from gameday import plan
from gameday.errors import ConfigError

HEAD = """\
system = "lexohub"
objectives = ["latency-p99"]
least_passes = 1

[[phase]]
name = "steady"
for = "130s"

[load]
"""


def load(tmp_path: Path, text: str) -> plan.Load:
    path = tmp_path / "mine.toml"
    path.write_text(HEAD + text, "utf-8")
    return plan.load(path).load


def test_each_model_has_its_keys(tmp_path: Path) -> None:
    """Held sessions have a rate and a number, users a number and a think time, visits a chance to stay."""
    held = load(tmp_path, 'model = "sessions"\nrate = "1050/s"\nsessions = 10500\n')
    assert (held.model, held.rate, held.sessions) == ("sessions", 1050.0, 10500)
    users = load(tmp_path, 'model = "users"\nusers = 50\nthink = "1s"\n')
    assert (users.users, users.think_s, users.rate) == (50, 1.0, 0.0)
    visits = load(
        tmp_path, 'model = "partly-open"\nrate = "10/s"\nstay = 0.5\nthink = "2s"\nspacing = "poisson"'
    )
    assert (visits.stay, visits.think_s, visits.spacing, visits.max_in_flight) == (0.5, 2.0, "poisson", 600)


def test_stages_are_numbers_and_their_peak_is_the_rate(tmp_path: Path) -> None:
    """Every kind of stage arrives in seconds and requests per second."""
    found = load(
        tmp_path,
        """
[[load.stages]]
kind = "ramp"
from = "0/s"
to = "300/s"
for = "30s"

[[load.stages]]
kind = "spike"
rate = "300/s"
peak = "60000/m"
for = "1m"
hold = "10s"

[[load.stages]]
kind = "steps"
from = "300/s"
to = "100/s"
steps = 3
for = "30s"

[[load.stages]]
kind = "curve"
points = [[0, 100], [60, 250]]
scale = 2
""",
    )
    assert found.rate == 1000.0
    assert found.stages[0] == {"kind": "ramp", "from": 0.0, "to": 300.0, "for_s": 30.0}
    assert found.stages[1] == {"kind": "spike", "rate": 300.0, "peak": 1000.0, "for_s": 60.0, "hold_s": 10.0}
    assert found.stages[3]["points"] == [[0.0, 100.0], [60.0, 250.0]]


@pytest.mark.parametrize(
    ("text", "line", "expected"),
    [
        ('rate = "10/s"\nsessions = 5', 11, "sessions is for model sessions; this one is 'arrivals'"),
        ('model = "sessions"\nrate = "10/s"', 9, "sessions is None; expected a whole number from 1 up"),
        (
            'model = "users"\nusers = 5\nrate = "1/s"',
            12,
            "rate is for model arrivals or partly-open or sessions",
        ),
        ('model = "users"\nusers = 0', 11, "whole number from 1 up"),
        ('model = "partly-open"\nrate = "1/s"\nstay = 1', 12, "a probability from 0 to below 1"),
        ('rate = "1/s"\nspacing = "random"', 11, "expected one of ['even', 'poisson']"),
        ('rate = "1/s"\nthik = "1s"', 11, "unknown key 'thik'"),
        ('rate = "1/s"\nramp = "1"', 11, "'90s'"),
        ('[[load.stages]]\nkind = "wave"', 11, "expected one of ['constant', 'ramp'"),
        ('[[load.stages]]\nkind = "ramp"\nfor = "1s"', 10, "a ramp stage without 'to'"),
        ('[[load.stages]]\nkind = "constant"\nrate = "0/s"\nfor = "1s"', 10, "one above 0/s"),
        ('[[load.stages]]\nkind = "constant"\nrate = "1/s"\nfor = "1"', 13, "'90s'"),
        ('[[load.stages]]\nkind = "steps"\nfrom = "1/s"\nto = "2/s"\nsteps = 1\nfor = "1s"', 14, "from 2 up"),
        ('[[load.stages]]\nkind = "curve"\npoints = [[0, 1], [0]]', 12, "pairs [seconds, requests/s]"),
        ('[[load.stages]]\nkind = "curve"\npoints = [[5, 1], [6, 1]]', 12, "from second 0 on"),
        (
            '[[load.stages]]\nkind = "spike"\nrate = "1/s"\npeak = "2/s"\nfor = "5s"\nhold = "6s"',
            15,
            "expected no more",
        ),
        (
            'rate = "1/s"\n[[load.stages]]\nkind = "constant"\nrate = "1/s"\nfor = "1s"',
            10,
            "the stages alone",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_line(
    tmp_path: Path, text: str, line: int, expected: str
) -> None:
    """A key of another model, a stage that lacks something, a wrong number: each says what to write."""
    with pytest.raises(ConfigError) as refused:
        load(tmp_path, text)
    assert str(refused.value).startswith(f"{tmp_path / 'mine.toml'}:{line}: ")
    assert expected in str(refused.value)
