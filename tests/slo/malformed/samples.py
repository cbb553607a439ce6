"""Good files to be broken, and where in a text something stands."""

from __future__ import annotations

SOURCE = 'source = { file = "f.txt", heading = "h", quote = "q" }'
OBJECTIVES = f"""[[objective]]
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

[[objective]]
id = "regression"
sli = "latency"
phase = "steady"
operations = ["@api"]
expr = "p(99) baseline <= +10%"
basis = "baseline"
{SOURCE}
"""


def changed(text: str, old: str, new: str) -> str:
    """The text with its first `old` replaced; it must be there."""
    assert old in text, old
    return text.replace(old, new, 1)


def place(text: str, needle: str, start: int = 0) -> str:
    """`line:column` of the first needle from a character on, both from 1."""
    at = text.index(needle, start)
    return f"{text.count(chr(10), 0, at) + 1}:{at - text.rfind(chr(10), 0, at)}"
