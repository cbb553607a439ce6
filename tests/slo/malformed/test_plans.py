"""Plans, environments, experiments and workloads that cannot be meant: file, line, what was expected."""

import gzip
import json
from pathlib import Path

import pytest

from chaos import experiment
from chaos.errors import ChaosError
from fixtures import environment
from fixtures.errors import ConfigError, FixtureError
from fixtures.replay import workload
from gameday import plan
from gameday.check import located
from gameday.errors import GamedayError
from tests.slo.malformed.samples import changed, place

PLAN = """system = "lexohub"
policy = "local"
objectives = ["latency-p99", "error-rate"]
least_passes = 2

[load]
rate = "300/s"
seed = 7

[[phase]]
name = "steady"
for = "130s"

[[phase]]
name = "fault"
for = "60s"
experiment = "aurora-failover"
"""

# What is replaced, by what, where the refusal must point (a needle, or the line), and what it must say.
PLANS = [
    ("policy", "polcy", "polcy", "unknown key 'polcy'; expected one of"),
    ('"lexohub"', "[1]", "system", "system is [1]; expected a text"),
    (
        '"local"',
        '["local"]',
        "policy",
        "policy is ['local']; expected one of ['local', 'nightly', 'release']",
    ),
    ('["latency-p99", "error-rate"]', '"latency-p99"', "objectives", "expected a list of at least one id"),
    (
        '["latency-p99", "error-rate"]',
        '["latency-p99", 3]',
        "objectives",
        "expected a list of at least one id",
    ),
    ('"error-rate"]', '"latency-p99"]', "objectives", "listed twice: ['latency-p99']; expected each id once"),
    ("least_passes = 2", "least_passes = true", "least_passes", "least_passes is True; expected 1 to 2"),
    ("least_passes = 2", "least_passes = 2.0", "least_passes", "least_passes is 2.0; expected 1 to 2"),
    ("least_passes = 2\n", "", 1, "least_passes is None; expected 1 to 2"),
    ('[load]\nrate = "300/s"\nseed = 7', "load = 3", "load = 3", "no [load]; expected at least rate"),
    ('rate = "300/s"\n', "", "[load]", "rate: None is no rate; expected e.g. '300/s'"),
    ('"300/s"', '"-300/s"', "rate =", "'-300/s' is no rate"),
    ('"300/s"', '"NaN/s"', "rate =", "'NaN/s' is no rate"),
    ('"300/s"', f'"{"9" * 400}/s"', "rate =", "is no usable rate; expected more than zero"),
    ("seed = 7", "seed = -7", "seed", "seed is -7; expected a whole number from 0 up"),
    ("seed = 7", "seed = 7\nthink = '1s'", "think", "think is for model partly-open or users"),
    ("seed = 7", "mix = 3", "mix", "mix is None; expected a weight of 0 or more"),
    ("seed = 7", "timeout = '0s'", "timeout", "'0s' is no usable duration"),
    ('rate = "300/s"\nseed = 7', "stages = [3]", "stages", "stages is [3]; expected [[load.stages]] tables"),
    ("seed = 7", "[[load.stages]]\nkind = 'ramp'", "rate =", "both rate and stages"),
    ('rate = "300/s"\nseed = 7', "[[load.stages]]\nkind = 'rmap'", "kind", "kind is 'rmap'; expected one of"),
    (
        'rate = "300/s"\nseed = 7',
        "[[load.stages]]\nkind = 'curve'\npoints = [[0, 1], [-5, 2]]",
        "points",
        "points are not usable; expected at least two pairs",
    ),
    ('name = "steady"', 'name = "stead"', "name", "name is 'stead'; expected one of"),
    ('name = "steady"', 'name = "warmup"', "[[phase]]", "no steady phase; expected one before any fault"),
    ('name = "steady"', 'nmae = "steady"', "nmae", "unknown key 'nmae'; expected one of"),
    ('for = "130s"\n', "", "[[phase]]", "for: None is no duration"),
    ('for = "130s"', "for = 130", "for =", "for: 130 is no duration; expected e.g. '90s'"),
    (
        'for = "130s"',
        'for = "130s"\nexperiment = "noop"',
        "experiment",
        "expected an experiment in fault phases",
    ),
    (
        '"aurora-failover"',
        '"aurora-failovr"',
        "experiment",
        "no experiment 'aurora-failovr'; expected one of",
    ),
    ('"aurora-failover"', "['noop']", "experiment", "no experiment ['noop']; expected one of"),
    ('experiment = "aurora-failover"\n', "", '[[phase]]\nname = "fault"', "expected an experiment in fault"),
    ('[[phase]]\nname = "steady"', '[phase]\nname = "steady"', None, "not TOML"),
    ("policy", "= policy", None, "not TOML"),
    ('[[phase]]\nname = "steady"\nfor = "130s"\n\n', "", "[[phase]]", "no steady phase"),
]


def _refusal(path: Path, load, kinds) -> str:
    with pytest.raises(kinds) as caught:
        load(path)
    return located(caught.value)


def _points_at(said: str, path: Path, text: str, needle: str | int | None) -> bool:
    if needle is None:
        return said.startswith(f"{path}:")
    line = needle if isinstance(needle, int) else int(place(text, needle).split(":")[0])
    return said.startswith(f"{path}:{line}: ")


@pytest.mark.parametrize("content", [b"\xff\xfe", b"a = " + b"[" * 100_000, b"phase = [3]"])
def test_what_is_no_plan(tmp_path, content):
    """Bytes, brackets without end, a list where tables should be."""
    path = tmp_path / "mine.toml"
    path.write_bytes(b'system = "x"\nobjectives = ["a"]\nleast_passes = 1\nload.rate = "1/s"\n' + content)
    assert _refusal(path, plan.load, GamedayError).startswith(f"{path}:")
    assert _refusal(path, environment.load, FixtureError).startswith(f"{path}:")


@pytest.mark.parametrize(("old", "new", "needle", "words"), PLANS)
def test_plans(tmp_path, old, new, needle, words):
    """Each with its line; nothing is started."""
    path = tmp_path / "mine.toml"
    text = changed(PLAN, old, new)
    path.write_text(text, "utf-8")
    said = _refusal(path, plan.load, GamedayError)
    assert _points_at(said, path, text, needle), said
    assert words in said


LOCAL = (environment.FOLDER / "local.toml").read_text("utf-8")
ENVIRONMENTS = [
    ('kind = "region"', "kind = 3", "kind", "kind is 3; expected one of ['region', 'aws']"),
    ('kind = "region"\n', "", 1, "kind is None; expected one of"),
    ('size = "small"', "size = ''", "size", "size is ''; expected a text"),
    ('["127.0.0.1"]', '"127.0.0.1"', "allow_hosts", "expected a list of host names"),
    ('["127.0.0.1"]', '["http://127.0.0.1"]', "allow_hosts", "no wildcards or URLs"),
    ('["127.0.0.1"]', "[127]", "allow_hosts", "expected a list of host names"),
    ('"2000/s"', '"0/s"', "max_rate", "expected more than zero"),
    ('max_rate = "2000/s"\n', "", 1, "None is no rate"),
    ("time_scale = 1.0", "time_scale = nan", "time_scale", "nan; expected a number above 0"),
    ("time_scale = 1.0", "time_scale = 2", "time_scale", "2; expected a number above 0 and at most 1"),
    ("detection_s = 6.0", "detection_s = inf", "detection_s", "inf; expected a number"),
    ("detection_s = 6.0", "detection_s = '6s'", "detection_s", "'6s'; expected a number"),
    ('[urls]\napi = "region:edge"', "urls = 3", "urls = 3", "urls is 3; expected a table"),
    ('api = "region:edge"', "api = 8080", "api", "api is 8080; expected a text"),
    ('api = "region:edge"', "", "[urls]", "no [urls]; expected at least api"),
    ('api = "region:edge"', 'api = "http://10.0.0.1/"', "api", "host '10.0.0.1' is not in allow_hosts"),
    (
        'account = "123456789012"',
        "account = 123456789012",
        "account",
        "account is 123456789012; expected a text",
    ),
    ("max_connections = 100", "max_connections = 1", "max_connections", "1; expected a number above 19"),
    ("lag_ms = 0", "lag_ms = -1", "lag_ms", "-1; expected a number above -1"),
    ("documents = 20000", "documnets = 20000", "documnets", "unknown key 'documnets'"),
    ("[region]", "[region", None, "not TOML"),
]


@pytest.mark.parametrize(("old", "new", "needle", "words"), ENVIRONMENTS)
def test_environments(tmp_path, old, new, needle, words):
    """Each with its line, before any address is used."""
    path = tmp_path / "mine.toml"
    text = changed(LOCAL, old, new)
    path.write_text(text, "utf-8")
    said = _refusal(path, environment.load, FixtureError)
    assert _points_at(said, path, text, needle), said
    assert words in said


FAILOVER = (experiment.FOLDER / "lexohub" / "aurora-failover.json").read_text("utf-8")
EXPERIMENTS = [
    ("{", "", None, "not JSON"),
    ("{", '{"hypothesis": "a b c", ', None, "the key 'hypothesis' appears twice in one object"),
    (FAILOVER, "[]", None, "holds list; expected one object"),
    (FAILOVER, "3", None, "holds int; expected one object"),
    (FAILOVER, "", None, "not JSON"),
    (FAILOVER, "[" * 100_000, None, "cannot be read"),
    (
        '"stop_alarm": "customer-impact"',
        '"stop_alarm": 3',
        '"stop_alarm": 3',
        "stop_alarm is 3; expected a text",
    ),
    (
        '"stop_alarm": "customer-impact"',
        '"stop_alarm": "none"',
        '"stopConditions"',
        "expected ${env.alarms.none}",
    ),
    (
        '"source": "aws:cloudwatch:alarm"',
        '"source": "none"',
        '"source": "none"',
        "expected aws:cloudwatch:alarm",
    ),
    ('"steady_state": [', '"steady_state": [3, ', "3, ", "3 is no objective id"),
    ('"probe": "', '"probe": "no-', '"probe"', "no probe 'no-"),
    ('"observe": {', '"observe": {"every_s": 0.1, ', None, "the key 'every_s' appears twice"),
    ('"gameday": "ready"', '"gameday": "no"', '"resourceTags"', "expected at least"),
]


@pytest.mark.parametrize(("old", "new", "needle", "words"), EXPERIMENTS)
def test_experiments(tmp_path, old, new, needle, words):
    """Each with its line, before anything could be broken."""
    path = tmp_path / "lexohub" / "mine.json"
    path.parent.mkdir()
    text = changed(FAILOVER, old, new)
    path.write_text(text, "utf-8")
    said = _refusal(path, experiment.load, ChaosError)
    assert _points_at(said, path, text, needle), said
    assert words in said


HEADER = {
    "format": workload.FORMAT,
    "version": workload.VERSION,
    "source": "x.log",
    "files": 1,
    "lines": 2,
    "first": "2026-01-02T03:04:05Z",
    "span_s": 1.0,
    "requests": 2,
    "operations": [
        {"slug": "get_x", "method": "GET", "template": "/x", "count": 2, "expect": [200], "body": None,
         "content_type": ""},
    ],
    "skipped": {}, "scrubbed": {}, "resolution_s": 0.0, "seed": 1, "gap_cap_s": 0.0, "gaps": 0,
    "gaps_removed_s": 0.0, "peaks": [], "curve_bin_s": 1, "curve": [1, 1],
}  # fmt: skip
REQUESTS = "0\t0\t/x\n1000000\t0\t/x\n"
WORKLOADS = [
    ({"format": "other"}, REQUESTS, "not a gameday-workload of version 1; import the log again"),
    ({"version": 99}, REQUESTS, "not a gameday-workload of version 1"),
    ({"operations": 3}, REQUESTS, "its header is damaged"),
    ({"operations": [{"slug": "../x"}]}, REQUESTS, "its header is damaged"),
    ({"span_s": -1}, REQUESTS, "its header is damaged"),
    ({"peaks": [3]}, REQUESTS, "its header is damaged"),
    ({"requests": 3}, REQUESTS, "2 requests instead of 3; import the log again"),
    ({}, "0\t0\t/x\n", "1 requests instead of 2"),
    ({}, "5\t0\t/x\n1\t0\t/x\n", "request 2 cannot be read"),
    ({}, "0\t7\t/x\n1\t0\t/x\n", "request 1 cannot be read"),
    ({}, "0\t-1\t/x\n1\t0\t/x\n", "request 1 cannot be read"),
    ({}, "0\t0\thttp://else.example/\n1\t0\t/x\n", "request 1 cannot be read"),
    ({}, "0\t0\t/x\n1\t0\t", "request 2 cannot be read"),
    ({}, "0\t0\n", "request 1 cannot be read"),
    ({}, "nan\t0\t/x\n", "request 1 cannot be read"),
]


@pytest.mark.parametrize(("header", "requests", "words"), WORKLOADS)
def test_workloads(tmp_path, header, requests, words):
    """Told with the file's name, at the latest when the damaged request is reached."""
    path = tmp_path / "x.workload"
    path.write_bytes(gzip.compress(f"{json.dumps({**HEADER, **header})}\n{requests}".encode()))
    with pytest.raises(ConfigError) as caught:
        list(workload.read(path).requests())
    assert str(caught.value).startswith(f"{path}: ")
    assert words in str(caught.value)


def test_the_unbroken_ones_are_fine(tmp_path):
    """What the tables break is whole before."""
    path = tmp_path / "mine.toml"
    path.write_text(PLAN, "utf-8")
    assert plan.load(path).least_passes == 2
    path.write_bytes(gzip.compress(f"{json.dumps(HEADER)}\n{REQUESTS}".encode()))
    assert [one.at for one in workload.read(path).requests()] == [0.0, 1.0]
