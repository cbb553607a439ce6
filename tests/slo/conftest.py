from collections.abc import Callable
from pathlib import Path

import pytest

from slo import judge, objective, record
from slo.record import Record
from slo.verdict import Verdict, Verdicts
from tests.run_folder import Outage, Plan, write

LEXOHUB = objective.load(Path(__file__).parents[2] / "slo" / "targets" / "lexohub.toml")
DRIVEN = (
    "latency-p50",
    "latency-p99",
    "error-rate",
    "error-rate-recovered",
    "uptime",
    "attainment",
    "cache-hit",
    "db-connections",
    "db-connections-fault",
    "failover",
    "no-lost-write",
    "no-duplicate-write",
    "mttr",
    "pdf-complete",
    "pdf-rate",
    "search-rate",
    "search-latency",
    "isolation",
)
FAULT = ("failover", "mttr", "db-connections-fault")
Build = Callable[..., Path]


@pytest.fixture(scope="session")
def build(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """Writes a run folder that drives everything this path can drive; keywords as in `Plan`."""

    def make(**fields: object) -> Path:
        fields = {"objectives": DRIVEN, "judge": FAULT, **fields}
        return write(tmp_path_factory.mktemp("run") / "run", Plan(**fields))  # type: ignore[arg-type]

    return make


@pytest.fixture(scope="session")
def failover(build: Build) -> Record:
    """Writes failed for 12 s after the writer died, all else is well. Not to be changed."""
    return record.read(build(outages=[Outage(start=142, end=154, groups=("write",))]))


@pytest.fixture
def folder(failover: Record, tmp_path: Path) -> Path:
    """The same run as a folder of one's own, to be broken."""
    own = tmp_path / "run"
    own.mkdir()
    for file in failover.folder.iterdir():
        (own / file.name).write_bytes(file.read_bytes())
    return own


def judged(source: Path | Record) -> Verdicts:
    """Judge a folder or a record by LexoHub's objectives."""
    return judge.judge(record.read(source) if isinstance(source, Path) else source, LEXOHUB)


def of(verdicts: Verdicts, name: str) -> Verdict:
    """The one verdict of that id."""
    (one,) = [one for one in verdicts.objectives if one.id == name]
    return one
