from pathlib import Path

import pytest

from slo.errors import ConfigError
from slo.kind import kinds
from slo.objective import load, loads, thresholds

SOURCE = 'source = { file = "f.txt", heading = "h", quote = "q" }'
GOOD = f"""[[objective]]
id = "latency"
sli = "latency"
phase = "steady"
operations = ["@api", "search"]
expr = "p(99) < 500ms"
warn = "p(99) < 400ms"
holds = "p(99) < 1s"
min_samples = 300
basis = "documented"
{SOURCE}

[[objective]]
id = "errors"
sli = "errors"
phase = "steady"
operations = ["@api"]
expr = "rate < 0.1%"
basis = "derived"
blocks = true
note = "chosen"
{SOURCE}

[[objective]]
id = "failover"
sli = "recovery"
phase = "fault"
operations = ["@write"]
expr = "recovery < 30s"
against = "errors"
clock = "removal"
basis = "documented"
{SOURCE}

[[objective]]
id = "connections"
sli = "metric"
phase = "steady"
expr = "max < 50%"
numerator = ["AWS/RDS.DatabaseConnections"]
parameter = "max_connections"
dimensions = {{ Role = "WRITER" }}
basis = "documented"
{SOURCE}
"""


def test_a_good_file():
    """Everything that may be said, with the line of each table."""
    latency, errors, failover, connections = loads(GOOD, "x.toml")
    assert (latency.line, errors.line, failover.line, connections.line) == (1, 13, 24, 35)
    assert (latency.warn.limit, latency.holds.limit, latency.min_samples) == (0.4, 1.0, 300)
    assert latency.decides
    assert errors.decides
    assert failover.against.id == "errors"
    assert failover.clock == "removal"
    assert connections.reduce == "max"
    assert connections.dimensions == (("Role", "WRITER"),)
    assert latency.source.heading == "h"


def _with(old, new, text=GOOD):
    assert old in text
    return text.replace(old, new, 1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "x.toml: no objectives; expected at least one [[objective]] table"),
        ("objective = 3", "x.toml: no objectives; expected"),
        ("a = [", "not TOML"),
        (
            _with("[[objective]]", "title = 1\n[[objective]]"),
            "x.toml:1: unknown table or key 'title'; expected only",
        ),
        (_with('id = "latency"', "x = 1"), "x.toml:1: objective number 1 has no 'id'; expected a key 'id'"),
        (_with('id = "latency"', 'id = "Latency"'), "x.toml:2: id 'Latency'; expected lower-case words"),
        (_with('id = "latency"', "id = 3"), "x.toml:2: id 3; expected a text that is not empty"),
        (
            _with('id = "errors"', 'id = "latency"'),
            "x.toml:14: id 'latency' again, first in line 1; expected",
        ),
        (
            _with('sli = "latency"', 'sli = "speed"'),
            "x.toml:3: sli 'speed'; expected one of attainment, availability",
        ),
        (
            _with('phase = "steady"', 'phase = "calm"'),
            "x.toml:4: phase 'calm'; expected one of steady, fault",
        ),
        (_with('phase = "fault"', 'phase = "steady"'), "cannot be judged in phase 'steady'; expected fault"),
        (
            _with('operations = ["@api"]\n', ""),
            "has no 'operations'; expected a key 'operations', which sli 'errors'",
        ),
        (_with('["@api", "search"]', "[]"), "x.toml:5: operations []; expected a list of slugs or @groups"),
        (
            _with('["@api", "search"]', '["a.b"]'),
            "x.toml:5: operations names 'a.b'; expected slugs or @groups",
        ),
        (_with('["@api", "search"]', '["a", "a"]'), "x.toml:5: operations names something twice; expected"),
        (_with("p(99) < 500ms", "p(99) < 500"), "x.toml:6: p cannot be compared with 500; expected a time"),
        (
            _with("p(99) < 500ms", "rate < 1%"),
            "x.toml:6: sli 'latency' cannot be judged by 'rate < 1%'; expected p in s",
        ),
        (
            _with('"p(99) < 400ms"', '"p(50) < 400ms"'),
            "x.toml:7: warn 'p(50) < 400ms' is about something else",
        ),
        (_with("min_samples = 300", "min_samples = 0"), "x.toml:9: min_samples 0; expected a whole number"),
        (
            _with("min_samples = 300", "min_samples = true"),
            "x.toml:9: min_samples True; expected a whole number",
        ),
        (
            _with("min_samples = 300", "colour = 3"),
            "x.toml:9: unknown key 'colour' for sli 'latency'; expected one of",
        ),
        (_with("min_samples = 300", 'clock = "removal"'), "x.toml:9: unknown key 'clock' for sli 'latency'"),
        (
            _with('basis = "documented"', 'basis = "rumour"'),
            "x.toml:10: basis 'rumour'; expected one of documented",
        ),
        (_with('note = "chosen"\n', ""), "derived objective 'errors' has no 'note'; expected a note"),
        (_with("blocks = true", "blocks = 1"), "blocks 1; expected true or false"),
        (_with(SOURCE, 'source = "f.txt"'), "x.toml:11: no usable source; expected source = { file"),
        (_with('quote = "q"', 'quote = ""'), "x.toml:11: no usable source"),
        (
            _with('against = "errors"', 'against = "connections"'),
            "x.toml:30: against 'connections'; expected an errors",
        ),
        (_with('against = "errors"\n', ""), "has no 'against'"),
        (
            _with('clock = "removal"', 'clock = "wall"'),
            "x.toml:31: clock 'wall'; expected one of absorption, removal",
        ),
        (
            _with('"AWS/RDS.DatabaseConnections"', '"DatabaseConnections"'),
            "numerator names 'DatabaseConnections'",
        ),
        (
            _with('parameter = "max_connections"', 'reduce = "sum"'),
            "reduce 'sum' contradicts 'max < 50%'; expected 'max'",
        ),
        (
            _with('parameter = "max_connections"', 'parameter = "m"\ndenominator = ["a.b"]'),
            "both 'denominator' and 'parameter'; expected one of them",
        ),
        (_with('{ Role = "WRITER" }', "{ Role = 3 }"), "dimensions {'Role': 3}; expected a table of texts"),
        (
            GOOD + GOOD.split("\n\n", 1)[0].replace('"latency"\nsli', '"twin"\nsli'),
            "'twin' asks what 'latency' asks",
        ),
    ],
)
def test_refusals(text, message):
    """Each one names file, line and what was expected."""
    with pytest.raises(ConfigError) as caught:
        loads(text, "x.toml")
    assert message in str(caught.value)


def test_a_missing_file():
    """Said with its path."""
    with pytest.raises(ConfigError, match=r"gone\.toml: cannot be read"):
        load(Path("gone.toml"))


def test_thresholds_to_count():
    """By operation: the limits of its latency objectives, their warnings and gates."""
    operations = {"matter_read": ["api"], "search": ["api", "search"], "logo": ["static"]}
    assert thresholds(loads(GOOD, "x"), operations) == {
        "matter_read": [0.4, 0.5, 1.0],
        "search": [0.4, 0.5, 1.0],
    }


SHIPPED = load(Path(__file__).parents[2] / "slo" / "targets" / "lexohub.toml")


def test_every_kind_declares_itself():
    """Each file of slo/sli/ has a shape and a judge, and its shape's forms exist in the language."""
    assert {"latency", "errors", "metric", "recovery", "lost_writes"} <= kinds().keys()
    for name, kind in kinds().items():
        assert kind.SHAPE.forms, name
        assert callable(kind.judge), name
        assert kind.__doc__, name


def test_lexohub_states_every_documented_figure():
    """Figures and mechanisms of the document, by id."""
    ids = {one.id for one in SHIPPED}
    wanted = """
        latency-p50 latency-p99 throughput concurrent-users error-rate error-rate-recovered uptime
        cache-hit db-connections db-connections-fault mttr failover backup-recovery search-rate
        search-latency pdf-rate pdf-complete documents redis cdn db-load counts-ttl matter-ttl alarm
        consumers batch read-replicas isolation workflow no-lost-write no-duplicate-write attainment
    """
    assert set(wanted.split()) <= ids


@pytest.mark.parametrize("one", SHIPPED, ids=lambda one: one.id)
def test_lexohub_objectives_have_a_source_and_derived_ones_a_reason(one):
    """Nothing in the file is without its origin."""
    assert one.source.file == "000_9308850b2569211d.txt"
    assert len(one.source.quote) > 8
    if one.basis == "derived":
        assert len(one.note) > 20
