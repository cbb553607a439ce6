from pathlib import Path

import pytest

from slo.errors import ConfigError
from slo.kind import kinds
from slo.objective import load, loads, thresholds
from tests.slo.malformed.samples import OBJECTIVES


def test_a_good_file():
    """Everything that may be said, with the line of each table."""
    latency, errors, failover, connections, regression = loads(OBJECTIVES, "x.toml")
    lines = (latency.line, errors.line, failover.line, connections.line, regression.line)
    assert lines == (1, 13, 24, 35, 46)
    assert (latency.warn.limit, latency.holds.limit, latency.min_samples) == (0.4, 1.0, 300)
    assert latency.decides
    assert errors.decides
    assert failover.against.id == "errors"
    assert failover.clock == "removal"
    assert connections.reduce == "max"
    assert connections.dimensions == (("Role", "WRITER"),)
    assert latency.source.heading == "h"
    assert (regression.basis, regression.expr.relative, regression.expr.limit) == ("baseline", True, 0.1)
    assert not errors.each


def test_each_and_prices():
    """The keys of single kinds."""
    text = OBJECTIVES.replace("blocks = true", "each = true")
    text = text.replace('against = "errors"', 'against = "latency"')
    assert loads(text, "x.toml")[1].each


def test_a_missing_file():
    """Said with its path."""
    with pytest.raises(ConfigError, match=r"gone\.toml: cannot be read"):
        load(Path("gone.toml"))


def test_thresholds_to_count():
    """By operation: the limits of its latency objectives, their warnings and gates; a baseline has none."""
    operations = {"matter_read": ["api"], "search": ["api", "search"], "logo": ["static"]}
    assert thresholds(loads(OBJECTIVES, "x"), operations) == {
        "matter_read": [0.4, 0.5, 1.0],
        "search": [0.4, 0.5, 1.0],
    }


SHIPPED = load(Path(__file__).parents[2] / "slo" / "targets" / "lexohub.toml")


def test_every_kind_declares_itself():
    """Each file of slo/sli/ has a shape and a judge, and its shape's forms exist in the language."""
    assert {"latency", "errors", "metric", "recovery", "lost_writes"} <= kinds().keys()
    for name, kind in kinds().items():
        assert kind.SHAPE.forms, name
        assert kind.SHAPE.side in ("", "below", "above"), name
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
